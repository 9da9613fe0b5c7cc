//! Making a pack that replaces others.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use gix::{ObjectId, hashtable::HashMap};

use super::Upkeep;
use crate::{
    Error, Repository,
    enumerate::{Chosen, Selection},
    pack::Pack,
    pack_index,
    pack_writer::{self, Style},
    reader::Reader,
    staging::Staging,
};

/// A pack that was written and that no reader sees yet.
pub(super) struct Baked {
    staging: Staging,
    pub(super) checksum: ObjectId,
}

impl Baked {
    /// Gives the place of a file that is to lie beside the pack.
    pub(super) fn beside(&self, extension: &str) -> PathBuf {
        self.staging.path().join(extension)
    }

    /// Moves the pack into the repository.
    pub(super) fn install(self, repository: &Repository, upkeep: &Upkeep) -> io::Result<Arc<Pack>> {
        repository.install(&self.staging, &self.checksum, upkeep.sync)?;
        let name = format!("pack-{}.idx", self.checksum);
        let path = repository.objects().join("pack").join(name);
        let state = repository.state();
        let pack = state.packs.iter().find(|pack| pack.index.path() == path);
        pack.cloned().ok_or_else(|| io::Error::other("a pack went as soon as it came"))
    }
}

/// Selects objects that are named one by one; those that are named twice are taken once.
pub(super) fn selection(reader: &mut Reader, ids: impl IntoIterator<Item = ObjectId>) -> Result<Selection, Error> {
    let mut selection = Selection { objects: Vec::new(), places: HashMap::default(), bases: Vec::new(), reused: None };
    for id in ids {
        let place = u32::try_from(selection.objects.len()).expect("fewer objects than 32 bits count");
        if *selection.places.entry(id).or_insert(place) == place {
            let kind = reader.kind(&id)?.ok_or(Error::Missing(id))?;
            selection.objects.push(Chosen { id, kind, name: 0 });
        }
    }
    Ok(selection)
}

/// Writes a selection as a pack of its own, with its index, and checks that it holds what was selected; nothing if
/// nothing was.
pub(super) fn bake(
    repository: &Repository,
    reader: &mut Reader,
    selection: &Selection,
    upkeep: &Upkeep,
) -> io::Result<Option<Baked>> {
    if selection.count() == 0 {
        return Ok(None);
    }
    let staging = Staging::create(repository.objects())?;
    let style = Style { search: true, index: true, threads: upkeep.threads, ..Style::default() };
    let mut output = BufWriter::with_capacity(1 << 20, File::create_new(staging.path().join("pack"))?);
    let written = pack_writer::write(reader, selection, style, &mut output)?;
    output.flush()?;
    if written.objects.len() != selection.count() {
        return Err(io::Error::other("a pack was written that does not hold what it should"));
    }
    let mut output = BufWriter::new(File::create_new(staging.path().join("idx"))?);
    pack_index::write(&mut output, &written.objects, &written.checksum)?;
    output.flush()?;
    Ok(Some(Baked { staging, checksum: written.checksum }))
}

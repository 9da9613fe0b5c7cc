//! Making a pack that replaces others.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use gix::{ObjectId, hashtable::HashMap, odb::pack::index};

use super::Upkeep;
use crate::{
    Error, Limits, Offers, Options, Repository,
    enumerate::{Chosen, Selection},
    intake,
    pack::Pack,
    pack_writer::{self, Style},
    reader::Reader,
    staging::Staging,
};

/// A pack that was checked and that no reader sees yet.
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

/// Writes a selection as a pack of its own, reads it back, and checks that it holds what was selected; nothing if
/// nothing was.
pub(super) fn bake(
    repository: &Repository,
    reader: &mut Reader,
    selection: &Selection,
    upkeep: &Upkeep,
) -> io::Result<Option<Baked>> {
    if selection.objects.is_empty() {
        return Ok(None);
    }
    let staging = Staging::create(repository.objects())?;
    let path = staging.path().join("written");
    let mut output = BufWriter::with_capacity(1 << 20, File::create_new(&path)?);
    pack_writer::write(reader, selection, Style::default(), &mut output)?;
    output.flush()?;
    let baked = read_back(repository, &path, upkeep)?;
    fs::remove_file(&path)?;
    let held = index::File::at(baked.beside("idx"), gix::hash::Kind::Sha1).map_err(io::Error::other)?;
    if held.num_objects() as usize != selection.objects.len()
        || selection.objects.iter().any(|object| held.lookup(object.id).is_none())
    {
        return Err(io::Error::other("a pack was written that does not hold what it should"));
    }
    Ok(Some(baked))
}

/// Takes a pack in as if it were pushed: each object is decoded and hashed, which proves that it can be read, and the
/// index is made from that.
fn read_back(repository: &Repository, path: &std::path::Path, upkeep: &Upkeep) -> io::Result<Baked> {
    let limits = Limits {
        pack_bytes: u64::MAX,
        object_bytes: u64::MAX,
        structure_bytes: u64::MAX,
        delta_chain: usize::MAX,
        ..Limits::default()
    };
    let options = Options { offers: Offers::FULL, limits, threads: upkeep.threads, ..Options::default() };
    let staged = intake::receive(repository, &mut File::open(path)?, &options).map_err(io::Error::other)?;
    let (staging, checksum) = staged.into_parts();
    Ok(Baked { staging, checksum })
}

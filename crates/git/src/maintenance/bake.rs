//! Writing and checking a pack that replaces others.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use gix::{
    ObjectId,
    hashtable::HashMap,
    odb::pack::{
        data,
        index::{
            self,
            verify::{Mode, PackContext, integrity},
        },
    },
};

use super::MaintenanceOptions;
use crate::{
    Error, Repository,
    pack::Pack,
    pack_index,
    pack_writer::{self, Style},
    reader::Reader,
    selection::{SelectedObject, Selection},
    staging::Staging,
};

const BUFFER_BYTES: usize = 1 << 20;

/// A checked pack that is not in the repository yet.
pub(super) struct Baked {
    staging: Staging,
    pub(super) checksum: ObjectId,
}

impl Baked {
    /// Returns the path of a file to install beside the pack.
    pub(super) fn beside(&self, extension: &str) -> PathBuf {
        self.staging.path().join(extension)
    }

    /// Moves the pack into the repository.
    pub(super) fn install(self, repository: &Repository, maintenance: &MaintenanceOptions) -> io::Result<Arc<Pack>> {
        repository.install(&self.staging, &self.checksum, maintenance.sync)?;
        let name = format!("pack-{}.idx", self.checksum);
        let path = repository.objects().join("pack").join(name);
        let state = repository.state();
        let pack = state.packs.iter().find(|pack| pack.index.path() == path);
        pack.cloned().ok_or_else(|| io::Error::other("a pack went as soon as it came"))
    }
}

/// Selects objects by their ids, each once.
pub(super) fn selection(reader: &mut Reader, ids: impl IntoIterator<Item = ObjectId>) -> Result<Selection, Error> {
    let mut selection = Selection { objects: Vec::new(), places: HashMap::default(), bases: Vec::new(), reused: None };
    for id in ids {
        let place = u32::try_from(selection.objects.len()).expect("a repository has fewer than 2^32 objects");
        if *selection.places.entry(id).or_insert(place) == place {
            let kind = reader.kind(&id)?.ok_or_else(|| reader.missing(&id))?;
            selection.objects.push(SelectedObject { id, kind, name: 0 });
        }
    }
    Ok(selection)
}

/// Writes a selection as a pack, reads it back, and checks that it holds the selected objects; `None` if the selection
/// is empty.
pub(super) fn bake(
    repository: &Repository,
    reader: &mut Reader,
    selection: Selection,
    maintenance: &MaintenanceOptions,
) -> io::Result<Option<Baked>> {
    if selection.count() == 0 {
        return Ok(None);
    }
    let staging = Staging::create(repository.objects())?;
    let style = Style { search: true, index: true, threads: maintenance.threads, ..Style::default() };
    maintenance.go_on()?;
    let output = Stoppable { file: File::create_new(staging.path().join("pack"))?, maintenance };
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let mut written = pack_writer::write(reader, &selection, style, &mut output)?;
    output.flush()?;
    written.objects.sort_unstable_by_key(|object| object.id);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, File::create_new(staging.path().join("idx"))?);
    pack_index::write(&mut output, &written.objects, &written.checksum)?;
    output.flush()?;
    let held = |id: &ObjectId| written.objects.binary_search_by_key(id, |object| object.id).is_ok();
    if written.objects.len() != selection.count() || !selection.ids().all(|id| held(&id)) {
        return Err(io::Error::other("a pack was written that does not hold what it should"));
    }
    let baked = Baked { staging, checksum: written.checksum };
    // Frees memory for the check.
    drop((selection, written.objects));
    prove(&baked, maintenance)?;
    Ok(Some(baked))
}

/// A file whose writes fail once maintenance is stopped.
struct Stoppable<'u> {
    file: File,
    maintenance: &'u MaintenanceOptions,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // `write_all` would retry after `Interrupted`.
        self.maintenance.go_on().map_err(io::Error::other)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Decodes and hashes every object, so that the pack can safely replace others.
fn prove(baked: &Baked, maintenance: &MaintenanceOptions) -> io::Result<()> {
    let index = index::File::at(baked.beside("idx"), gix::hash::Kind::Sha1).map_err(io::Error::other)?;
    let data = data::File::at(baked.beside("pack"), gix::hash::Kind::Sha1).map_err(io::Error::other)?;
    let options = integrity::Options {
        verify_mode: Mode::HashCrc32,
        thread_limit: Some(maintenance.threads.max(1)),
        ..integrity::Options::default()
    };
    let context = PackContext { data: &data, options };
    let proven = index.verify_integrity(Some(context), &mut gix::progress::Discard, &maintenance.stop);
    proven.map(drop).map_err(io::Error::other)
}

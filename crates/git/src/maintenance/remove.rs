//! Removes packs and loose objects that other packs replace.

use std::{fs, io, path::Path, sync::Arc};

use gix::ObjectId;

use super::inventory;
use crate::{Repository, SharedPacks, files, pack::Pack};

/// Removes packs and loose objects whose objects are all in `staying` packs; returns the number of removed packs.
///
/// A pack in both lists is not removed.
pub(super) fn replaced(
    repository: &Repository,
    packs: &[Arc<Pack>],
    loose: &[ObjectId],
    staying: &[Arc<Pack>],
) -> io::Result<usize> {
    let stays = |id: &ObjectId| staying.iter().any(|pack| pack.position(id).is_some());
    let gone = packs.iter().filter(|pack| staying.iter().all(|other| other.index.path() != pack.index.path()));
    let gone: Vec<_> = gone.collect();
    let lost = gone.iter().flat_map(|pack| inventory::ids(pack)).find(|id| !stays(id));
    if let Some(id) = lost {
        return Err(io::Error::other(format!("object {id} would be lost")));
    }
    packs_of(repository, &gone)?;
    for id in loose.iter().filter(|id| stays(id)) {
        let hex = id.to_string();
        let folder = repository.objects().join(&hex[..2]);
        files::remove(&folder.join(&hex[2..]))?;
        // The folder may hold other objects.
        drop(fs::remove_dir(folder));
    }
    Ok(gone.len())
}

/// Removes packs, and the files that Git derived from them.
pub(super) fn packs_of(repository: &Repository, packs: &[&Arc<Pack>]) -> io::Result<()> {
    let checksums: Vec<_> = packs.iter().map(|pack| pack.index.pack_checksum()).collect();
    unlisted(repository, packs, |shared| shared.remove(&checksums).map(Some)).map(drop)
}

/// Removes packs once `unlist` has removed them from the list of a copy; returns whether they were removed.
pub(super) fn unlisted(
    repository: &Repository,
    packs: &[&Arc<Pack>],
    unlist: impl FnOnce(&dyn SharedPacks) -> io::Result<Option<i64>>,
) -> io::Result<bool> {
    if packs.is_empty() {
        return Ok(true);
    }
    forget(&repository.objects().join("pack"), "multi-pack-index")?;
    let indices: Vec<_> = packs.iter().map(|pack| pack.index.path().to_owned()).collect();
    repository.remove_packs(&indices, unlist)
}

/// Removes files that Git derived from objects, whose names start with `name`.
pub(super) fn forget(folder: &Path, name: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(name) {
            if entry.file_type()?.is_dir() {
                files::remove_folder(&entry.path())?;
            } else {
                files::remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

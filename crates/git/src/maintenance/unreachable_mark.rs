//! Time at which objects last became unreachable by a change of references; maintenance then searches for them.
//!
//! The file is written after the references changed. If it is lost, objects only stay longer. The time of a copy is in its list of packs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Repository, files};

fn path(objects: &Path) -> PathBuf {
    objects.join("info/let-go")
}

/// Writes the time, in seconds since 1970.
pub(super) fn note(objects: &Path, now: u32) -> io::Result<()> {
    files::write(&path(objects), format!("{now}\n").as_bytes())
}

/// Reads the time that was written last.
pub(super) fn read(objects: &Path) -> Option<u32> {
    fs::read_to_string(path(objects)).ok()?.trim().parse().ok()
}

/// Returns the time of a repository.
pub(super) fn of(repository: &Repository) -> io::Result<Option<u32>> {
    match repository.shared_packs() {
        Some(shared) => Ok(shared.list()?.unreachable_since),
        None => Ok(read(repository.objects())),
    }
}

/// Removes the time, unless a later one was written.
pub(super) fn forget(repository: &Repository, time: u32) -> io::Result<()> {
    let objects = repository.objects();
    match repository.shared_packs() {
        Some(shared) => shared.forget_unreachable(time),
        None if read(objects) == Some(time) => files::remove(&path(objects)),
        None => Ok(()),
    }
}

//! When references last let go of objects, which tells upkeep when to look for what none leads to any more.
//!
//! It is written after the references moved. Should it get lost, objects only stay longer.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::files;

fn path(objects: &Path) -> PathBuf {
    objects.join("info/let-go")
}

/// Notes that a reference let go of objects at a time, in seconds since 1970.
pub(super) fn note(objects: &Path, now: u32) -> io::Result<()> {
    files::write(&path(objects), format!("{now}\n").as_bytes())
}

/// Gives the time that was noted last.
pub(super) fn read(objects: &Path) -> Option<u32> {
    fs::read_to_string(path(objects)).ok()?.trim().parse().ok()
}

/// Forgets a time, if no later one was noted.
pub(super) fn forget(objects: &Path, time: u32) -> io::Result<()> {
    if read(objects) == Some(time) { files::remove(&path(objects)) } else { Ok(()) }
}

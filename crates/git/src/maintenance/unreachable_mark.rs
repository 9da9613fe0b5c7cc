//! Time at which objects last became unreachable by a change of references; maintenance then searches for them.
//!
//! The file is written after the references changed. If it is lost, objects only stay longer.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::files;

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

/// Removes the time, unless a later one was written.
pub(super) fn forget(objects: &Path, time: u32) -> io::Result<()> {
    if read(objects) == Some(time) { files::remove(&path(objects)) } else { Ok(()) }
}

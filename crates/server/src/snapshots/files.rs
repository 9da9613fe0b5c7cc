//! Copies, replacements and removals of files and folders.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::data_folder::with_path;

/// Copies a file or a folder with all that is in it; creates the parent folder. Files are hard links if `may_link`, where the file
/// systems allow them.
///
/// Only regular files and folders are copied: nothing else belongs to the data.
pub(super) fn copy(source: &Path, target: &Path, may_link: bool) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(with_path(parent))?;
    }
    copy_entry(source, target, may_link)
}

fn copy_entry(source: &Path, target: &Path, may_link: bool) -> io::Result<()> {
    let kind = source.symlink_metadata().map_err(with_path(source))?.file_type();
    if kind.is_dir() {
        fs::create_dir(target).map_err(with_path(target))?;
        for name in names(source)? {
            copy_entry(&source.join(&name), &target.join(&name), may_link)?;
        }
    } else if kind.is_file() && !(may_link && fs::hard_link(source, target).is_ok()) {
        fs::copy(source, target).map_err(with_path(source))?;
    }
    Ok(())
}

/// Replaces a file by another, also from another file system.
pub(super) fn replace(source: &Path, target: &Path) -> io::Result<()> {
    match fs::rename(source, target) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let partial = target.with_extension("unfinished");
            fs::copy(source, &partial).map_err(with_path(&partial))?;
            fs::rename(&partial, target).map_err(with_path(target))?;
            remove(source)
        }
        replaced => replaced.map_err(with_path(target)),
    }
}

/// Makes a folder equal to another; files that are hard links of the same file stay as they are.
///
/// Most of a data folder is unchanged since a snapshot, and changing a folder takes a file system much longer than looking into it.
pub(super) fn mirror(source: &Path, target: &Path) -> io::Result<()> {
    let (from, to) = (source.symlink_metadata().map_err(with_path(source))?, target.symlink_metadata());
    if !from.is_dir() {
        if to.is_ok_and(|to| (from.dev(), from.ino()) == (to.dev(), to.ino())) {
            return Ok(());
        }
        remove(target)?;
        return copy(source, target, true);
    }
    if !to.is_ok_and(|to| to.is_dir()) {
        remove(target)?;
        fs::create_dir_all(target).map_err(with_path(target))?;
    }
    let saved = names(source)?;
    for name in names(target)?.difference(&saved) {
        remove(&target.join(name))?;
    }
    saved.iter().try_for_each(|name| mirror(&source.join(name), &target.join(name)))
}

/// Lists the names of a folder's entries.
fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    let entries = fs::read_dir(folder).map_err(with_path(folder))?;
    entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(with_path(folder))).collect()
}

/// Removes a file or a folder with all that is in it, if it exists.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(entry) if entry.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(with_path(path)(error)),
        _ => Ok(()),
    }
}

//! Files of a bucket's objects: how keys become paths, and how a file is written whole.
//!
//! An object whose key is also the beginning of other keys, as `a` is of `a/b`, is the file `.object` in its folder: S3 has both,
//! and a file system has either a file or a folder of one name. One whose key ends in a slash, as `a/` does, is the file `.prefix` there.
//!
//! **Invariant:** a file with the name of an object is complete, also after a crash while it was written.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::FolderOptions;

/// The file of an object whose key is also a folder.
pub(crate) const OBJECT: &str = ".object";

/// The file of an object whose key ends in a slash.
pub(crate) const PREFIX_OBJECT: &str = ".prefix";

/// The suffix of a file or folder that is not complete yet.
pub(super) const PARTIAL: &str = ".partial";

/// Attempts of a write whose folder is removed at the same time.
const ATTEMPTS: u32 = 1_000;

/// Writes the object of a key below a folder; `content` opens the content, once for each attempt.
pub(super) fn write_object<R: Read>(
    root: &Path,
    key: &str,
    options: FolderOptions,
    mut content: impl FnMut() -> io::Result<R>,
) -> io::Result<()> {
    retry(|| write_file(&create_parents_and_path(root, key)?, &mut content()?, options))
}

/// Makes a complete file of the same file system the object of a key below a folder.
pub(super) fn place_object(root: &Path, key: &str, sync: bool, complete: &Path) -> io::Result<()> {
    retry(|| {
        let path = create_parents_and_path(root, key)?;
        fs::rename(complete, &path)?;
        match path.parent() {
            Some(parent) if sync => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    })
}

/// Creates the folders above the file of an object, and returns its path.
fn create_parents_and_path(root: &Path, key: &str) -> io::Result<PathBuf> {
    if key.ends_with('/') {
        return create_parents(root, &format!("{key}{PREFIX_OBJECT}"));
    }
    let mut path = create_parents(root, key)?;
    if path.is_dir() {
        path.push(OBJECT);
    }
    Ok(path)
}

/// Creates the folder of a key that ends in a slash.
pub(super) fn create_folders(root: &Path, key: &str) -> io::Result<()> {
    // A name after the slash makes everything before it a folder.
    retry(|| create_parents(root, &format!("{key}{OBJECT}")).map(drop))
}

/// Writes a file that appears whole or not at all, and creates the folders above it; `sync` flushes it to the disk.
pub fn write_whole_file(path: &Path, content: &mut dyn Read, sync: bool) -> io::Result<()> {
    write_file(path, content, FolderOptions { sync, ..FolderOptions::default() })
}

/// Does the same with the options of a bucket.
pub(super) fn write_file(path: &Path, content: &mut dyn Read, options: FolderOptions) -> io::Result<()> {
    let FolderOptions { sync, writer, .. } = options;
    let parent = path.parent().expect("the path of a file has a parent");
    fs::create_dir_all(parent)?;
    let temporary =
        with_suffix(path, &writer.map_or_else(String::new, |writer| format!(".{:06x}", writer & 0xff_ffff)));
    let mut file = create_new(&temporary)?;
    io::copy(content, &mut file)?;
    if sync {
        file.sync_all()?;
    }
    fs::rename(&temporary, path)?;
    if sync {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Reads a file; fails for anything but a regular file, as reading a pipe might never end.
pub(super) fn read_regular_file(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() { fs::read(path) } else { Err(io::Error::other("it is no regular file")) }
}

/// Creates a file; replaces the remains of an interrupted write, or anything else that is no folder.
fn create_new(path: &Path) -> io::Result<File> {
    let create = || File::options().write(true).create_new(true).open(path);
    match create() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()
        }
        created => created,
    }
}

/// Creates the folders above the file of a key, and returns the path of the file.
fn create_parents(root: &Path, key: &str) -> io::Result<PathBuf> {
    let path = root.join(key);
    if path.parent().is_some_and(Path::is_dir) {
        return Ok(path);
    }
    fs::create_dir_all(root)?;
    let Some((parents, _)) = key.rsplit_once('/') else { return Ok(path) };
    let mut folder = root.to_owned();
    for name in parents.split('/') {
        folder.push(name);
        create_folder(&folder)?;
    }
    Ok(path)
}

/// Creates a folder; an object of its name becomes the file [`OBJECT`] in it.
fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let new = with_suffix(path, ".folder");
    if fs::symlink_metadata(path).is_ok_and(|file| file.is_file()) {
        accept(ErrorKind::AlreadyExists, fs::create_dir(&new))?;
        fs::rename(path, new.join(OBJECT))?;
        return fs::rename(&new, path);
    }
    if new.is_dir() {
        // An earlier attempt was interrupted between the two renames above.
        return fs::rename(&new, path);
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.push(PARTIAL);
    name.into()
}

/// Treats errors of one kind as success.
pub(super) fn accept(kind: ErrorKind, result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == kind { Ok(()) } else { Err(error) })
}

/// Repeats a write that fails because a folder is removed at the same time.
fn retry(mut write: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        match write() {
            // A folder that existed when it was to be created is gone, or the other way round.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {}
            result => return result,
        }
    }
    write()
}

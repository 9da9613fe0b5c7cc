//! The files that hold a bucket's objects: how keys become paths, and how a file is written whole.
//!
//! An object whose key is also the beginning of other keys, as `a` is of `a/b`, is the file `.object` in its folder: S3 has both,
//! and a file system has either a file or a folder of one name.
//!
//! **Invariant:** a file of an object's name is complete, whatever broke off its writing.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The file of an object whose key is a folder's.
pub(in crate::bucket) const OBJECT: &str = ".object";

/// How the name of a file or folder ends that is still being made.
pub(super) const PARTIAL: &str = ".partial";

/// How often a write is tried again whose folder was removed meanwhile.
const ATTEMPTS: u32 = 1_000;

/// Writes the object of a key below a folder; `content` opens what is written, once for each attempt.
pub(super) fn write_object<R: Read>(
    root: &Path,
    key: &str,
    sync: bool,
    mut content: impl FnMut() -> io::Result<R>,
) -> io::Result<()> {
    retried(|| {
        let mut path = make_folder_of(root, key)?;
        if path.is_dir() {
            path.push(OBJECT);
        }
        write_whole(&path, &mut content()?, sync)
    })
}

/// Makes the folder that a key stands for which ends in a slash.
pub(super) fn make_folders(root: &Path, key: &str) -> io::Result<()> {
    // A name after the slash makes everything before it a folder.
    retried(|| make_folder_of(root, &format!("{key}{OBJECT}")).map(drop))
}

/// Writes a file that is there as a whole or not at all, with the folders above it; `sync` brings it to the disk itself.
pub(crate) fn write_whole(path: &Path, content: &mut dyn Read, sync: bool) -> io::Result<()> {
    let parent = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(parent)?;
    let temporary = with_ending(path, "");
    let mut file = create_anew(&temporary)?;
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

/// Reads a file whole; what is no regular file is refused, as reading it might never end.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() { fs::read(path) } else { Err(io::Error::other("it is no regular file")) }
}

/// Creates a file in the place of one that a broken write left, or of anything else that is no folder.
fn create_anew(path: &Path) -> io::Result<File> {
    let create = || File::options().write(true).create_new(true).open(path);
    match create() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()
        }
        created => created,
    }
}

/// Makes the folders above the file of a key, and returns the path of the file.
fn make_folder_of(root: &Path, key: &str) -> io::Result<PathBuf> {
    let path = root.join(key);
    if path.parent().is_some_and(Path::is_dir) {
        return Ok(path);
    }
    fs::create_dir_all(root)?;
    let Some((above, _)) = key.rsplit_once('/') else { return Ok(path) };
    let mut folder = root.to_owned();
    for name in above.split('/') {
        folder.push(name);
        make_folder(&folder)?;
    }
    Ok(path)
}

/// Makes a folder; an object of its name goes on as the file [`OBJECT`] in it.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let new = with_ending(path, ".folder");
    if fs::symlink_metadata(path).is_ok_and(|file| file.is_file()) {
        unless(ErrorKind::AlreadyExists, fs::create_dir(&new))?;
        fs::rename(path, new.join(OBJECT))?;
        return fs::rename(&new, path);
    }
    if new.is_dir() {
        // An earlier attempt ended between the two steps above.
        return fs::rename(&new, path);
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.push(PARTIAL);
    name.into()
}

/// Takes a failure of a kind as success.
pub(super) fn unless(fine: ErrorKind, result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == fine { Ok(()) } else { Err(error) })
}

/// Tries again what fails since a folder was removed at the same time.
fn retried(mut write: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        match write() {
            // A folder that was there when it was to be made is gone, or the other way round.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {}
            result => return result,
        }
    }
    write()
}

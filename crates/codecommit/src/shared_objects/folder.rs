//! A folder as the storage: one of this machine, or one that several machines mount.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::Storage;

/// Extension of a file that is being copied.
const PARTIAL: &str = "partial";

/// The storage in a folder.
pub(crate) struct FolderStorage {
    folder: PathBuf,
    /// Whether a file is fetched by a link to it.
    has_links: bool,
}

impl FolderStorage {
    /// Opens the storage in a folder, which is created if it does not exist.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
        // Links to the files must not depend on the working folder.
        let folder = fs::canonicalize(folder).map_err(|error| named(folder, &error))?;
        Ok(Self { folder, has_links: true })
    }

    /// Copies what is fetched, for somebody who leaves the storage.
    pub(super) fn without_links(self) -> Self {
        Self { has_links: false, ..self }
    }
}

/// Links a file, or copies it from another file system; it has its name only when it is complete.
fn place(path: &Path, file: &Path, sync: bool) -> io::Result<()> {
    match fs::hard_link(file, path) {
        Ok(()) if sync => File::open(path)?.sync_all(),
        Ok(()) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => Err(error),
        Err(_) => {
            let partial = path.with_added_extension(PARTIAL);
            fs::copy(file, &partial)?;
            if sync {
                File::open(&partial)?.sync_all()?;
            }
            fs::rename(&partial, path)
        }
    }
}

/// Copies the content of a file.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut File::create_new(to)?).map(drop)
}

impl fmt::Display for FolderStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folder.display().fmt(formatter)
    }
}

impl Storage for FolderStorage {
    fn put(&self, key: &str, file: &Path, sync: bool) -> io::Result<()> {
        let path = self.folder.join(key);
        let folder = path.parent().unwrap_or(&self.folder);
        let placed = match place(&path, file, sync) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
                if sync {
                    File::open(&self.folder)?.sync_all()?;
                }
                place(&path, file, sync)
            }
            placed => placed,
        };
        placed.map_err(|error| named(&path, &error))?;
        if sync { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn fetch(&self, key: &str, path: &Path) -> io::Result<()> {
        let stored = self.folder.join(key);
        // A link can be made to nothing.
        fs::metadata(&stored).map_err(|error| named(&stored, &error))?;
        let fetched = if self.has_links { symlink(&stored, path) } else { copy(&stored, path) };
        fetched.map_err(|error| named(path, &error))
    }

    fn open(&self, key: &str) -> io::Result<File> {
        let path = self.folder.join(key);
        File::open(&path).map_err(|error| named(&path, &error))
    }

    fn length(&self, key: &str) -> io::Result<Option<u64>> {
        let path = self.folder.join(key);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&path, &error)),
        }
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        let path = self.folder.join(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(named(&path, &error)),
            _ => Ok(()),
        }
    }

    fn older_than(&self, age: Duration) -> io::Result<Vec<String>> {
        // The clock of the machine that has the files, which may not be this one.
        let now = NamedTempFile::new_in(&self.folder)?.as_file().metadata()?.modified()?;
        let mut keys = Vec::new();
        for folder in fs::read_dir(&self.folder).map_err(|error| named(&self.folder, &error))? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let modified = match file.metadata() {
                    Ok(metadata) if metadata.is_file() => metadata.modified()?,
                    _ => continue,
                };
                if now.duration_since(modified).is_ok_and(|since| since > age) {
                    let (folder, name) = (folder.file_name(), file.file_name());
                    keys.push(format!("{}/{}", folder.to_string_lossy(), name.to_string_lossy()));
                }
            }
        }
        Ok(keys)
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_files_are_fetched_until_they_are_removed() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let storage = FolderStorage::open(&folder.path().join("new/objects")).expect("the folder is writable");
        let [file, path] = ["file", "path"].map(|name| folder.path().join(name));
        fs::write(&file, "content").expect("the folder is writable");
        storage.put("a/one.pack", &file, true).expect("the folder is writable");
        let again = storage.put("a/one.pack", &file, false).expect_err("a key is used once");
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        fs::remove_file(&file).expect("the file is there");
        storage.fetch("a/one.pack", &path).expect("the file is stored");
        assert_eq!(storage.length("a/one.pack").expect("the folder is readable"), Some(7));
        storage.open("a/one.pack").expect("the file is stored");
        assert_eq!(fs::read(&path).expect("the link leads to it"), b"content");
        assert_eq!(storage.older_than(STRAY).expect("the folder is readable"), Vec::<String>::new());
        assert_eq!(storage.older_than(Duration::ZERO).expect("the folder is readable"), ["a/one.pack"]);
        storage.remove("a/one.pack").expect("the folder is writable");
        storage.remove("a/one.pack").expect("nothing is there");
        let missing = storage.fetch("a/one.pack", &folder.path().join("other")).expect_err("it was removed");
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert_eq!(storage.open("a/one.pack").expect_err("it was removed").kind(), ErrorKind::NotFound);
        assert_eq!(storage.length("a/one.pack").expect("the folder is readable"), None);
        assert!(missing.to_string().contains("a/one.pack"), "{missing}");
    }

    #[test]
    fn who_leaves_the_storage_gets_copies() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let storage = FolderStorage::open(folder.path()).expect("the folder is writable").without_links();
        let [file, path] = ["file", "path"].map(|name| folder.path().join(name));
        fs::write(&file, "content").expect("the folder is writable");
        storage.put("a/one.pack", &file, true).expect("the folder is writable");
        storage.fetch("a/one.pack", &path).expect("the file is stored");
        assert!(fs::symlink_metadata(&path).expect("the file is there").is_file());
        fs::write(&path, "another").expect("the folder is writable");
        assert_eq!(fs::read(&file).expect("the file is there"), b"content");
        let missing = storage.fetch("a/two.pack", &folder.path().join("other")).expect_err("it was never stored");
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    const STRAY: Duration = Duration::from_hours(1);
}

//! Files that were fetched from a storage, in a folder of limited size.
//!
//! **Invariant:** a file in the folder is complete, and on the disk. One that is removed stays readable to whoever has opened it. No file is
//! fetched twice at the same time.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek};
use std::path::PathBuf;

use parking_lot::{Condvar, Mutex};
use tempfile::{Builder, NamedTempFile};

/// Beginning of the names of files that are being fetched.
const UNFINISHED: &str = "incoming-";

/// Fetched files, the least recently used of which are removed.
pub(super) struct FileCache {
    folder: PathBuf,
    bytes_max: u64,
    files: Mutex<Files>,
    /// The names of the files that are being fetched.
    fetching: Mutex<HashSet<String>>,
    /// Notified when one of them was.
    fetched: Condvar,
}

/// What is known of the files.
#[derive(Default)]
struct Files {
    by_name: HashMap<String, Entry>,
    bytes: u64,
    /// The number of uses.
    uses: u64,
}

struct Entry {
    bytes: u64,
    /// The number of its last use.
    used: u64,
}

/// The right to fetch a file, until it is dropped.
struct Turn<'c> {
    cache: &'c FileCache,
    name: &'c str,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.cache.fetching.lock().remove(self.name);
        self.cache.fetched.notify_all();
    }
}

impl FileCache {
    /// Opens the cache in a folder, which is created if it does not exist; files that an earlier run has fetched stay.
    pub(super) fn open(folder: PathBuf, bytes_max: u64) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(named)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(named)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(UNFINISHED) {
                fs::remove_file(entry.path()).map_err(named)?;
                continue;
            }
            let metadata = entry.metadata()?;
            found.push((metadata.modified()?, name, metadata.len()));
        }
        found.sort();
        let (files, fetching, fetched) = Default::default();
        let cache = Self { folder, bytes_max, files, fetching, fetched };
        for (_, name, bytes) in found {
            cache.add(name, bytes)?;
        }
        Ok(cache)
    }

    /// Opens a file, which is fetched if it is not there.
    pub(super) fn get(&self, name: &str, fetch: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<File> {
        if let Some(file) = self.find(name)? {
            return Ok(file);
        }
        let _turn = self.turn(name);
        if let Some(file) = self.find(name)? {
            return Ok(file);
        }
        let mut file: NamedTempFile = Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
        fetch(file.as_file_mut())?;
        file.as_file().sync_all()?;
        let mut file = file.persist(self.folder.join(name))?;
        self.add(name.to_owned(), file.metadata()?.len())?;
        file.rewind()?;
        Ok(file)
    }

    /// Waits until nobody fetches a file.
    fn turn<'c>(&'c self, name: &'c str) -> Turn<'c> {
        let mut fetching = self.fetching.lock();
        while !fetching.insert(name.to_owned()) {
            self.fetched.wait(&mut fetching);
        }
        Turn { cache: self, name }
    }

    fn find(&self, name: &str) -> io::Result<Option<File>> {
        match File::open(self.folder.join(name)) {
            Ok(file) => {
                let mut files = self.files.lock();
                files.uses += 1;
                let used = files.uses;
                files.by_name.entry(name.to_owned()).and_modify(|entry| entry.used = used);
                Ok(Some(file))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Counts a file, and removes others while all are larger than the limit, at last the file itself.
    fn add(&self, name: String, bytes: u64) -> io::Result<()> {
        let mut files = self.files.lock();
        files.uses += 1;
        let entry = Entry { bytes, used: files.uses };
        files.by_name.insert(name, entry);
        files.bytes += bytes;
        while files.bytes > self.bytes_max {
            let oldest = files.by_name.iter().min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone());
            let Some(entry) = oldest.as_ref().and_then(|name| files.by_name.remove(name)) else { break };
            files.bytes -= entry.bytes;
            fs::remove_file(self.folder.join(oldest.unwrap_or_default()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn read(cache: &FileCache, name: &str, content: Option<&[u8]>) -> String {
        let file = cache.get(name, |file| file.write_all(content.expect("the file is in the cache")));
        let mut text = String::new();
        file.expect("the folder is writable").read_to_string(&mut text).expect("the file is readable");
        text
    }

    #[test]
    fn the_least_recently_used_files_go_and_open_ones_stay_readable() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let path = |name: &str| folder.path().join(name);
        let open = || FileCache::open(folder.path().to_owned(), 10).expect("the folder is writable");
        let cache = open();
        read(&cache, "one", Some(b"1234"));
        read(&cache, "two", Some(b"1234"));
        let mut one = cache.get("one", |_| panic!("it is in the cache")).expect("the file is readable");
        read(&cache, "three", Some(b"1234"));
        assert!(path("one").exists() && !path("two").exists() && path("three").exists());
        assert_eq!(read(&cache, "large", Some(b"larger than all")), "larger than all");
        assert!(!["one", "three", "large"].iter().any(|name| path(name).exists()));
        let mut text = String::new();
        one.read_to_string(&mut text).expect("the file is open");
        assert_eq!(text, "1234");

        read(&cache, "four", Some(b"1234"));
        fs::write(path("incoming-1"), "12").expect("the folder is writable");
        let cache = open();
        assert_eq!(read(&cache, "four", None), "1234");
        assert!(!path("incoming-1").exists());
    }

    #[test]
    fn calls_at_the_same_time_fetch_a_file_once() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let cache = FileCache::open(folder.path().to_owned(), 10).expect("the folder is writable");
        let (begin, fetches) = (Barrier::new(8), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    begin.wait();
                    let file = cache.get("one", |file| {
                        fetches.fetch_add(1, Ordering::Relaxed);
                        file.write_all(b"1234")
                    });
                    assert_eq!(file.expect("the folder is writable").metadata().expect("it is open").len(), 4);
                });
            }
        });
        assert_eq!(fetches.into_inner(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_fetched_leaves_nothing() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let cache = FileCache::open(folder.path().to_owned(), 10).expect("the folder is writable");
        cache.get("one", |_| Err(ErrorKind::NotFound.into())).expect_err("it is not there");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder is readable").count(), 0);
        assert_eq!(read(&cache, "one", Some(b"1234")), "1234");
    }
}

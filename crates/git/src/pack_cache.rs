//! Cache of finished packs, for clients that request the same objects.
//!
//! A key covers everything that determines the objects of a pack, by their ids: cached packs are never out of date, and
//! repositories that share objects share packs. Access is checked before.
//!
//! **Invariant:** a pack that is found is complete. Files have no names once they are open, so none is left
//! when the process ends, even if it is killed.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use gix::ObjectId;
use parking_lot::{Mutex, MutexGuard};

use crate::sideband::SideBand;

/// One pack may take this part of all bytes; and this many packs are written at once, as slow clients take long.
const PARTS: usize = 4;

/// The most packs in the cache: each is an open file.
const PACKS_MAX: usize = 128;
const PREFIX: &str = "answer-";

/// Cache of finished packs in files, shared by all repositories; cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    bytes_max: u64,
    next: AtomicU64,
    /// The number of packs that are being written.
    filling: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    packs: HashMap<ObjectId, Entry>,
    bytes: u64,
    /// The number of uses so far.
    clock: u64,
}

struct Entry {
    pack: Arc<Kept>,
    used: u64,
}

/// A cached pack.
pub(crate) struct Kept {
    file: Arc<File>,
    bytes: u64,
    /// The number of its objects.
    pub(crate) objects: usize,
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cache").field("folder", &self.0.folder).field("bytes_max", &self.0.bytes_max).finish()
    }
}

impl Cache {
    /// The default size in bytes.
    pub const BYTES_MAX: u64 = 256 << 20;

    /// Opens a cache of `bytes_max` bytes in `folder`; one pack may take a quarter of it.
    ///
    /// Removes the files that a killed process left there.
    pub fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                fs::remove_file(entry.path())?;
            }
        }
        let (folder, next) = (folder.to_owned(), AtomicU64::new(1));
        let (filling, state) = (AtomicUsize::new(0), Mutex::default());
        Ok(Self(Arc::new(Shared { folder, bytes_max, next, filling, state })))
    }

    /// Returns the number of cached bytes.
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// Finds a pack.
    pub(crate) fn find(&self, key: &ObjectId) -> Option<Arc<Kept>> {
        let state = &mut *self.state();
        state.clock += 1;
        let entry = state.packs.get_mut(key)?;
        entry.used = state.clock;
        Some(Arc::clone(&entry.pack))
    }

    /// Begins to cache a pack of `objects` objects; dropped before [`Filling::keep`] it leaves nothing behind.
    ///
    /// Fails if too many are being written.
    pub(crate) fn fill(&self, key: ObjectId, objects: usize) -> io::Result<Filling> {
        let place = Place(self.clone());
        if self.0.filling.fetch_add(1, Ordering::Relaxed) >= PARTS {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let path = self.0.folder.join(format!("{PREFIX}{}-{number}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(path)?;
        Ok(Filling { place, key, objects, output: BufWriter::with_capacity(64 << 10, file), bytes: 0 })
    }

    fn keep(&self, key: ObjectId, pack: Kept) {
        let state = &mut *self.state();
        while state.bytes + pack.bytes > self.0.bytes_max || state.packs.len() >= PACKS_MAX {
            let oldest = state.packs.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
            let Some(entry) = oldest.and_then(|key| state.packs.remove(&key)) else { return };
            state.bytes -= entry.pack.bytes;
        }
        state.clock += 1;
        state.bytes += pack.bytes;
        let entry = Entry { pack: Arc::new(pack), used: state.clock };
        if let Some(same) = state.packs.insert(key, entry) {
            state.bytes -= same.pack.bytes;
        }
    }
}

impl Kept {
    /// Sends the pack.
    pub(crate) fn send(&self, band: &mut SideBand<'_>) -> io::Result<()> {
        band.part(&self.file, 0..self.bytes)
    }
}

/// A permit to write a pack to the cache; dropping it releases it.
struct Place(Cache);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.filling.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pack that is being written to the cache.
pub(crate) struct Filling {
    place: Place,
    key: ObjectId,
    objects: usize,
    output: BufWriter<File>,
    bytes: u64,
}

impl Filling {
    /// Adds bytes; returns the filling if the pack can still be cached.
    pub(crate) fn put(mut self, bytes: &[u8]) -> Option<Self> {
        self.bytes += bytes.len() as u64;
        (self.bytes <= self.place.0.0.bytes_max / PARTS as u64 && self.output.write_all(bytes).is_ok()).then_some(self)
    }

    /// Adds the pack, which is complete now, to the cache.
    pub(crate) fn keep(self) {
        // A full disk only means that the next client waits longer.
        if let Ok(file) = self.output.into_inner() {
            self.place.0.keep(self.key, Kept { file: Arc::new(file), bytes: self.bytes, objects: self.objects });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{frames::Frames, output::CopyOutput};

    fn key(byte: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[byte; 20])
    }

    fn fill(cache: &Cache, byte: u8, bytes: usize) {
        let filling = cache.fill(key(byte), 1).expect("a writable folder");
        if let Some(filling) = filling.put(&vec![byte; bytes]) {
            filling.keep();
        }
    }

    #[test]
    fn the_least_used_goes_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("answer-1-1"), "left by a killed process").expect("a writable folder");
        let cache = Cache::open(folder.path(), 1000).expect("a writable folder");
        for byte in 1..=4 {
            fill(&cache, byte, 250);
        }
        assert!(cache.find(&key(1)).is_some());
        fill(&cache, 5, 250);
        fill(&cache, 6, 251);
        fill(&cache, 5, 250);
        drop(cache.fill(key(7), 1).expect("a writable folder").put(b"half"));
        let kept: Vec<_> = (1..=7).filter(|byte| cache.find(&key(*byte)).is_some()).collect();
        assert_eq!(kept, [1, 4, 5]);
        let mut out = Vec::new();
        let mut output = CopyOutput(&mut out);
        let mut band = SideBand::new(&mut output, Frames::None);
        cache.find(&key(5)).expect("the pack is kept").send(&mut band).expect("a vector takes all");
        band.finish().expect("a vector takes all");
        assert_eq!((out, cache.bytes()), (vec![5; 250], 750));
        assert_eq!(fs::read_dir(folder.path()).expect("a readable folder").count(), 0);

        let slow: Vec<_> = (0..PARTS).map(|_| cache.fill(key(8), 1).expect("there is room")).collect();
        assert!(cache.fill(key(9), 1).is_err());
        drop(slow);
        assert!(cache.fill(key(9), 1).is_ok());
    }
}

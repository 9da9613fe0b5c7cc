//! Decoded objects, cached from one request to the next.
//!
//! A small fetch reads few objects, but resolves long chains of deltas for them; with what the request before it
//! decoded, it is several times faster.
//!
//! **Invariant:** a reader's objects take no more memory than is reserved for them.

use std::{collections::HashMap, sync::Arc};

use gix::{objs::Kind, odb::pack::cache::DecodeEntry};

use crate::cache_memory::{CacheMemory, Reservation, Slot, Weigh};

/// The memory in which one reader keeps decoded objects, in bytes.
const BYTES_MAX: usize = 16 << 20;
const BYTES_MIN: usize = 256 << 10;

/// The number of caches that are kept for one repository.
const OF_ONE_MAX: usize = 2;

/// What an object takes besides its content, in bytes.
const ENTRY_BYTES: usize = 112;

/// The caches of one repository that no reader uses at the moment.
pub(crate) struct DecodeCaches {
    memory: CacheMemory,
    slots: [Slot<Decoded>; OF_ONE_MAX],
}

impl DecodeCaches {
    pub(crate) fn new(memory: &CacheMemory) -> Self {
        Self { memory: memory.clone(), slots: std::array::from_fn(|_| Slot::new(memory)) }
    }

    pub(crate) fn memory(&self) -> &CacheMemory {
        &self.memory
    }
}

/// A cache in use by one reader. Dropping it returns it to the repository for the next reader.
pub(crate) struct DecodeCache {
    decoded: Decoded,
    /// `None` if the cache is not returned.
    home: Option<Arc<DecodeCaches>>,
    reservation: Reservation,
}

impl DecodeCache {
    /// Takes a free cache of a repository, or creates one.
    pub(crate) fn of(caches: &Arc<DecodeCaches>) -> Self {
        let decoded = caches.slots.iter().find_map(Slot::take).unwrap_or_default();
        Self::new(decoded, &caches.memory, Some(Arc::clone(caches)))
    }

    /// Creates a cache that is not returned to a repository.
    pub(crate) fn alone(memory: &CacheMemory) -> Self {
        Self::new(Decoded::default(), memory, None)
    }

    /// Creates another cache of the same kind.
    pub(crate) fn another(&self) -> Self {
        match &self.home {
            Some(caches) => Self::of(caches),
            None => Self::alone(self.reservation.memory()),
        }
    }

    fn new(mut decoded: Decoded, memory: &CacheMemory, home: Option<Arc<DecodeCaches>>) -> Self {
        let reservation = memory.reserve(BYTES_MIN, BYTES_MAX);
        decoded.limit(reservation.bytes());
        Self { decoded, home, reservation }
    }
}

impl DecodeEntry for DecodeCache {
    fn put(&mut self, pack: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        self.decoded.put((pack, offset), Entry { data: data.into(), kind, compressed_size });
    }

    fn get(&mut self, pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let entry = self.decoded.get((pack, offset))?;
        out.clear();
        out.extend_from_slice(&entry.data);
        Some((entry.kind, entry.compressed_size))
    }
}

impl Drop for DecodeCache {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        if let Some(slot) = home.slots.iter().find(|slot| slot.is_empty()) {
            slot.set(std::mem::take(&mut self.decoded));
        }
    }
}

/// Decoded objects in two generations: when the young ones fill half of the memory, the old ones go.
#[derive(Default)]
struct Decoded {
    young: Generation,
    old: Generation,
    bytes_max: usize,
}

#[derive(Default)]
struct Generation {
    entries: HashMap<(u32, u64), Entry>,
    bytes: usize,
}

struct Entry {
    data: Box<[u8]>,
    kind: Kind,
    compressed_size: usize,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.data.len() + ENTRY_BYTES
    }
}

impl Generation {
    fn insert(&mut self, key: (u32, u64), entry: Entry) {
        self.bytes += entry.bytes();
        if let Some(same) = self.entries.insert(key, entry) {
            self.bytes -= same.bytes();
        }
    }

    fn remove(&mut self, key: (u32, u64)) -> Option<Entry> {
        let entry = self.entries.remove(&key)?;
        self.bytes -= entry.bytes();
        Some(entry)
    }
}

impl Decoded {
    /// Sets how much memory the objects may take.
    fn limit(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
        if self.old.bytes > bytes_max / 2 {
            self.old = Generation::default();
        }
        if self.young.bytes > bytes_max / 2 {
            self.young = Generation::default();
        }
    }

    fn put(&mut self, key: (u32, u64), entry: Entry) {
        let bytes = entry.bytes();
        if bytes > self.bytes_max / 4 {
            return;
        }
        if self.young.bytes + bytes > self.bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, entry);
    }

    fn get(&mut self, key: (u32, u64)) -> Option<&Entry> {
        if !self.young.entries.contains_key(&key) {
            let entry = self.old.remove(key)?;
            self.put(key, entry);
        }
        self.young.entries.get(&key)
    }
}

impl Weigh for Decoded {
    fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_reused_and_bounded() {
        let memory = CacheMemory::new(1 << 20);
        let caches = Arc::new(DecodeCaches::new(&memory));
        DecodeCache::of(&caches).put(1, 2, b"x", Kind::Blob, 1);
        let mut out = Vec::new();
        assert_eq!(DecodeCache::of(&caches).get(1, 2, &mut out), Some((Kind::Blob, 1)));
        assert_eq!((out.as_slice(), memory.bytes()), (&b"x"[..], 1 + ENTRY_BYTES));
        for offset in 0..10_000 {
            DecodeCache::of(&caches).put(1, offset, &[0; 1000], Kind::Blob, 1);
        }
        assert!(memory.bytes() <= BYTES_MIN, "{}", memory.bytes());
        let used = [DecodeCache::of(&caches), DecodeCache::of(&caches), DecodeCache::of(&caches)];
        assert_eq!(memory.bytes(), 3 * BYTES_MIN);
        drop(used);
        drop(caches);
        assert_eq!(memory.bytes(), 0);
    }

    #[test]
    fn recently_used_objects_stay() {
        let mut decoded = Decoded { bytes_max: 100 * (100 + ENTRY_BYTES), ..Decoded::default() };
        let entry = || Entry { data: vec![0; 100].into(), kind: Kind::Tree, compressed_size: 1 };
        for offset in 0..1000 {
            decoded.put((1, offset), entry());
            assert!(decoded.get((1, 0)).is_some());
            assert!(decoded.bytes() <= decoded.bytes_max);
        }
        assert!(decoded.get((1, 999)).is_some() && decoded.get((1, 1)).is_none());
        decoded.limit(10);
        assert_eq!(decoded.bytes(), 0);
    }
}

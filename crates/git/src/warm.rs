//! Decoded objects that are kept from one request to the next.
//!
//! A small fetch reads few objects, but resolves long chains of deltas for them; with what the request before it
//! decoded, it is several times faster.
//!
//! **Invariant:** the memory is bounded for the whole process, however many repositories there are.

use std::sync::{Mutex, PoisonError};

use gix::{
    objs::Kind,
    odb::pack::cache::{DecodeEntry, lru::MemoryCappedHashmap},
};

/// The memory that one reader keeps decoded objects in to resolve deltas, in bytes.
const CACHE_BYTES: usize = 16 << 20;

/// The number of caches that are kept for one repository, at most.
const OF_ONE_MAX: usize = 2;

/// The number of caches that are kept in all, at most.
const ALL_MAX: usize = 4;

/// The caches that no reader uses, with the numbers of their repositories; the one that was used last is last.
static KEPT: Mutex<Vec<(u64, MemoryCappedHashmap)>> = Mutex::new(Vec::new());

/// A cache in use; it is kept for the next reader of the repository when it is dropped.
pub(crate) struct Cache {
    /// Nothing if the cache is not kept.
    repository: Option<u64>,
    decoded: Option<MemoryCappedHashmap>,
}

impl Cache {
    /// Takes a cache of a repository, or makes one.
    pub(crate) fn of(repository: u64) -> Self {
        let mut caches = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let found = caches.iter().rposition(|(owner, _)| *owner == repository);
        let decoded = found.map_or_else(|| MemoryCappedHashmap::new(CACHE_BYTES), |at| caches.remove(at).1);
        Self { repository: Some(repository), decoded: Some(decoded) }
    }

    /// Makes a cache that is not kept.
    pub(crate) fn alone() -> Self {
        Self { repository: None, decoded: Some(MemoryCappedHashmap::new(CACHE_BYTES)) }
    }
}

impl DecodeEntry for Cache {
    fn put(&mut self, pack: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        if let Some(decoded) = &mut self.decoded {
            decoded.put(pack, offset, data, kind, compressed_size);
        }
    }

    fn get(&mut self, pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        self.decoded.as_mut()?.get(pack, offset, out)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let (Some(repository), Some(decoded)) = (self.repository, self.decoded.take()) else { return };
        let mut caches = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = caches.iter().filter(|(owner, _)| *owner == repository).count();
        let surplus = if of_one >= OF_ONE_MAX {
            caches.iter().position(|(owner, _)| *owner == repository)
        } else {
            (caches.len() >= ALL_MAX).then_some(0)
        };
        let surplus = surplus.map(|at| caches.remove(at));
        caches.push((repository, decoded));
        drop(caches);
        // It is many small allocations, so nobody has to wait for it.
        drop(surplus);
    }
}

/// Forgets the caches of a repository.
pub(crate) fn forget(repository: u64) {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).retain(|(owner, _)| *owner != repository);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_come_back_warm_and_are_bounded() {
        let mine = u64::MAX;
        Cache::of(mine).put(1, 2, b"x", Kind::Blob, 1);
        assert!(Cache::of(mine).get(1, 2, &mut Vec::new()).is_some());
        drop((Cache::of(mine), Cache::of(mine), Cache::of(mine)));
        let count = || KEPT.lock().expect("no test panics with it").iter().filter(|it| it.0 == mine).count();
        assert!(count() <= OF_ONE_MAX);
        forget(mine);
        assert_eq!(count(), 0);
    }
}

//! Cached values by key, in the memory that all caches share.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use git::{CacheMemory, Slot, Weigh};
use parking_lot::Mutex;

/// Number of slots from which empty ones are removed.
const PRUNED_FROM: usize = 1_024;

/// Slots for values of one kind.
pub(crate) struct Slots<K, T> {
    memory: CacheMemory,
    map: Mutex<Map<K, T>>,
}

struct Map<K, T> {
    by_key: HashMap<K, Arc<Slot<T>>>,
    /// Number of slots at which empty ones are removed next.
    pruned_at: usize,
}

impl<K: Hash + Eq, T: Weigh> Slots<K, T> {
    pub(crate) fn new(memory: &CacheMemory) -> Self {
        let map = Map { by_key: HashMap::new(), pruned_at: PRUNED_FROM };
        Self { memory: memory.clone(), map: Mutex::new(map) }
    }

    /// Returns the slot of a key, creating an empty one if there is none.
    pub(crate) fn slot(&self, key: K) -> Arc<Slot<T>> {
        let mut map = self.map.lock();
        if let Some(slot) = map.by_key.get(&key) {
            return Arc::clone(slot);
        }
        if map.by_key.len() >= map.pruned_at {
            // A slot with another owner is about to be filled.
            map.by_key.retain(|_, slot| !slot.is_empty() || Arc::strong_count(slot) > 1);
            map.pruned_at = PRUNED_FROM.max(2 * map.by_key.len());
        }
        let slot = Arc::new(Slot::new(&self.memory));
        map.by_key.insert(key, Arc::clone(&slot));
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Small;

    impl Weigh for Small {
        fn bytes(&self) -> usize {
            1
        }
    }

    #[test]
    fn slots_of_evicted_values_are_removed() {
        let memory = CacheMemory::new(10);
        let slots = Slots::new(&memory);
        for key in 0..10 * PRUNED_FROM {
            slots.slot(key).set(Small);
        }
        let last = slots.slot(10 * PRUNED_FROM - 1);
        assert!(!last.is_empty() && slots.slot(0).is_empty());
        assert!(slots.map.lock().by_key.len() <= PRUNED_FROM + 1);
    }
}

//! Memory shared by caches.
//!
//! Each cached value has a weight in bytes. When all values together weigh more than the maximum, the least recently used
//! ones are evicted, of any kind and any repository. A value that is in use when it is evicted is freed when that use ends.
//!
//! **Invariant:** cached values and reservations together weigh at most the maximum, unless the reservations alone weigh more.

use std::{
    collections::HashMap,
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard};

/// The memory of all caches; cheap to clone.
#[derive(Clone)]
pub struct CacheMemory(Arc<Shared>);

struct Shared {
    bytes_max: usize,
    /// Advances whenever a value is added or evicted.
    clock: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<u64, Arc<dyn Held>>,
    /// The weight of all cached values.
    bytes: usize,
    reserved: usize,
    /// The number of the next value.
    next: u64,
    /// The moment of the last eviction of idle values.
    released: u64,
}

/// A value that can be cached: its memory is known.
pub trait Weigh: Send + Sync + 'static {
    /// Returns the memory of the value, in bytes.
    fn bytes(&self) -> usize;
}

/// A cached value of any kind.
trait Held: Send + Sync {
    fn bytes(&self) -> usize;
    fn used(&self) -> u64;
}

/// A value that is in the cache or was evicted.
pub struct Cached<T> {
    number: u64,
    bytes: usize,
    used: AtomicU64,
    value: T,
}

impl<T> Deref for Cached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Cached<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Cached<T> {
    /// Wraps a value that is not cached.
    pub(crate) fn alone(value: T) -> Self {
        Self { number: 0, bytes: 0, used: AtomicU64::new(0), value }
    }

    pub(crate) fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Weigh> Held for Cached<T> {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl CacheMemory {
    /// The default maximum.
    pub const BYTES_MAX: usize = 128 << 20;

    /// Creates memory for values of `bytes_max` bytes in total.
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Shared { bytes_max, clock: AtomicU64::new(1), state: Mutex::default() }))
    }

    /// Returns the bytes of cached values and reservations.
    pub fn bytes(&self) -> usize {
        let state = self.state();
        state.bytes + state.reserved
    }

    /// Evicts the values that were not used since the last call.
    pub fn release_idle(&self) {
        let mut state = self.state();
        let last = std::mem::replace(&mut state.released, self.moment());
        let idle: Vec<_> =
            state.kept.iter().filter(|(_, held)| held.used() <= last).map(|(number, _)| *number).collect();
        let idle: Vec<_> = idle.into_iter().map(|number| state.remove(number)).collect();
        drop(state);
        // Values may own slots, which lock the state when they are dropped.
        drop(idle);
    }

    /// Reserves memory for a cache of one user: between `bytes_min` and `bytes_max`, less if more is already reserved.
    pub(crate) fn reserve(&self, bytes_min: usize, bytes_max: usize) -> Reservation {
        let mut state = self.state();
        let free = (self.0.bytes_max / 2).saturating_sub(state.reserved);
        let bytes = (free / 4).clamp(bytes_min, bytes_max);
        state.reserved += bytes;
        let surplus = state.make_room(self.0.bytes_max);
        drop(state);
        drop(surplus);
        Reservation { memory: self.clone(), bytes }
    }

    /// Caches a value, unless it weighs more than the maximum.
    fn keep<T: Weigh>(&self, value: T) -> Arc<Cached<T>> {
        let bytes = value.bytes();
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        let cached = Arc::new(Cached { number, bytes, used: AtomicU64::new(self.moment()), value });
        let mut surplus = Vec::new();
        if bytes <= self.0.bytes_max {
            state.bytes += bytes;
            state.kept.insert(number, Arc::<Cached<T>>::clone(&cached));
            surplus = state.make_room(self.0.bytes_max);
        }
        drop(state);
        drop(surplus);
        cached
    }

    fn remove(&self, number: u64) {
        let removed = self.state().remove(number);
        drop(removed);
    }

    /// Returns a moment later than all uses so far and earlier than all later ones.
    fn moment(&self) -> u64 {
        self.0.clock.fetch_add(2, Ordering::Relaxed) + 1
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }
}

impl Default for CacheMemory {
    fn default() -> Self {
        Self::new(Self::BYTES_MAX)
    }
}

impl fmt::Debug for CacheMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CacheMemory").field("bytes_max", &self.0.bytes_max).finish_non_exhaustive()
    }
}

impl State {
    fn remove(&mut self, number: u64) -> Option<Arc<dyn Held>> {
        let held = self.kept.remove(&number)?;
        self.bytes -= held.bytes();
        Some(held)
    }

    /// Removes the least recently used values until the rest is within the maximum; the caller drops them without the lock.
    fn make_room(&mut self, bytes_max: usize) -> Vec<Option<Arc<dyn Held>>> {
        let mut surplus = Vec::new();
        while self.bytes + self.reserved > bytes_max {
            let oldest =
                self.kept.iter().min_by_key(|(number, held)| (held.used(), **number)).map(|(number, _)| *number);
            let Some(oldest) = oldest else { break };
            surplus.push(self.remove(oldest));
        }
        surplus
    }
}

/// Reserved memory; dropping it ends the reservation.
pub(crate) struct Reservation {
    memory: CacheMemory,
    bytes: usize,
}

impl Reservation {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn memory(&self) -> &CacheMemory {
        &self.memory
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.state().reserved -= self.bytes;
    }
}

/// A slot for one value that can be computed again; it is emptied when other values need the memory.
pub struct Slot<T> {
    memory: CacheMemory,
    cached: Mutex<Weak<Cached<T>>>,
    /// Locked while the value is computed, so that it is computed once.
    making: Mutex<()>,
}

impl<T: Weigh> Slot<T> {
    /// Creates an empty slot.
    pub fn new(memory: &CacheMemory) -> Self {
        Self { memory: memory.clone(), cached: Mutex::default(), making: Mutex::default() }
    }

    /// Returns the memory of the slot.
    pub(crate) fn memory(&self) -> &CacheMemory {
        &self.memory
    }

    /// Returns the value; this is a use of it.
    pub fn get(&self) -> Option<Arc<Cached<T>>> {
        let cached = self.cached.lock().upgrade()?;
        let now = self.memory.0.clock.load(Ordering::Relaxed);
        if cached.used.load(Ordering::Relaxed) != now {
            cached.used.store(now, Ordering::Relaxed);
        }
        Some(cached)
    }

    /// Returns whether the slot has a value; this is not a use of it.
    pub fn is_empty(&self) -> bool {
        self.cached.lock().strong_count() == 0
    }

    /// Replaces the value.
    pub fn set(&self, value: T) -> Arc<Cached<T>> {
        let cached = self.memory.keep(value);
        let before = std::mem::replace(&mut *self.cached.lock(), Arc::downgrade(&cached));
        if let Some(before) = before.upgrade() {
            self.memory.remove(before.number);
        }
        cached
    }

    /// Returns the value, and computes it if there is none; other callers wait for it. `None` if it cannot be computed.
    pub fn get_or_make(&self, make: impl FnOnce() -> Option<T>) -> Option<Arc<Cached<T>>> {
        if let Some(known) = self.get() {
            return Some(known);
        }
        let _making = self.making.lock();
        self.get().or_else(|| Some(self.set(make()?)))
    }

    /// Takes the value out, unless it is in use elsewhere.
    pub fn take(&self) -> Option<T> {
        let cached = std::mem::take(&mut *self.cached.lock()).upgrade()?;
        self.memory.remove(cached.number);
        Arc::into_inner(cached).map(|cached| cached.value)
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if let Some(cached) = self.cached.lock().upgrade() {
            self.memory.remove(cached.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(usize);

    impl Weigh for Bytes {
        fn bytes(&self) -> usize {
            self.0
        }
    }

    fn slots(memory: &CacheMemory, bytes: &[usize]) -> Vec<Slot<Bytes>> {
        let filled = |bytes: &usize| {
            let slot = Slot::new(memory);
            slot.set(Bytes(*bytes));
            slot
        };
        bytes.iter().map(filled).collect()
    }

    fn full(slots: &[Slot<Bytes>]) -> Vec<bool> {
        slots.iter().map(|slot| !slot.is_empty()).collect()
    }

    #[test]
    fn what_was_used_least_recently_goes_first() {
        let memory = CacheMemory::new(100);
        let slots = slots(&memory, &[40, 30, 30]);
        assert_eq!(memory.bytes(), 100);
        assert_eq!(slots[0].get().map(|value| value.0), Some(40));
        let late = Slot::new(&memory);
        late.set(Bytes(50));
        assert_eq!((full(&slots), memory.bytes()), (vec![true, false, false], 90));
        // A value that weighs more than the maximum is not cached.
        late.set(Bytes(101));
        assert_eq!((late.is_empty(), memory.bytes()), (true, 40));
        drop(slots);
        assert_eq!(memory.bytes(), 0);
    }

    #[test]
    fn what_is_idle_is_released() {
        let memory = CacheMemory::new(100);
        let slots = slots(&memory, &[10, 20]);
        memory.release_idle();
        assert_eq!(full(&slots), [true, true]);
        drop(slots[1].get());
        memory.release_idle();
        assert_eq!((full(&slots), memory.bytes()), (vec![false, true], 20));
        memory.release_idle();
        assert_eq!((full(&slots), memory.bytes()), (vec![false, false], 0));
    }

    #[test]
    fn reservations_take_the_place_of_values_and_shrink() {
        let memory = CacheMemory::new(800);
        let slots = slots(&memory, &[400, 400]);
        let reserved: Vec<_> = (0..4).map(|_| memory.reserve(10, 1000)).collect();
        assert_eq!(reserved.iter().map(Reservation::bytes).collect::<Vec<_>>(), [100, 75, 56, 42]);
        assert_eq!(full(&slots), [false, true]);
        assert!((0..100).all(|_| memory.reserve(10, 1000).bytes() == 31));
        drop(reserved);
        assert_eq!(memory.bytes(), 400);
    }

    #[test]
    fn a_value_is_made_once_and_can_be_taken() {
        let memory = CacheMemory::new(100);
        let slot = Slot::new(&memory);
        assert!(slot.get_or_make(|| None).is_none());
        let made = slot.get_or_make(|| Some(Bytes(7))).expect("the closure returns a value");
        assert_eq!(slot.get_or_make(|| None).map(|value| value.0), Some(7));
        // A value in use elsewhere is not taken out, but is no longer cached.
        assert!(slot.take().is_none());
        drop(made);
        slot.set(Bytes(8));
        assert_eq!((slot.take().map(|value| value.0), memory.bytes()), (Some(8), 0));
    }
}

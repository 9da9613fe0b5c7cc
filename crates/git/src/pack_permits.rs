//! Limit to the number of packs that are written at once.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Permits to write packs, shared by all repositories; cheap to clone. Requests beyond the limit wait.
#[derive(Debug, Clone)]
pub struct PackPermits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    freed: Condvar,
}

impl PackPermits {
    /// Creates `count` permits, at least one.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Shared { free: Mutex::new(count.max(1)), freed: Condvar::new() }))
    }

    /// Waits for a permit.
    pub(crate) fn acquire(&self) -> PackPermit {
        let mut free = self.0.free.lock();
        self.0.freed.wait_while(&mut free, |free| *free == 0);
        *free -= 1;
        PackPermit(Arc::clone(&self.0))
    }
}

impl Default for PackPermits {
    /// One permit for each processor.
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

/// A permit to write one pack; dropping it releases it.
pub(crate) struct PackPermit(Arc<Shared>);

impl Drop for PackPermit {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn permits_are_limited() {
        let pack_permits = PackPermits::new(2);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let permit = pack_permits.acquire();
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                });
            }
        });
        assert!((1..=2).contains(&most.into_inner()));
    }
}

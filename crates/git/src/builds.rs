//! How many packs are made at once.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Lets so many requests make a pack at once, others wait; cheap to clone, for all repositories together.
#[derive(Debug, Clone)]
pub struct Builds(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Builds {
    /// Lets `count` packs be made at once, and at least one.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Shared { free: Mutex::new(count.max(1)), freed: Condvar::new() }))
    }

    /// Waits for its turn.
    pub(crate) fn begin(&self) -> Build {
        let mut free = self.0.free.lock();
        self.0.freed.wait_while(&mut free, |free| *free == 0);
        *free -= 1;
        Build(Arc::clone(&self.0))
    }
}

impl Default for Builds {
    /// As many as there are processors.
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

/// The right to make a pack; given back on drop.
pub(crate) struct Build(Arc<Shared>);

impl Drop for Build {
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
    fn no_more_than_so_many_at_once() {
        let builds = Builds::new(2);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let build = builds.begin();
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        drop(build);
                    }
                });
            }
        });
        assert!((1..=2).contains(&most.into_inner()));
    }
}

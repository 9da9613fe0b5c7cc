//! The lock between writers, whose new objects no reference reaches yet, and the removal of unreachable objects.
//!
//! A push stores its objects, checks that everything they refer to exists, and only then moves references. Between
//! these steps no unreachable object may be removed.
//!
//! **Invariant:** an [`ObjectsInUse`] and a [`PruneGuard`] never exist at the same time.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// The lock of one repository.
#[derive(Default)]
pub(crate) struct GcLock {
    holders: Mutex<Holders>,
    prune_ended: Condvar,
}

#[derive(Default)]
struct Holders {
    users: usize,
    is_pruning: bool,
}

/// Prevents the removal of objects from the repository while it exists.
///
/// A writer creates it before it looks up the objects that it depends on, and drops it after the references have moved.
pub struct ObjectsInUse(Arc<GcLock>);

/// The right to remove unreachable objects: while it exists, no writer depends on any.
pub(crate) struct PruneGuard(Arc<GcLock>);

impl GcLock {
    /// Marks the objects as in use; waits while a [`PruneGuard`] exists, which is for a moment only.
    pub(crate) fn use_objects(self: &Arc<Self>) -> ObjectsInUse {
        let mut holders = self.lock();
        while holders.is_pruning {
            self.prune_ended.wait(&mut holders);
        }
        holders.users += 1;
        ObjectsInUse(Arc::clone(self))
    }

    /// Returns the right to remove objects, unless they are in use or another thread has the right.
    pub(crate) fn try_prune(self: &Arc<Self>) -> Option<PruneGuard> {
        let mut holders = self.lock();
        if holders.users > 0 || holders.is_pruning {
            return None;
        }
        holders.is_pruning = true;
        Some(PruneGuard(Arc::clone(self)))
    }

    fn lock(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock()
    }
}

impl Drop for ObjectsInUse {
    fn drop(&mut self) {
        self.0.lock().users -= 1;
    }
}

impl Drop for PruneGuard {
    fn drop(&mut self) {
        self.0.lock().is_pruning = false;
        self.0.prune_ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_a_prune_exclude_each_other() {
        let lock = Arc::new(GcLock::default());
        let (first, second) = (lock.use_objects(), lock.use_objects());
        drop(first);
        assert!(lock.try_prune().is_none());
        drop(second);
        let guard = lock.try_prune().expect("no object is in use");
        assert!(lock.try_prune().is_none());
        std::thread::scope(|scope| {
            let user = scope.spawn(|| lock.use_objects());
            drop(guard);
            assert!(lock.try_prune().is_none() || !user.is_finished());
            drop(user.join());
        });
    }
}

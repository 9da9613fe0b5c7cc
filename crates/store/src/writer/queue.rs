//! Changes that wait for the connection, the oldest first.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::{Error, Transaction};

/// A change that waits for its commit.
pub(super) trait Change: Send + Sync {
    /// Runs it in a savepoint.
    fn run(&self, transaction: &Transaction);

    /// Sets its result after the commit, or after the failure of the commit, and wakes its task or thread.
    fn answer(&self, committed: &Result<(), Arc<Error>>);

    /// Wakes its task or thread, which then takes the connection.
    fn wake(&self);

    /// Tells what waits for the answer; nothing before the first look at it, and while what was woken has not looked again.
    fn waiter(&self) -> Option<WaiterKind>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WaiterKind {
    Task,
    Thread,
}

#[derive(Default)]
pub(super) struct Queue(Mutex<VecDeque<Arc<dyn Change>>>);

impl Queue {
    pub(super) fn push(&self, change: Arc<dyn Change>) {
        self.lock().push_back(change);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes the oldest changes.
    pub(super) fn take(&self, count_max: usize) -> Vec<Arc<dyn Change>> {
        let mut queue = self.lock();
        let count = queue.len().min(count_max);
        queue.drain(..count).collect()
    }

    /// Wakes one of the tasks and threads that wait; returns whether there is one.
    ///
    /// A blocked thread comes before a task: the task may need that very thread to run on.
    pub(super) fn wake_one(&self) -> bool {
        let queue = self.lock();
        let first = |kind| queue.iter().find(|change| change.waiter() == Some(kind));
        let next = first(WaiterKind::Thread).or_else(|| first(WaiterKind::Task));
        next.inspect(|change| change.wake()).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<dyn Change>>> {
        self.0.lock()
    }
}

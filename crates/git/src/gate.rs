//! Who may rely on objects that no reference leads to.
//!
//! A push takes objects in, finds that what they name is there, and only then moves references. In between
//! nothing may go that no reference leads to yet.
//!
//! **Invariant:** while there is a [`Hold`] there is no [`Exclusive`], and the other way round.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What a repository keeps of its holds.
#[derive(Default)]
pub(crate) struct Gate {
    holders: Mutex<Holders>,
    opened: Condvar,
}

#[derive(Default)]
struct Holders {
    shared: usize,
    exclusive: bool,
}

/// While it lives, no object is removed from the repository.
///
/// It is taken before what a write relies on is looked up, and let go when the references have moved.
pub struct Hold(Arc<Gate>);

/// While it lives, nobody relies on objects that no reference leads to.
pub(crate) struct Exclusive(Arc<Gate>);

impl Gate {
    /// Takes a hold; waits for as long as somebody is exclusive, which is a moment.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        let mut holders = self.lock();
        while holders.exclusive {
            holders = self.opened.wait(holders).unwrap_or_else(PoisonError::into_inner);
        }
        holders.shared += 1;
        Hold(Arc::clone(self))
    }

    /// Becomes exclusive if there is no hold.
    pub(crate) fn try_exclusive(self: &Arc<Self>) -> Option<Exclusive> {
        let mut holders = self.lock();
        if holders.shared > 0 || holders.exclusive {
            return None;
        }
        holders.exclusive = true;
        Some(Exclusive(Arc::clone(self)))
    }

    fn lock(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.lock().shared -= 1;
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        self.0.lock().exclusive = false;
        self.0.opened.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_and_the_exclusive_one_shut_each_other_out() {
        let gate = Arc::new(Gate::default());
        let (one, other) = (gate.hold(), gate.hold());
        drop(one);
        assert!(gate.try_exclusive().is_none());
        drop(other);
        let exclusive = gate.try_exclusive().expect("nobody holds");
        assert!(gate.try_exclusive().is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.hold());
            drop(exclusive);
            assert!(gate.try_exclusive().is_none() || !waiting.is_finished());
            drop(waiting.join());
        });
    }
}

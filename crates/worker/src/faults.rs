//! Panics that tests order, so that each kind of background work can be seen to go on after one.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::Duration;

use crate::{Error, Stop, Work};

thread_local! {
    static IS_ORDERED: Cell<bool> = const { Cell::new(false) };
}

/// An order for the workers that this thread starts while the value lives: their first rounds panic.
pub struct FirstRoundsPanic {
    /// It stays on the thread that made it.
    _thread: PhantomData<*const ()>,
}

/// Orders that the first rounds panic of the workers that this thread starts from now on.
pub fn first_rounds_panic() -> FirstRoundsPanic {
    IS_ORDERED.set(true);
    FirstRoundsPanic { _thread: PhantomData }
}

impl Drop for FirstRoundsPanic {
    fn drop(&mut self) {
        IS_ORDERED.set(false);
    }
}

/// Work whose first round panics if that was ordered.
pub(crate) struct Faulty<W> {
    work: W,
    panics: bool,
}

impl<W> Faulty<W> {
    /// Wraps work that this thread starts.
    pub(crate) fn new(work: W) -> Self {
        Self { work, panics: IS_ORDERED.get() }
    }
}

impl<W: Work> Work for Faulty<W> {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error> {
        assert!(!std::mem::take(&mut self.panics), "a test ordered this panic");
        self.work.round(stop)
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.work.finish()
    }
}

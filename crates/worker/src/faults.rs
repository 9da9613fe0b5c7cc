//! Panics injected by tests, to check that each kind of background work continues after one.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::Duration;

use crate::{Error, Stop, Work};

thread_local! {
    static IS_ACTIVE: Cell<bool> = const { Cell::new(false) };
}

/// While this value exists, the first round of each worker that this thread starts panics.
pub struct FirstRoundsPanic {
    /// Keeps the value on its thread.
    _thread: PhantomData<*const ()>,
}

/// Makes the first round of each worker that this thread starts panic.
pub fn first_rounds_panic() -> FirstRoundsPanic {
    IS_ACTIVE.set(true);
    FirstRoundsPanic { _thread: PhantomData }
}

impl Drop for FirstRoundsPanic {
    fn drop(&mut self) {
        IS_ACTIVE.set(false);
    }
}

/// Work whose first round panics if a test requires it.
pub(crate) struct Faulty<W> {
    work: W,
    panics: bool,
}

impl<W> Faulty<W> {
    /// Wraps the work of a worker that this thread starts.
    pub(crate) fn new(work: W) -> Self {
        Self { work, panics: IS_ACTIVE.get() }
    }
}

impl<W: Work> Work for Faulty<W> {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error> {
        assert!(!std::mem::take(&mut self.panics), "a test injected this panic");
        self.work.round(stop)
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.work.finish()
    }
}

//! Checkpoints of the database, in a worker, so that no call waits for their writes and syncs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use store::Store;
use worker::{Error, Stop, Waker, Work, Worker};

struct Checkpoints(Arc<Store>);

/// Starts the worker that makes checkpoints when they are due.
pub(crate) fn start(store: Arc<Store>) -> io::Result<Worker> {
    let waker = Waker::default();
    let wake = waker.clone();
    store.checkpoint_in_background(move || wake.wake()).map_err(io::Error::other)?;
    Worker::start("checkpoints", waker, Checkpoints(store))
}

impl Work for Checkpoints {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        self.0.checkpoint()?;
        Ok(None)
    }
}

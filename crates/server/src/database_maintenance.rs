//! Maintenance of the database, in a worker, so that no call waits for it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use store::Store;
use worker::{Error, Stop, Waker, Work, Worker};

struct DatabaseMaintenance(Arc<Store>);

/// Starts the worker that maintains the database when it is due.
pub(crate) fn start(store: Arc<Store>) -> io::Result<Worker> {
    let waker = Waker::default();
    let wake = waker.clone();
    store.maintain_in_background(move || wake.wake()).map_err(io::Error::other)?;
    Worker::start("database", waker, DatabaseMaintenance(store))
}

impl Work for DatabaseMaintenance {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        self.0.maintain()?;
        Ok(None)
    }
}

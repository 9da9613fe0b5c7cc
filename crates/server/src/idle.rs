//! Release of memory and files that were not used for a while.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use codecommit::CodeCommit;
use worker::{Error, Stop, Waker, Work, Worker};

/// Rounds that release what nobody used since the round before.
struct Idle {
    codecommit: Arc<CodeCommit>,
    interval: Duration,
}

/// Starts the worker that releases what was not used for `time`, or for a little less than that.
pub(crate) fn start(codecommit: Arc<CodeCommit>, time: Duration) -> io::Result<Worker> {
    Worker::start("idle", Waker::default(), Idle { codecommit, interval: time / 2 })
}

impl Work for Idle {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        self.codecommit.release_idle();
        Ok(Some(self.interval))
    }
}

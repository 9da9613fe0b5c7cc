//! Eviction of idle caches: releases memory and files that were not used for a while.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use codecommit::CodeCommit;
use worker::{Error, Stop, Waker, Work, Worker};

/// Releases in each round what was not used since the round before.
struct Eviction {
    codecommit: Arc<CodeCommit>,
    interval: Duration,
}

/// Starts the worker that releases what was idle for `idle_time`, or for up to half as long again.
pub(crate) fn start(codecommit: Arc<CodeCommit>, idle_time: Duration) -> io::Result<Worker> {
    Worker::start("idle", Waker::default(), Eviction { codecommit, interval: idle_time / 2 })
}

impl Work for Eviction {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        self.codecommit.release_idle();
        Ok(Some(self.interval))
    }
}

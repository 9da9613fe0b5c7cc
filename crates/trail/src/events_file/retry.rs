//! Records that a full disk did not take: they are tried again until the file has them, whether anybody calls or not.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use worker::{Error, Stop, Work, Worker};

use super::EventsFile;

/// The time from one attempt to the next.
const INTERVAL: Duration = Duration::from_millis(200);

/// Rounds that append what waits.
struct Retry(Arc<EventsFile>);

/// Starts the worker that appends what waits; the file wakes it.
pub(crate) fn start(events: &Arc<EventsFile>) -> io::Result<Worker> {
    Worker::start("trail-events", events.waker.clone(), Retry(Arc::clone(events)))
}

impl Work for Retry {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        // What fails was logged when it began to fail.
        let is_done = matches!(self.0.write_pending(), Ok(0));
        Ok((!is_done).then_some(INTERVAL))
    }

    /// What is left then is appended when the trail is opened next.
    fn finish(&mut self) -> Result<(), Error> {
        self.0.write_pending()?;
        Ok(())
    }
}

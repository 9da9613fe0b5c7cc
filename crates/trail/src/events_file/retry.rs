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

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use std::fs::{self, File};
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use worker::Waker;

    use super::*;
    use crate::events_file::Open;

    #[test]
    fn what_waits_is_appended_after_a_round_that_panicked() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("events.ndjson");
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let open = Mutex::new(Open { file: full, pending: Vec::new() });
        let events = EventsFile { path: path.clone(), open, is_full: AtomicBool::new(false), waker: Waker::default() };
        let events = Arc::new(events);
        events.append("a record\n");
        assert_eq!(events.lock().pending, b"a record\n");
        let order = worker::faults::first_rounds_panic();
        let worker = start(&events).expect("a thread can be made");
        drop(order);
        events.lock().file = File::create_new(&path).expect("the folder is writable");
        while fs::read(&path).expect("it is there") != b"a record\n" {
            thread::yield_now();
        }
        worker.stop();
        assert!(events.lock().pending.is_empty());
    }
}

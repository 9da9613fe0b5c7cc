//! The worker that appends the records that a full disk has not taken, once there is room.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use worker::{Error, Stop, Work, Worker};

use super::EventsFile;

/// Time between attempts.
const INTERVAL: Duration = Duration::from_millis(200);

/// The work of the worker.
struct Retry(Arc<EventsFile>);

/// Starts the worker; the file wakes it.
pub(crate) fn start(events: &Arc<EventsFile>) -> io::Result<Worker> {
    Worker::start("trail-events", events.waker.clone(), Retry(Arc::clone(events)))
}

impl Work for Retry {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        // The first failure was logged by the append.
        let is_done = matches!(self.0.write_pending(), Ok(0));
        Ok((!is_done).then_some(INTERVAL))
    }

    /// Tries once more; records that are still pending are appended when the trail is opened next.
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
    fn pending_records_are_appended_after_a_round_that_panicked() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let path = folder.path().join("events.ndjson");
        let full = File::options().write(true).open("/dev/full").expect("Linux has /dev/full");
        let open = Mutex::new(Open { file: full, pending: Vec::new() });
        let events = EventsFile { path: path.clone(), open, is_full: AtomicBool::new(false), waker: Waker::default() };
        let events = Arc::new(events);
        events.append(&["a record\n".to_owned()]);
        assert_eq!(events.lock().pending, b"a record\n");
        let order = worker::faults::first_rounds_panic();
        let worker = start(&events).expect("a thread can be started");
        drop(order);
        events.lock().file = File::create_new(&path).expect("the folder is writable");
        while fs::read(&path).expect("the file exists") != b"a record\n" {
            thread::park_timeout(Duration::from_millis(1));
        }
        worker.stop();
        assert!(events.lock().pending.is_empty());
    }
}

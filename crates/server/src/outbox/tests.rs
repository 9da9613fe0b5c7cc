use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use aws::{Clock, Timestamp};
use parking_lot::Mutex;
use worker::{Stop, Waker};

use cluster::Role;

use super::{DeliveryQueue, Outbox, RETRY_MAX, start};

/// A clock that stands still.
struct FixedClock(i64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }

    fn seed(&self) -> u128 {
        0
    }
}

/// A queue of due times, of which the first attempts panic.
struct TestQueue {
    entries: Mutex<Vec<i64>>,
    panics: Mutex<u32>,
    sent: Sender<i64>,
}

impl TestQueue {
    fn new(entries: &[i64], panics: u32) -> (Self, Receiver<i64>) {
        let (sent, receiver) = channel();
        (Self { entries: Mutex::new(entries.to_vec()), panics: Mutex::new(panics), sent }, receiver)
    }
}

impl DeliveryQueue for TestQueue {
    type Error = std::io::Error;

    fn next_due(&self) -> Result<Option<Timestamp>, Self::Error> {
        let entries = self.entries.lock();
        Ok(entries.first().copied().map(Timestamp::from_millis))
    }

    fn send(&self, due: Timestamp, _stop: &Stop) -> Result<(), Self::Error> {
        let mut panics = self.panics.lock();
        if let Some(rest) = panics.checked_sub(1) {
            *panics = rest;
            drop(panics);
            panic!("an attempt of the test panics");
        }
        self.entries.lock().remove(0);
        self.sent.send(due.millis()).expect("the test holds the receiver");
        Ok(())
    }
}

#[test]
fn entries_are_sent_after_an_attempt_that_panicked() {
    let (queue, sent) = TestQueue::new(&[0, 0, 7], 1);
    let outbox = start("test", Waker::default(), Arc::new(FixedClock(1_000)), &Role::always(), queue)
        .expect("a thread can be started");
    assert_eq!([(); 3].map(|()| sent.recv().expect("the outbox runs")), [0, 0, 7]);
    drop(outbox);
}

#[test]
fn a_retry_waits_for_its_time_unless_the_clock_was_set_back() {
    let (queue, _sent) = TestQueue::new(&[], 0);
    let outbox = Outbox { clock: Arc::new(FixedClock(1_000_000)), queue };
    let delay = |due| outbox.delay(Timestamp::from_millis(due));
    assert_eq!([delay(0), delay(999_999), delay(1_000_000)], [Duration::ZERO; 3]);
    assert_eq!(delay(1_004_000), Duration::from_secs(4));
    let longest = i64::try_from(RETRY_MAX.as_millis()).expect("a few minutes fit");
    assert_eq!(delay(1_000_000 + longest), RETRY_MAX);
    assert_eq!(delay(1_000_001 + longest), Duration::ZERO);
}

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::{Clock, Timestamp};
use worker::{Stop, Waker};

use super::{Outbox, RETRY_MAX, Waiting, start};

/// Always tells the same time.
struct FixedClock(i64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }

    fn seed(&self) -> u128 {
        0
    }
}

/// Things that wait, by their due time; those that are told to make the first attempt panic.
struct Things {
    waiting: Mutex<Vec<i64>>,
    panics: Mutex<u32>,
    sent: Sender<i64>,
}

impl Things {
    fn new(waiting: &[i64], panics: u32) -> (Self, Receiver<i64>) {
        let (sent, seen) = channel();
        (Self { waiting: Mutex::new(waiting.to_vec()), panics: Mutex::new(panics), sent }, seen)
    }
}

impl Waiting for Things {
    type Error = std::io::Error;

    fn due(&self) -> Result<Option<Timestamp>, Self::Error> {
        Ok(self.waiting.lock().expect("it is not poisoned").first().copied().map(Timestamp::from_millis))
    }

    fn send(&self, due: Timestamp, _stop: &Stop) -> Result<(), Self::Error> {
        let mut panics = self.panics.lock().expect("it is not poisoned");
        if let Some(rest) = panics.checked_sub(1) {
            *panics = rest;
            drop(panics);
            panic!("an attempt of the test panics");
        }
        self.waiting.lock().expect("it is not poisoned").remove(0);
        self.sent.send(due.millis()).expect("the test listens");
        Ok(())
    }
}

#[test]
fn what_waits_is_sent_after_an_attempt_that_panicked() {
    let (things, seen) = Things::new(&[0, 0, 7], 1);
    let outbox = start("things", Waker::default(), Arc::new(FixedClock(1_000)), things).expect("a thread can be made");
    assert_eq!([(); 3].map(|()| seen.recv().expect("it is sent")), [0, 0, 7]);
    drop(outbox);
}

#[test]
fn a_retry_waits_for_its_time_unless_a_clock_that_went_back_set_it() {
    let (things, _seen) = Things::new(&[], 0);
    let outbox = Outbox { clock: Arc::new(FixedClock(1_000_000)), waiting: things };
    let wait = |due| outbox.wait(Timestamp::from_millis(due));
    assert_eq!([wait(0), wait(999_999), wait(1_000_000)], [Duration::ZERO; 3]);
    assert_eq!(wait(1_004_000), Duration::from_secs(4));
    let longest = i64::try_from(RETRY_MAX.as_millis()).expect("it is short");
    assert_eq!(wait(1_000_000 + longest), RETRY_MAX);
    assert_eq!(wait(1_000_001 + longest), Duration::ZERO);
}

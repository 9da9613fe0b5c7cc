use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;

use super::{FIRST_PAUSE, PAUSE_MAX, pause, run};
use crate::{Error, Stop, Waker, Work, Worker};

/// The outcome of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Panics,
    Fails,
    Works,
    Stops,
}

/// Runs scripted rounds and lists them.
struct Script {
    /// The remaining rounds, the next one first.
    rounds: VecDeque<Round>,
    waker: Waker,
    played: Arc<Mutex<Vec<&'static str>>>,
}

impl Script {
    fn note(&self, event: &'static str) {
        self.played.lock().push(event);
    }
}

impl Work for Script {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error> {
        assert!(!stop.is_set(), "no round begins after the stop");
        match self.rounds.pop_front() {
            Some(Round::Panics) => {
                self.note("panics");
                panic!("a round of the test panics");
            }
            Some(Round::Fails) => {
                self.note("fails");
                Err("a round of the test fails".into())
            }
            Some(Round::Works) => {
                self.note("works");
                Ok(Some(Duration::ZERO))
            }
            Some(Round::Stops) | None => {
                self.note("stops");
                self.waker.stop();
                Ok(None)
            }
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.note("finished");
        panic!("the end of the test panics");
    }
}

fn play(rounds: &[Round]) -> Vec<&'static str> {
    let (waker, played) = (Waker::default(), Arc::default());
    let script = Script { rounds: rounds.iter().copied().collect(), waker: waker.clone(), played: Arc::clone(&played) };
    run("script", &waker, script, Duration::ZERO);
    played.lock().clone()
}

#[test]
fn a_round_that_panics_or_fails_is_followed_by_the_next_one() {
    use Round::{Fails, Panics, Stops, Works};
    let played = play(&[Panics, Works, Fails, Fails, Panics, Works, Stops, Works]);
    assert_eq!(played, ["panics", "works", "fails", "fails", "panics", "works", "stops", "finished"]);
}

#[test]
fn pauses_double_up_to_a_bound() {
    let pauses = [0, 1, 2, 6, 7, 40].map(|failures| pause(FIRST_PAUSE, failures).as_millis());
    assert_eq!(pauses, [100, 200, 400, 6_400, 10_000, 10_000]);
    assert_eq!(pause(FIRST_PAUSE, u32::MAX), PAUSE_MAX);
}

/// Sends a message in each round, and waits for a wake after it.
struct Reporting {
    rounds: Sender<()>,
    panics: usize,
}

impl Work for Reporting {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        self.rounds.send(()).expect("the test holds the receiver");
        if self.panics > 0 {
            self.panics -= 1;
            panic!("a round of the test panics");
        }
        Ok(None)
    }
}

fn reporting(panics: usize) -> (Worker, Receiver<()>) {
    let (rounds, reports) = channel();
    (
        Worker::start("reporting", Waker::default(), Reporting { rounds, panics }).expect("a thread can be started"),
        reports,
    )
}

#[test]
fn a_worker_runs_at_once_and_after_each_wake() {
    let (worker, reports) = reporting(0);
    reports.recv().expect("the first round");
    for _ in 0..3 {
        worker.waker().wake();
        reports.recv().expect("each wake starts a round");
    }
    worker.stop();
    assert_eq!(reports.try_iter().count(), 0, "no round without a wake");
    assert!(reports.recv().is_err(), "the worker drops its work");
    worker.stop();
}

#[test]
fn a_wake_before_the_start_and_one_while_a_round_runs_are_not_lost() {
    let waker = Waker::default();
    waker.wake();
    let (rounds, reports) = channel();
    let work = Reporting { rounds, panics: 1 };
    let worker = Worker::start("reporting", waker, work).expect("a thread can be started");
    reports.recv().expect("the first round, which panics");
    worker.waker().wake();
    reports.recv().expect("the round after the panic");
    reports.recv().expect("the round for the wakes");
    drop(worker);
    assert!(reports.recv().is_err());
}

/// Work with a round that lasts until the stop.
struct Endless;

impl Work for Endless {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error> {
        while !stop.is_set() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Ok(None)
    }
}

#[test]
fn a_stop_ends_a_long_round_a_long_wait_and_a_long_pause() {
    drop(Worker::start("endless", Waker::default(), Endless));
    let (worker, reports) = reporting(0);
    reports.recv().expect("the first round");
    drop(worker);
    let waker = Waker::default();
    std::thread::scope(|scope| {
        let pausing = scope.spawn(|| waker.pause(Duration::MAX));
        waker.stop();
        pausing.join().expect("the pause does not panic");
    });
}

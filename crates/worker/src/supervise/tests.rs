use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;

use super::{FIRST_PAUSE, PAUSE_MAX, pause, run};
use crate::{Error, Stop, Waker, Work, Worker};

/// What one round does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Panics,
    Fails,
    Works,
    Stops,
}

/// Plays rounds in their order, and keeps a list of what ran.
struct Script {
    /// The rounds to come, the next one first.
    rounds: VecDeque<Round>,
    waker: Waker,
    played: Arc<Mutex<Vec<&'static str>>>,
}

impl Script {
    fn note(&self, what: &'static str) {
        self.played.lock().push(what);
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

/// Tells of each round, and waits for a wake after it.
struct Telling {
    rounds: Sender<()>,
    panics: usize,
}

impl Work for Telling {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        self.rounds.send(()).expect("the test listens");
        if self.panics > 0 {
            self.panics -= 1;
            panic!("a round of the test panics");
        }
        Ok(None)
    }
}

fn telling(panics: usize) -> (Worker, Receiver<()>) {
    let (rounds, told) = channel();
    (Worker::start("telling", Waker::default(), Telling { rounds, panics }).expect("a thread can be made"), told)
}

#[test]
fn a_worker_runs_at_once_and_whenever_it_is_woken() {
    let (worker, told) = telling(0);
    told.recv().expect("the first round");
    for _ in 0..3 {
        worker.waker().wake();
        told.recv().expect("a round for each wake that is waited for");
    }
    worker.stop();
    assert_eq!(told.try_iter().count(), 0, "no round without a wake");
    assert!(told.recv().is_err(), "the work is gone with the worker");
    worker.stop();
}

#[test]
fn a_wake_before_the_start_and_one_while_a_round_runs_are_not_lost() {
    let waker = Waker::default();
    waker.wake();
    let (rounds, told) = channel();
    let work = Telling { rounds, panics: 1 };
    let worker = Worker::start("telling", waker, work).expect("a thread can be made");
    told.recv().expect("the first round, which panics");
    worker.waker().wake();
    told.recv().expect("the round after the panic");
    told.recv().expect("the round for the wakes");
    drop(worker);
    assert!(told.recv().is_err());
}

/// A round that lasts until the worker is stopped.
struct Endless;

impl Work for Endless {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error> {
        while !stop.is_set() {
            std::thread::yield_now();
        }
        Ok(None)
    }
}

#[test]
fn a_stop_ends_a_long_round_a_long_wait_and_a_long_pause() {
    drop(Worker::start("endless", Waker::default(), Endless));
    let (worker, told) = telling(0);
    told.recv().expect("the first round");
    drop(worker);
    let waker = Waker::default();
    std::thread::scope(|scope| {
        let pausing = scope.spawn(|| waker.pause(Duration::MAX));
        waker.stop();
        pausing.join().expect("it does not panic");
    });
}

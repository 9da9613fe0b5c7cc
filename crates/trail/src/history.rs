//! Event history: what happened in an account and region, to be looked up by attribute and time.
//!
//! **Invariant:** a call's transaction indexes nothing. A thread indexes what was recorded, some hundred events at a time, and a
//! lookup first has the short rest indexed, so that it finds whatever was acknowledged before it.

mod attributes;
mod index;
mod lookup;
mod throttle;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store, Transaction};
use worker::{Stop, Waker, Work, Worker};

pub(crate) use self::index::forget;
pub(crate) use self::lookup::lookup_events;
pub(crate) use self::throttle::Throttle;

/// After how many events the thread indexes them, which bounds what a lookup has to wait for.
///
/// Each batch writes a page for each of its values, so that small ones write much more than what they hold.
const WAITING_MAX: usize = 512;

/// How many events are indexed in one transaction at most, which others wait for.
const BATCH: usize = 2_048;

/// How lookups behave.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookupSettings {
    /// How long it takes until an event can be looked up.
    pub delay: Duration,
    /// How many lookups a second are answered in each account and region; `None` is any number.
    pub per_second: Option<u32>,
}

/// The index of all events, shared by whoever looks up.
pub(crate) struct History {
    store: Arc<Store>,
    /// Whoever indexes has the turn.
    turn: Mutex<()>,
    /// Up to which `seq` events are indexed.
    indexed_seq: AtomicI64,
    /// How many of the next rounds panic.
    #[cfg(test)]
    panics: AtomicUsize,
}

/// Indexes in the background.
pub(crate) struct Indexer {
    history: Arc<History>,
    waiting: AtomicUsize,
    worker: Worker,
}

/// What the worker of the index does.
struct Rounds(Arc<History>);

impl History {
    /// Knows how far the index reaches; the tables are there.
    pub(crate) fn open(store: Arc<Store>) -> Result<Self, Error> {
        let indexed_seq = store.read(index::reaches)?;
        Ok(Self {
            store,
            turn: Mutex::default(),
            indexed_seq: AtomicI64::new(indexed_seq),
            #[cfg(test)]
            panics: AtomicUsize::new(0),
        })
    }

    /// Has everything indexed that is committed now.
    pub(crate) fn catch_up(&self) -> Result<(), Error> {
        let last_seq = self.store.read(|transaction: &Transaction| {
            transaction.query_one("SELECT seq FROM events ORDER BY seq DESC LIMIT 1", &[], |row| row.integer(0))
        })?;
        while self.indexed_seq.load(Ordering::Acquire) < last_seq.unwrap_or(0) {
            if !self.index_some()? {
                break;
            }
        }
        Ok(())
    }

    /// Keeps everyone from indexing for as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        // A panic of a holder does no harm: the lock guards nothing but the turn.
        self.turn.lock()
    }

    /// Empties the index; nothing is indexed meanwhile.
    pub(crate) fn clear(self: &Arc<Self>, transaction: &Transaction) -> Result<(), Error> {
        index::clear(transaction)?;
        let history = Arc::clone(self);
        transaction.after_commit(move || history.indexed_seq.store(0, Ordering::Release));
        Ok(())
    }

    #[cfg(test)]
    fn panic_if_told(&self) {
        let told = self.panics.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |panics| panics.checked_sub(1));
        assert!(told.is_err(), "a round of the test panics");
    }

    /// Indexes the next events; returns whether there were any.
    fn index_some(&self) -> Result<bool, Error> {
        let _turn = self.pause();
        #[cfg(test)]
        self.panic_if_told();
        let indexed_seq = self.indexed_seq.load(Ordering::Acquire);
        let Some(batch) = self.store.read(|transaction| index::Batch::read(transaction, indexed_seq, BATCH))? else {
            return Ok(false);
        };
        let last_seq = batch.last_seq;
        self.store.write(move |transaction| batch.write(transaction))?;
        self.indexed_seq.store(last_seq, Ordering::Release);
        Ok(true)
    }
}

impl Indexer {
    pub(crate) fn start(history: Arc<History>) -> io::Result<Self> {
        let rounds = Rounds(Arc::clone(&history));
        let worker = Worker::start("event-history", Waker::default(), rounds)?;
        Ok(Self { history, waiting: AtomicUsize::new(0), worker })
    }

    /// Returns what is indexed.
    pub(crate) const fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Notes that so many records wait; when they are many, they are indexed.
    pub(crate) fn count(&self, records: usize) {
        let before = self.waiting.fetch_add(records, Ordering::Relaxed);
        if before + records >= WAITING_MAX {
            self.waiting.store(0, Ordering::Relaxed);
            self.worker.waker().wake();
        }
    }

    /// Ends the worker; what is left then waits for the next start.
    pub(crate) fn stop(&self) {
        self.worker.stop();
    }
}

impl Work for Rounds {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        while !stop.is_set() && self.0.index_some()? {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests;

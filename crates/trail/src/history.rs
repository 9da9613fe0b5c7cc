//! Event history: lookup of the events of an account and region by attribute and time.
//!
//! **Invariant:** the transaction of a call indexes nothing. A worker indexes recorded events, some hundreds at a time, and a lookup first
//! has the rest indexed, so that it finds every event that was acknowledged before it.

mod attributes;
mod columns;
mod counts;
mod index;
mod lookup;
mod positions;
mod search;
mod statement;
mod throttle;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store, Transaction};
use worker::{Stop, Waker, Work, Worker};

pub use self::counts::{Dimension, HeatRow, Person, Selection, Series, Timeline};
pub(crate) use self::index::{forget, seqs_of_id};
pub(crate) use self::lookup::{SEARCH_MEMBERS, lookup_events, search_events};
pub(crate) use self::throttle::Throttle;

/// New events after which the worker indexes them, which bounds the wait of a lookup.
const WAITING_MAX: usize = 512;

/// Maximum number of events that are indexed in one transaction; other writes wait for it.
///
/// Each transaction writes a row for each of its values again, so smaller ones write much more than they contain.
const BATCH: usize = 128;

/// Settings of lookups.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookupSettings {
    /// Time until an event can be looked up.
    pub delay: Duration,
    /// Maximum number of lookups a second in each account and region; `None` sets no limit.
    pub per_second: Option<u32>,
}

/// The index of all events, shared by the worker and by lookups.
pub(crate) struct History {
    store: Arc<Store>,
    /// Only the holder of this lock indexes.
    turn: Mutex<()>,
    /// The `seq` of the last indexed event.
    indexed_seq: AtomicI64,
    /// The number of following rounds that panic, for tests.
    #[cfg(test)]
    panics: AtomicUsize,
}

/// The worker that indexes events.
pub(crate) struct Indexer {
    history: Arc<History>,
    /// The number of new events since the worker was woken.
    waiting: AtomicUsize,
    worker: Worker,
}

/// The work of the worker.
struct IndexWork(Arc<History>);

impl History {
    /// Opens the index in a store that has its tables.
    pub(crate) fn open(store: Arc<Store>) -> Result<Self, Error> {
        let indexed_seq = store.read(index::last_indexed)?;
        Ok(Self {
            store,
            turn: Mutex::default(),
            indexed_seq: AtomicI64::new(indexed_seq),
            #[cfg(test)]
            panics: AtomicUsize::new(0),
        })
    }

    /// Indexes all events that are committed now.
    pub(crate) fn catch_up(&self) -> Result<(), Error> {
        let last_seq = self.store.read(|transaction: &Transaction| {
            if self.store.is_remote() {
                // Another node may have indexed events, or removed all.
                self.indexed_seq.store(index::last_indexed(transaction)?, Ordering::Release);
            }
            transaction.query_one("SELECT seq FROM events ORDER BY seq DESC LIMIT 1", &[], |row| row.integer(0))
        })?;
        while self.indexed_seq.load(Ordering::Acquire) < last_seq.unwrap_or(0) {
            if self.index_some()? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Pauses indexing as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// Empties the index; the caller has paused indexing.
    pub(crate) fn clear(self: &Arc<Self>, transaction: &Transaction) -> Result<(), Error> {
        index::clear(transaction)?;
        let history = Arc::clone(self);
        transaction.after_commit(move || history.indexed_seq.store(0, Ordering::Release));
        Ok(())
    }

    #[cfg(test)]
    fn panic_if_set(&self) {
        let decreased = self.panics.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |panics| panics.checked_sub(1));
        assert!(decreased.is_err(), "a round of the test panics");
    }

    /// Indexes the next events, unless another node was faster; returns their number, at most [`BATCH`].
    fn index_some(&self) -> Result<usize, Error> {
        let _turn = self.pause();
        #[cfg(test)]
        self.panic_if_set();
        let indexed_seq = self.indexed_seq.load(Ordering::Acquire);
        let Some(batch) = self.store.read(|transaction| index::Batch::read(transaction, indexed_seq, BATCH))? else {
            return Ok(0);
        };
        let (last_seq, count) = (batch.last_seq, batch.len());
        let is_remote = self.store.is_remote();
        let reached = self.store.write(move |transaction| {
            if is_remote {
                let reached = index::last_indexed(transaction)?;
                if reached != indexed_seq {
                    return Ok(reached);
                }
            }
            batch.write(transaction)?;
            Ok::<_, Error>(last_seq)
        })?;
        self.indexed_seq.store(reached, Ordering::Release);
        Ok(count)
    }
}

impl Indexer {
    /// Starts the worker.
    pub(crate) fn start(history: Arc<History>) -> io::Result<Self> {
        let work = IndexWork(Arc::clone(&history));
        let worker = Worker::start("event-history", Waker::default(), work)?;
        Ok(Self { history, waiting: AtomicUsize::new(0), worker })
    }

    /// Returns the index.
    pub(crate) const fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Counts new records; once there are many, wakes the worker.
    pub(crate) fn count(&self, records: usize) {
        let before = self.waiting.fetch_add(records, Ordering::Relaxed);
        if before + records >= WAITING_MAX {
            self.waiting.store(0, Ordering::Relaxed);
            self.worker.waker().wake();
        }
    }

    /// Ends the worker; events that are not indexed yet are indexed after the next start.
    pub(crate) fn stop(&self) {
        self.worker.stop();
    }
}

impl Work for IndexWork {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        // Events that come meanwhile wait for a full batch.
        while !stop.is_set() && self.0.index_some()? == BATCH {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests;

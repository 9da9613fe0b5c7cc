//! Delivery: events become log files of the trails that take them, by time and by size.
//!
//! **Invariant:** a file's key and range are in the store before the file is written, and a file is counted as written only
//! afterwards; a crash in between makes the same file again, so every event is in exactly one file of a trail.

mod plan;
pub(crate) mod write;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws::Clock;
use bucket::Buckets;
use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store};
use worker::{Stop, Waker, Work, Worker};

use crate::retention::Sweep;
use crate::{Notifier, Settings};

/// The longest time until a bucket that failed is tried again.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// How often it is looked for what is old.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

pub(crate) struct Delivery {
    shared: Arc<Shared>,
    worker: Worker,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) settings: Settings,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) stop: Stop,
    /// The bytes of records that no file was planned for.
    bytes_waiting: AtomicU64,
    /// One delivery runs at a time; it knows the buckets that failed.
    turn: Mutex<HashMap<String, Failing>>,
}

/// A bucket that failed.
pub(crate) struct Failing {
    again: Instant,
    wait: Duration,
}

/// Which of the waiting events a delivery puts into files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// All that were recorded before the delivery began.
    Everything,
    /// Those that make files full; the rest waits for more, or until its time has come.
    FullFiles,
}

/// Why files of a bucket are not written.
enum Failed {
    /// The bucket refused.
    Bucket(io::Error),
    /// The store failed, so nothing can be delivered anywhere.
    Store(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Delivery {
    pub(crate) fn start(
        store: Arc<Store>,
        settings: Settings,
        buckets: Arc<Buckets>,
        clock: Arc<dyn Clock>,
        notifier: Arc<dyn Notifier>,
    ) -> io::Result<Self> {
        let waker = Waker::default();
        let (stop, bytes_waiting) = (waker.stop_flag().clone(), AtomicU64::new(0));
        let turn = Mutex::default();
        let shared = Arc::new(Shared { store, settings, buckets, clock, notifier, stop, bytes_waiting, turn });
        let rounds = Rounds { shared: Arc::clone(&shared), cut: Instant::now(), swept: None };
        Ok(Self { shared, worker: Worker::start("trail-delivery", waker, rounds)? })
    }

    /// Notes that a record waits; a full file's worth of them is delivered at once.
    pub(crate) fn count(&self, bytes: u64) {
        let before = self.shared.bytes_waiting.fetch_add(bytes, Ordering::Relaxed);
        let full = self.shared.settings.log_bytes;
        if before < full && before.saturating_add(bytes) >= full {
            self.worker.waker().wake();
        }
    }

    /// Delivers what waits, to buckets that failed before, too.
    pub(crate) fn deliver(&self) -> io::Result<()> {
        let mut failing = self.pause();
        failing.clear();
        let failed = self.shared.deliver(Cut::Everything, &mut failing).map_err(io::Error::other)?;
        if !failed.is_empty() {
            return Err(io::Error::other(failed.join("; ")));
        }
        self.shared.sweep()
    }

    /// Keeps delivery from running for as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.shared.turn()
    }

    /// Delivers what waits and ends the worker.
    pub(crate) fn stop(&self) {
        self.worker.stop();
    }
}

/// What the worker of delivery does.
struct Rounds {
    shared: Arc<Shared>,
    /// When everything was delivered last.
    cut: Instant,
    swept: Option<Instant>,
}

impl Work for Rounds {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        let interval = self.shared.settings.log_interval;
        let begun = Instant::now();
        if begun.duration_since(self.cut) >= interval {
            self.shared.deliver_and_log(Cut::Everything)?;
            self.cut = begun;
            self.sweep();
        } else if self.shared.has_full_file() {
            self.shared.deliver_and_log(Cut::FullFiles)?;
        }
        Ok(Some(if self.shared.has_full_file() { Duration::ZERO } else { interval.saturating_sub(self.cut.elapsed()) }))
    }

    fn finish(&mut self) -> Result<(), worker::Error> {
        self.shared.turn().clear();
        Ok(self.shared.deliver_and_log(Cut::Everything)?)
    }
}

impl Rounds {
    fn sweep(&mut self) {
        if self.swept.is_some_and(|swept| swept.elapsed() < SWEEP_INTERVAL) {
            return;
        }
        self.swept = Some(Instant::now());
        // Under the lock of delivery, as what is removed must not be planned meanwhile.
        let _turn = self.shared.turn();
        if let Err(error) = self.shared.sweep() {
            tracing::error!(%error, "old files or events cannot be removed; they are tried again");
        }
    }
}

impl Shared {
    /// Takes the turn. A panic of a holder does no harm: what is guarded is good after every step.
    fn turn(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.turn.lock()
    }

    /// Removes what is older than the settings allow; the caller has the turn.
    fn sweep(&self) -> io::Result<()> {
        let (retention, sync) = (&self.settings.retention, self.settings.sync);
        let Self { store, buckets, clock, stop, .. } = self;
        Sweep { retention, store, buckets, clock: &**clock, sync, stop }.run()
    }

    fn has_full_file(&self) -> bool {
        self.bytes_waiting.load(Ordering::Relaxed) >= self.settings.log_bytes
    }

    fn deliver_and_log(&self, cut: Cut) -> Result<(), Error> {
        for error in self.deliver(cut, &mut self.turn())? {
            tracing::error!(error, "log files cannot be delivered; they are tried again");
        }
        Ok(())
    }

    /// Delivers what waits now, except to buckets whose time has not come; returns which buckets failed, and why.
    ///
    /// What is recorded meanwhile waits for the next delivery: else a busy server would cut a file of whatever came while the one
    /// before was written.
    fn deliver(&self, cut: Cut, failing: &mut HashMap<String, Failing>) -> Result<Vec<String>, Error> {
        let mut failed = Vec::new();
        // Read first: what is counted later may be delivered now, and then counts once too often until the next delivery.
        let counted = self.bytes_waiting.load(Ordering::Relaxed);
        let until = self.store.read(plan::newest)?;
        self.write(failing, &mut failed)?;
        loop {
            let bytes_left = plan::next(self, until, cut)?;
            self.write(failing, &mut failed)?;
            if let Some(bytes_left) = bytes_left {
                self.bytes_waiting.fetch_add(bytes_left.wrapping_sub(counted), Ordering::Relaxed);
                return Ok(failed);
            }
        }
    }

    /// Writes the files that are planned.
    fn write(&self, failing: &mut HashMap<String, Failing>, failed: &mut Vec<String>) -> Result<(), Error> {
        for bucket in write::buckets(self)? {
            if failing.get(&bucket).is_some_and(|failing| failing.again > Instant::now()) {
                continue;
            }
            match write::all_of(self, &bucket) {
                Ok(()) => drop(failing.remove(&bucket)),
                Err(Failed::Store(error)) => return Err(error),
                Err(Failed::Bucket(error)) => {
                    failed.push(format!("cannot write log files to {}: {error}", self.buckets.describe(&bucket)));
                    let first = self.settings.log_interval;
                    let wait = failing.get(&bucket).map_or(first, |before| before.wait * 2).min(WAIT_MAX.max(first));
                    failing.insert(bucket, Failing { again: Instant::now() + wait, wait });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

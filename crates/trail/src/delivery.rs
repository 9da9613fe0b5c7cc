//! Delivery: writes events into log files of the trails that select them, by time and by size.
//!
//! **Invariant:** the key and range of a file are in the store before the file is written, and the file counts as written only
//! afterwards; after a crash in between the same file is written again, so every event is in exactly one file of a trail.
//! Several nodes may deliver at the same time: a plan counts only if nobody planned since it was begun, and a file is counted once.

mod plan;
pub(crate) mod write;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws::Clock;
use bucket::Buckets;
use cluster::{Cluster, Role};
use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store};
use worker::{Stop, Waker, Work, Worker};

use crate::destination::Destinations;
use crate::retention::Sweep;
use crate::{DELIVERY, Notifier, Settings};

/// Maximum delay before a bucket that failed is tried again.
const RETRY_DELAY_MAX: Duration = Duration::from_mins(5);

/// Interval between retention sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// The worker that delivers log files.
pub(crate) struct Delivery {
    shared: Arc<DeliveryState>,
    worker: Worker,
}

/// The state of delivery, shared by the worker and by flushes.
pub(crate) struct DeliveryState {
    pub(crate) store: Arc<Store>,
    pub(crate) settings: Settings,
    pub(crate) destinations: Destinations,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) stop: Stop,
    pub(crate) cluster: Cluster,
    /// The role of the worker; flushes deliver on any node.
    pub(crate) role: Role,
    /// The size of the records for which no file is planned yet.
    bytes_waiting: AtomicU64,
    /// The buckets that failed; a delivery holds the lock, so only one runs at a time.
    turn: Mutex<HashMap<String, FailingBucket>>,
}

/// A bucket that failed.
pub(crate) struct FailingBucket {
    /// The time of the next attempt.
    due: Instant,
    /// The delay before it, which doubles with each failure.
    delay: Duration,
}

/// The pending events that a delivery puts into files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// All events recorded before the delivery began.
    Everything,
    /// The events that make files full; the rest stays pending until there are more, or until the interval has passed.
    FullFiles,
}

/// Why files of a bucket cannot be written.
enum DeliveryError {
    /// The bucket failed.
    Bucket(io::Error),
    /// The store failed, so no bucket can be served.
    Store(Error),
}

impl From<Error> for DeliveryError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Delivery {
    /// Starts the worker.
    pub(crate) fn start(
        settings: Settings,
        destinations: Destinations,
        clock: Arc<dyn Clock>,
        notifier: Arc<dyn Notifier>,
        cluster: &Cluster,
    ) -> io::Result<Self> {
        let waker = Waker::default();
        let (cluster, role) = (cluster.clone(), cluster.role(DELIVERY));
        let (stop, bytes_waiting) = (waker.stop_flag().clone(), AtomicU64::new(0));
        let (store, buckets) = (Arc::clone(&destinations.store), Arc::clone(&destinations.buckets));
        let turn = Mutex::default();
        let shared = Arc::new(DeliveryState {
            store,
            settings,
            destinations,
            buckets,
            clock,
            notifier,
            stop,
            cluster,
            role,
            bytes_waiting,
            turn,
        });
        let work = DeliveryWork { shared: Arc::clone(&shared), delivered: Instant::now(), swept: None };
        let work = shared.role.work(&waker, work);
        Ok(Self { shared, worker: Worker::start("trail-delivery", waker, work)? })
    }

    /// Counts the size of a new record; once the records fill a file, starts a delivery.
    pub(crate) fn count(&self, bytes: u64) {
        let before = self.shared.bytes_waiting.fetch_add(bytes, Ordering::Relaxed);
        let full = self.shared.settings.log_bytes;
        if before < full && before.saturating_add(bytes) >= full {
            self.worker.waker().wake();
        }
    }

    /// Delivers all pending events, also to buckets that failed before.
    pub(crate) fn deliver(&self) -> io::Result<()> {
        let mut failing = self.pause();
        failing.clear();
        let failed = self.shared.deliver(Cut::Everything, &mut failing).map_err(io::Error::other)?;
        if !failed.is_empty() {
            return Err(io::Error::other(failed.join("; ")));
        }
        // Files are removed by one node, so that none misses what another has removed before.
        if self.shared.role.is_held() { self.shared.sweep() } else { Ok(()) }
    }

    /// Pauses delivery as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, HashMap<String, FailingBucket>> {
        self.shared.turn()
    }

    /// Delivers all pending events and ends the worker.
    pub(crate) fn stop(&self) {
        self.worker.stop();
    }
}

/// The work of the worker.
struct DeliveryWork {
    shared: Arc<DeliveryState>,
    /// The time of the last delivery of everything.
    delivered: Instant,
    swept: Option<Instant>,
}

impl Work for DeliveryWork {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        let interval = self.shared.settings.log_interval;
        let begun = Instant::now();
        if self.shared.cluster.is_shared() {
            self.shared.count_waiting()?;
        }
        if begun.duration_since(self.delivered) >= interval {
            self.shared.deliver_and_log(Cut::Everything)?;
            self.delivered = begun;
            self.sweep();
        } else if self.shared.has_full_file() {
            self.shared.deliver_and_log(Cut::FullFiles)?;
        }
        Ok(Some(if self.shared.has_full_file() {
            Duration::ZERO
        } else {
            interval.saturating_sub(self.delivered.elapsed())
        }))
    }

    fn finish(&mut self) -> Result<(), worker::Error> {
        self.shared.turn().clear();
        Ok(self.shared.deliver_and_log(Cut::Everything)?)
    }
}

impl DeliveryWork {
    fn sweep(&mut self) {
        if self.swept.is_some_and(|swept| swept.elapsed() < SWEEP_INTERVAL) {
            return;
        }
        self.swept = Some(Instant::now());
        // Under the lock of delivery, as events must not be planned while they are removed.
        let _turn = self.shared.turn();
        if let Err(error) = self.shared.sweep() {
            tracing::error!(%error, "cannot remove old files or events; will retry");
        }
    }
}

impl DeliveryState {
    /// Takes the lock of delivery; its value is valid after every step.
    fn turn(&self) -> MutexGuard<'_, HashMap<String, FailingBucket>> {
        self.turn.lock()
    }

    /// Removes files and events that are older than the settings allow; the caller holds the lock.
    fn sweep(&self) -> io::Result<()> {
        let (retention, sync) = (&self.settings.retention, self.settings.sync);
        let Self { store, buckets, clock, stop, .. } = self;
        Sweep { retention, store, buckets, clock: &**clock, sync, stop }.run()
    }

    /// Counts the records of all nodes for which no file is planned yet.
    fn count_waiting(&self) -> Result<(), Error> {
        let bytes = self.store.read(plan::bytes_waiting)?;
        self.bytes_waiting.store(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    fn has_full_file(&self) -> bool {
        self.bytes_waiting.load(Ordering::Relaxed) >= self.settings.log_bytes
    }

    fn deliver_and_log(&self, cut: Cut) -> Result<(), Error> {
        for error in self.deliver(cut, &mut self.turn())? {
            tracing::error!(error, "cannot deliver log files; will retry");
        }
        Ok(())
    }

    /// Delivers the events pending now, except to failed buckets before their next attempt; returns a message for each bucket that failed.
    ///
    /// Events recorded meanwhile stay pending until the next delivery: otherwise a busy server would cut a small file of the events that
    /// came while the file before was written.
    fn deliver(&self, cut: Cut, failing: &mut HashMap<String, FailingBucket>) -> Result<Vec<String>, Error> {
        let mut failed = Vec::new();
        // Read before the newest event: a record counted later may be delivered now, and then counts once too often until the next delivery.
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

    /// Writes the planned files.
    fn write(&self, failing: &mut HashMap<String, FailingBucket>, failed: &mut Vec<String>) -> Result<(), Error> {
        for bucket in write::buckets(self)? {
            if failing.get(&bucket).is_some_and(|failing| failing.due > Instant::now()) {
                continue;
            }
            match write::pending_files(self, &bucket) {
                Ok(()) => drop(failing.remove(&bucket)),
                Err(DeliveryError::Store(error)) => return Err(error),
                Err(DeliveryError::Bucket(error)) => {
                    failed.push(format!("cannot write log files to {}: {error}", self.buckets.describe(&bucket)));
                    let first = self.settings.log_interval;
                    let delay =
                        failing.get(&bucket).map_or(first, |before| before.delay * 2).min(RETRY_DELAY_MAX.max(first));
                    failing.insert(bucket, FailingBucket { due: Instant::now() + delay, delay });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

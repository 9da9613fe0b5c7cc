//! Delivery: events become log files of the trails that take them, by time and by size.
//!
//! **Invariant:** a file's key and range are in the store before the file is written, and a file is counted as written only
//! afterwards; a crash in between makes the same file again, so every event is in exactly one file of a trail.

mod plan;
pub(crate) mod write;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aws::Clock;
use store::{Error, Store};

use crate::{Buckets, Notifier, Settings, retention};

/// The longest time until a bucket that failed is tried again.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// How often it is looked for what is old.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

pub(crate) struct Delivery {
    shared: Arc<Shared>,
    bytes_waiting: AtomicU64,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) settings: Settings,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notifier: Arc<dyn Notifier>,
    /// One delivery runs at a time; it knows the buckets that failed.
    turn: Mutex<HashMap<String, Failing>>,
}

/// A bucket that failed.
pub(crate) struct Failing {
    again: Instant,
    wait: Duration,
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
        let shared = Arc::new(Shared { store, settings, buckets, clock, notifier, turn: Mutex::default() });
        let (wake, woken) = sync_channel(1);
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("trail-delivery".to_owned()).spawn(move || worker.run(&woken))?;
        Ok(Self { shared, bytes_waiting: AtomicU64::new(0), wake: Some(wake), thread: Some(thread) })
    }

    /// Notes that a record waits; a full file's worth of them is delivered at once.
    pub(crate) fn count(&self, bytes: u64) {
        let before = self.bytes_waiting.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes >= self.shared.settings.log_bytes {
            self.bytes_waiting.store(0, Ordering::Relaxed);
            if let Some(wake) = &self.wake {
                // A worker that was woken already delivers these too.
                let _ = wake.try_send(());
            }
        }
    }

    /// Delivers what waits, to buckets that failed before, too.
    pub(crate) fn deliver(&self) -> io::Result<()> {
        let mut failing = self.pause();
        failing.clear();
        self.shared.deliver(&mut failing)?;
        retention::sweep(&self.shared)
    }

    /// Keeps delivery from running for as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.shared.turn.lock().expect("no holder of this lock panics")
    }
}

impl Drop for Delivery {
    /// Delivers what waits and ends the thread.
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, woken: &Receiver<()>) {
        let mut swept: Option<Instant> = None;
        loop {
            let closing = woken.recv_timeout(self.settings.log_interval) == Err(RecvTimeoutError::Disconnected);
            let mut failing = self.turn.lock().expect("no holder of this lock panics");
            if closing {
                failing.clear();
            }
            if let Err(error) = self.deliver(&mut failing) {
                tracing::error!(%error, "log files cannot be delivered; they are tried again");
            }
            if swept.is_none_or(|swept| swept.elapsed() >= SWEEP_INTERVAL) {
                swept = Some(Instant::now());
                self.sweep();
            }
            if closing {
                return;
            }
        }
    }

    fn sweep(&self) {
        if let Err(error) = retention::sweep(self) {
            tracing::error!(%error, "what is old cannot be removed; it is tried again");
        }
    }

    /// Delivers what waits, except to buckets whose time has not come; the error tells which buckets failed.
    fn deliver(&self, failing: &mut HashMap<String, Failing>) -> io::Result<()> {
        let mut failed = Vec::new();
        loop {
            for bucket in write::buckets(self).map_err(io::Error::other)? {
                if failing.get(&bucket).is_some_and(|failing| failing.again > Instant::now()) {
                    continue;
                }
                match write::all_of(self, &bucket) {
                    Ok(()) => drop(failing.remove(&bucket)),
                    Err(Failed::Store(error)) => return Err(io::Error::other(error)),
                    Err(Failed::Bucket(error)) => {
                        failed.push(format!("the bucket {bucket} cannot be written: {error}"));
                        let first = self.settings.log_interval;
                        let wait =
                            failing.get(&bucket).map_or(first, |before| before.wait * 2).min(WAIT_MAX.max(first));
                        failing.insert(bucket, Failing { again: Instant::now() + wait, wait });
                    }
                }
            }
            if !plan::next(self).map_err(io::Error::other)? {
                break;
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(io::Error::other(failed.join("; "))) }
    }
}

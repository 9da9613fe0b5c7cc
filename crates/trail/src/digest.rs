//! Digests: files that certify which log files were delivered, each signed and chained to the one before it.
//!
//! **Invariant:** a digest's content and signature are in the store, with the log files it covers, before it is written, and it
//! counts as written only afterwards: a crash in between writes the same bytes again, and every log file is in one digest.

mod chain;
pub(crate) mod document;
mod plan;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::{Clock, Timestamp};
use bucket::Buckets;
use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store};
use worker::{Stop, Waker, Work, Worker};

use self::chain::{Chain, Planned};
use self::document::SIGNATURE_ALGORITHM;
use crate::delivery::write::code;
use crate::public_key::{self, PublicKey};
use crate::signing_key::KeyRing;

/// After how long what could not be written is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// The times of digests are whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// Makes digests in the background, and when it is told to.
pub(crate) struct Digests {
    shared: Arc<Shared>,
    worker: Worker,
}

struct Shared {
    store: Arc<Store>,
    keys: Arc<KeyRing>,
    buckets: Arc<Buckets>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    stop: Stop,
    /// Digests are made by one at a time.
    turn: Mutex<()>,
}

/// Which chains get a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chains {
    /// All that are not ended.
    All,
    /// Those that do not rest.
    Active,
}

impl Digests {
    pub(crate) fn start(
        store: Arc<Store>,
        keys: Arc<KeyRing>,
        buckets: Arc<Buckets>,
        clock: Arc<dyn Clock>,
        interval: Duration,
    ) -> io::Result<Self> {
        let waker = Waker::default();
        let (stop, turn) = (waker.stop_flag().clone(), Mutex::default());
        let shared = Arc::new(Shared { store, keys, buckets, clock, interval, stop, turn });
        let wait = shared.wait().map_err(io::Error::other)?;
        let rounds = Rounds { shared: Arc::clone(&shared), has_key: false, since: Instant::now(), wait };
        Ok(Self { shared, worker: Worker::start("trail-digests", waker, rounds)? })
    }

    /// Makes the digests of what was delivered so far, due or not.
    pub(crate) fn make(&self) -> Result<(), Error> {
        self.shared.make(Chains::All)
    }

    /// Keeps digests from being made for as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.shared.turn()
    }

    /// Ends the worker; what is planned is written at the next start.
    pub(crate) fn stop(&self) {
        self.worker.stop();
    }
}

/// What the worker of digests does.
struct Rounds {
    shared: Arc<Shared>,
    /// Whether there is a key to sign with; making one takes time, so it is not left to the first digest.
    has_key: bool,
    /// The next digests are due when `wait` has passed since then.
    since: Instant,
    wait: Duration,
}

impl Work for Rounds {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        if !self.has_key {
            self.shared.keys.prepare()?;
            self.has_key = true;
        }
        if self.since.elapsed() >= self.wait {
            self.shared.make(Chains::Active)?;
            self.wait = self.shared.wait()?.max(SECOND.min(self.shared.interval));
            self.since = Instant::now();
        } else {
            self.shared.retry()?;
        }
        let wait = self.wait.saturating_sub(self.since.elapsed());
        let is_any_planned = self.shared.store.read(chain::is_any_planned)?;
        Ok(Some(if is_any_planned { wait.min(RETRY_INTERVAL) } else { wait }))
    }
}

impl Shared {
    /// Takes the turn. A panic of a holder does no harm: the lock guards nothing but the turn.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// Returns how long it is until the next digest is due, an interval at most.
    ///
    /// It is counted from what is stored and not from the start of the process, which may be started again before an interval is over.
    fn wait(&self) -> Result<Duration, Error> {
        let chains = self.store.read(chain::all)?;
        if chains.is_empty() {
            return Ok(self.interval);
        }
        let now = self.clock.now();
        let due =
            chains.iter().filter(|chain| !chain.rests(now, self.interval)).map(|chain| chain.wait(now, self.interval));
        Ok(due.min().unwrap_or(self.interval))
    }

    fn make(&self, which: Chains) -> Result<(), Error> {
        let _turn = self.turn();
        let now = self.end_of_windows()?;
        let mut chains = self.store.read(chain::all)?;
        chains.retain(|chain| which == Chains::All || !chain.rests(now, self.interval));
        plan::all(self, chains, now)?;
        self.write()
    }

    /// Writes what is planned since a time when its bucket did not take it.
    fn retry(&self) -> Result<(), Error> {
        let _turn = self.turn();
        self.write()
    }

    /// Returns the second that it is, or waits for the next one if a digest ended in this one already.
    fn end_of_windows(&self) -> Result<Timestamp, Error> {
        let now = self.now()?;
        if !self.store.read(|transaction| chain::is_any_of(transaction, now.whole_second()))? {
            return Ok(now.whole_second());
        }
        let rest = 1_000 - (now.millis() - now.whole_second().millis());
        std::thread::sleep(Duration::from_millis(u64::try_from(rest).unwrap_or(0)));
        Ok(self.now()?.whole_second())
    }

    /// Reads the clock in a transaction: what was delivered earlier is in the store then.
    fn now(&self) -> Result<Timestamp, Error> {
        let clock = Arc::clone(&self.clock);
        self.store.write(move |_transaction| Ok(clock.now()))
    }

    /// Writes what is planned; what a bucket does not take stays planned.
    fn write(&self) -> Result<(), Error> {
        let planned = self.store.read(chain::planned)?;
        if planned.is_empty() {
            return Ok(());
        }
        let public_keys = PublicKey::to_json(&self.keys.all()?);
        let (mut known, mut failing) = (BTreeSet::new(), BTreeSet::new());
        for digest in planned {
            if self.stop.is_set() {
                return Ok(());
            }
            if failing.contains(&digest.bucket) {
                continue;
            }
            // The keys are there before the first digest that needs them.
            let keys = known.insert(digest.bucket.clone()).then_some(&public_keys[..]);
            let result = self.put(&digest, keys);
            if let Err(error) = &result {
                tracing::error!(%error, bucket = digest.bucket, "a digest cannot be written; it is tried again");
                failing.insert(digest.bucket.clone());
            }
            let time = self.clock.now();
            self.store.write(move |transaction| match result {
                Ok(()) => chain::delivered(transaction, &digest, time),
                Err(error) => chain::failed(transaction, &digest, &code(&error)),
            })?;
        }
        Ok(())
    }

    fn put(&self, digest: &Planned, public_keys: Option<&[u8]>) -> io::Result<()> {
        if let Some(public_keys) = public_keys.filter(|_| !self.buckets.is_remote(&digest.bucket)) {
            public_key::file::add(&self.buckets.folder(&digest.bucket), public_keys)?;
        }
        let content = document::compress(digest.document.as_bytes())?;
        let metadata = [("signature", digest.signature.as_str()), ("signature-algorithm", SIGNATURE_ALGORITHM)];
        self.buckets.get(&digest.bucket).put(&digest.key, &content, &metadata)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;

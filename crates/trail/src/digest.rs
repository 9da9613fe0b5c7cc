//! Digests: files that certify the delivered log files, each signed and chained to the one before it.
//!
//! **Invariant:** the content, signature and covered log files of a digest are in the store before it is written, and it counts as
//! written only afterwards: after a crash in between the same bytes are written again, and every log file is in one digest.

mod chain;
pub(crate) mod document;
mod plan;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::{Clock, Timestamp};
use cluster::{Cluster, DATA, Role};
use parking_lot::{Mutex, MutexGuard};
use store::{Error, Store, Transaction};
use worker::{Stop, Waker, Work, Worker};

use self::chain::{Chain, PlannedDigest};
use self::document::SIGNATURE_ALGORITHM;
use crate::DIGESTS;
use crate::delivery::write::code;
use crate::destination::Destinations;
use crate::public_key::{self, PublicKey};
use crate::signing_key::KeyStore;

/// Time between attempts to write a digest.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// The resolution of the times of digests.
const SECOND: Duration = Duration::from_secs(1);

/// Time from the start to the generation of a signing key, which cannot be interrupted: a server that a test starts and stops at once
/// needs none.
const KEY_DELAY: Duration = Duration::from_secs(1);

/// The worker that creates and writes digests.
pub(crate) struct Digests {
    shared: Arc<DigestState>,
    worker: Worker,
}

/// The state of digests, shared by the worker and by calls.
struct DigestState {
    store: Arc<Store>,
    keys: Arc<KeyStore>,
    destinations: Destinations,
    clock: Arc<dyn Clock>,
    interval: Duration,
    stop: Stop,
    cluster: Cluster,
    /// The role of the worker; calls create digests on any node.
    role: Role,
    /// Only the holder of this lock creates digests on this node.
    turn: Mutex<()>,
}

/// What a plan is based on: nobody has planned other digests or removed the data since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Basis {
    /// The id of the newest digest.
    newest: i64,
    resets: i64,
}

/// The chains that get a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chains {
    /// All that have not ended.
    All,
    /// Those with recent log files.
    Active,
}

impl Basis {
    fn read(transaction: &Transaction, cluster: &Cluster) -> Result<Self, Error> {
        Ok(Self { newest: chain::newest(transaction)?, resets: cluster.announced(transaction, DATA)? })
    }
}

impl Digests {
    /// Starts the worker.
    pub(crate) fn start(
        keys: Arc<KeyStore>,
        destinations: Destinations,
        clock: Arc<dyn Clock>,
        interval: Duration,
        cluster: &Cluster,
    ) -> io::Result<Self> {
        let store = Arc::clone(&destinations.store);
        let waker = Waker::default();
        let (stop, turn) = (waker.stop_flag().clone(), Mutex::default());
        let (cluster, role) = (cluster.clone(), cluster.role(DIGESTS));
        let shared = Arc::new(DigestState { store, keys, destinations, clock, interval, stop, cluster, role, turn });
        let wait = shared.wait().map_err(io::Error::other)?;
        let (started, shared_work) = (Instant::now(), Arc::clone(&shared));
        let term = shared.role.term();
        let work = DigestWork { shared: shared_work, has_key: false, started, since: started, wait, term };
        let work = shared.role.work(&waker, work);
        Ok(Self { shared, worker: Worker::start("trail-digests", waker, work)? })
    }

    /// Creates and writes the digests of all files delivered so far, even before they are due.
    pub(crate) fn create(&self) -> Result<(), Error> {
        self.shared.create(Chains::All)
    }

    /// Pauses the creation of digests as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.shared.turn()
    }

    /// Ends the worker; digests that are planned are written after the next start.
    pub(crate) fn stop(&self) {
        self.worker.stop();
    }
}

/// The work of the worker.
struct DigestWork {
    shared: Arc<DigestState>,
    /// Whether there is a signing key; generating it takes time, so the first digest does not wait for it.
    has_key: bool,
    started: Instant,
    /// The next digests are due once `wait` has passed since this time.
    since: Instant,
    wait: Duration,
    /// The term of the role in which `wait` was found.
    term: Option<u64>,
}

impl Work for DigestWork {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        let key_delay = KEY_DELAY.saturating_sub(self.started.elapsed());
        if !self.has_key && key_delay.is_zero() {
            self.shared.keys.prepare()?;
            self.has_key = true;
        }
        let term = self.shared.role.term();
        if self.term != term {
            // Another node has created digests meanwhile.
            (self.term, self.wait, self.since) = (term, self.shared.wait()?, Instant::now());
        }
        if self.since.elapsed() >= self.wait {
            self.shared.create(Chains::Active)?;
            self.wait = self.shared.wait()?.max(SECOND.min(self.shared.interval));
            self.since = Instant::now();
        } else {
            self.shared.retry()?;
        }
        let wait = self.wait.saturating_sub(self.since.elapsed());
        let wait = if self.has_key { wait } else { wait.min(key_delay) };
        let is_any_planned = self.shared.store.read(chain::is_any_planned)?;
        Ok(Some(if is_any_planned { wait.min(RETRY_INTERVAL) } else { wait }))
    }
}

impl DigestState {
    /// Takes the lock of digests, which guards no value.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock()
    }

    /// Returns the time until the next digest is due, at most an interval.
    ///
    /// It is measured from stored times and not from the start of the process, which may restart more often than once an interval.
    fn wait(&self) -> Result<Duration, Error> {
        let chains = self.store.read(chain::all)?;
        if chains.is_empty() {
            return Ok(self.interval);
        }
        let now = self.clock.now();
        let due = chains
            .iter()
            .filter(|chain| !chain.is_idle(now, self.interval))
            .map(|chain| chain.wait(now, self.interval));
        Ok(due.min().unwrap_or(self.interval))
    }

    /// Creates the digests of chains until now, and writes them.
    fn create(&self, which: Chains) -> Result<(), Error> {
        let _turn = self.turn();
        loop {
            let now = self.end_of_windows()?;
            let (basis, mut chains) =
                self.store.read(|transaction| Ok::<_, Error>((self.basis(transaction)?, chain::all(transaction)?)))?;
            chains.retain(|chain| which == Chains::All || !chain.is_idle(now, self.interval));
            if plan::all(self, chains, now, basis)? {
                return self.write();
            }
        }
    }

    /// Reads what a plan is based on, if other nodes can change it.
    fn basis(&self, transaction: &Transaction) -> Result<Option<Basis>, Error> {
        if !self.cluster.is_shared() {
            return Ok(None);
        }
        Basis::read(transaction, &self.cluster).map(Some)
    }

    /// Writes planned digests that could not be written before.
    fn retry(&self) -> Result<(), Error> {
        let _turn = self.turn();
        self.write()
    }

    /// Returns the current second; waits for the next one if a digest already ended in this one.
    fn end_of_windows(&self) -> Result<Timestamp, Error> {
        let now = self.now()?;
        if !self.store.read(|transaction| chain::is_any_of(transaction, now.whole_second()))? {
            return Ok(now.whole_second());
        }
        let rest = 1_000 - (now.millis() - now.whole_second().millis());
        std::thread::sleep(Duration::from_millis(u64::try_from(rest).unwrap_or(0)));
        Ok(self.now()?.whole_second())
    }

    /// Reads the clock in a transaction, so that all files delivered earlier are in the store.
    fn now(&self) -> Result<Timestamp, Error> {
        let (clock, cluster) = (Arc::clone(&self.clock), self.cluster.clone());
        self.store
            .write(move |transaction| Ok(Timestamp::from_millis(cluster.time(transaction, clock.now().millis())?)))
    }

    /// Writes the planned digests; if a bucket fails, its digests stay planned.
    fn write(&self) -> Result<(), Error> {
        let planned = self.store.read(chain::planned)?;
        if planned.is_empty() {
            return Ok(());
        }
        let public_keys = PublicKey::to_json(&self.keys.all()?);
        let (mut buckets_with_keys, mut failing) = (BTreeSet::new(), BTreeSet::new());
        for digest in planned {
            if self.stop.is_set() {
                return Ok(());
            }
            if failing.contains(&digest.bucket) {
                continue;
            }
            // The public keys are written before the first digest that needs them.
            let keys = buckets_with_keys.insert(digest.bucket.clone()).then_some(&public_keys[..]);
            let result = self.put(&digest, keys);
            if let Err(error) = &result {
                tracing::error!(%error, bucket = digest.bucket, "cannot write a digest; will retry");
                failing.insert(digest.bucket.clone());
            }
            let time = self.clock.now();
            self.store.write(move |transaction| match result {
                Ok(()) => chain::mark_as_delivered(transaction, &digest, time),
                Err(error) => chain::record_failure(transaction, &digest, &code(&error)),
            })?;
        }
        Ok(())
    }

    fn put(&self, digest: &PlannedDigest, public_keys: Option<&[u8]>) -> io::Result<()> {
        let content = document::compress(digest.document.as_bytes())?;
        let metadata = [("signature", digest.signature.as_str()), ("signature-algorithm", SIGNATURE_ALGORITHM)];
        let PlannedDigest { trail, bucket, key, .. } = digest;
        let buckets = &self.destinations.buckets;
        self.destinations.check_row(*trail, bucket, key)?;
        if let Some(public_keys) = public_keys.filter(|_| !buckets.is_remote(bucket)) {
            public_key::file::add(&buckets.folder(bucket), public_keys)?;
        }
        buckets.get(bucket).put(key, &content, &metadata)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;

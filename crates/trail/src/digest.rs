//! Digests: files that certify which log files were delivered, each signed and chained to the one before it.
//!
//! **Invariant:** a digest's content and signature are in the store, with the log files it covers, before it is written, and it
//! counts as written only afterwards: a crash in between writes the same bytes again, and every log file is in one digest.

mod chain;
pub(crate) mod document;

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use aws::{Clock, Timestamp};
use store::{Error, Store};

use self::chain::{Chain, Link, Planned, Uncovered};
use self::document::{Document, HASH_ALGORITHM, SIGNATURE_ALGORITHM, signed_text};
use crate::Buckets;
use crate::delivery::write::code;
use crate::public_key::{PublicKey, sha256};
use crate::signing_key::KeyRing;

/// How long the windows are that make up for a time when no server ran, where the interval is not longer.
const HOUR: i64 = 3_600_000;

/// After how long what could not be written is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// The times of digests are whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// The thread that makes digests.
pub(crate) struct Digests {
    shared: Arc<Shared>,
    closing: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    store: Arc<Store>,
    keys: Arc<KeyRing>,
    buckets: Arc<Buckets>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    is_closing: AtomicBool,
    /// Digests are made by one at a time.
    turn: Mutex<()>,
}

impl Digests {
    pub(crate) fn start(
        store: Arc<Store>,
        keys: Arc<KeyRing>,
        buckets: Arc<Buckets>,
        clock: Arc<dyn Clock>,
        interval: Duration,
    ) -> io::Result<Self> {
        let is_closing = AtomicBool::new(false);
        let shared = Arc::new(Shared { store, keys, buckets, clock, interval, is_closing, turn: Mutex::default() });
        let (closing, closed) = sync_channel(0);
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("trail-digests".to_owned()).spawn(move || worker.run(&closed))?;
        Ok(Self { shared, closing: Some(closing), thread: Some(thread) })
    }

    /// Makes the digests of what was delivered so far, due or not.
    pub(crate) fn make(&self) -> Result<(), Error> {
        self.shared.make()
    }

    /// Keeps digests from being made for as long as the guard is held.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.shared.turn.lock().expect("no holder of this lock panics")
    }
}

impl Drop for Digests {
    /// Ends the thread; what is planned is written at the next start.
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::Relaxed);
        drop(self.closing.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, closed: &Receiver<()>) {
        let mut wait = self.keys.prepare().and_then(|()| self.wait());
        loop {
            if let Err(error) = &wait {
                tracing::error!(%error, "digests cannot be made; they are tried again");
            }
            let wait_time = *wait.as_ref().unwrap_or(&RETRY_INTERVAL);
            if closed.recv_timeout(wait_time) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            wait = self.make().and_then(|()| self.wait());
        }
    }

    /// Tells how long it is until the next digest is due.
    fn wait(&self) -> Result<Duration, Error> {
        let (ends, is_planned) = self
            .store
            .read(|transaction| Ok::<_, Error>((chain::ends(transaction)?, chain::is_any_planned(transaction)?)))?;
        let wait = match ends {
            None => self.interval,
            Some((first, _)) => {
                let since = self.clock.now().millis() - first.millis();
                let since = Duration::from_millis(u64::try_from(since).unwrap_or(0));
                self.interval.saturating_sub(since).max(SECOND.min(self.interval))
            }
        };
        Ok(if is_planned { wait.min(RETRY_INTERVAL) } else { wait })
    }

    fn make(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().expect("no holder of this lock panics");
        let ends = self.store.read(chain::ends)?;
        let mut now = self.second_after(ends.map(|(_, last)| last))?;
        let chains = self.store.read(chain::all)?;
        if chains.iter().any(|chain| self.buckets.has(&chain.bucket, &chain.series.key(now))) {
            // Another server that delivered to the same bucket made a digest in this second.
            now = self.second_after(Some(now))?;
        }
        for chain in chains {
            self.plan(chain, now)?;
        }
        self.write()
    }

    /// Returns the second that it is, or waits for the next one if there are digests of this one.
    fn second_after(&self, last: Option<Timestamp>) -> Result<Timestamp, Error> {
        let now = self.now()?;
        if last != Some(now.whole_second()) {
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

    /// Plans the digests of a chain until now.
    fn plan(&self, mut chain: Chain, now: Timestamp) -> Result<(), Error> {
        let mut uncovered = self.store.read(|transaction| chain::uncovered(transaction, &chain))?;
        let mut start = self.start(&chain, &uncovered, now);
        let step = millis(self.interval).max(HOUR);
        while start < now && !self.is_closing.load(Ordering::Relaxed) {
            let is_long = now.millis() - start.millis() >= step.saturating_mul(2);
            let end = if is_long { Timestamp::from_millis(start.millis() + step) } else { now };
            let until = uncovered.partition_point(|file| file.delivered.whole_second() <= end);
            let covered: Vec<Uncovered> = uncovered.drain(..until).collect();
            let key = chain.series.key(end);
            let is_taken = self.store.read(|transaction| chain::is_taken(transaction, &chain.bucket, &key))?;
            if is_taken || self.buckets.has(&chain.bucket, &key) {
                // The digest of a deleted trail of that name, or of another server; this one's is made together with the next.
                return Ok(());
            }
            let signing_key = self.keys.for_window(start, end)?;
            let document = document(&chain, (start, end), key, signing_key.fingerprint(), &covered);
            let content = document.to_json();
            let hash = sha256(content.as_bytes());
            let previous = document.previous_digest_signature.as_deref();
            let (bucket, key) = (document.digest_s3_bucket, document.digest_s3_object);
            let text = signed_text(&document.digest_end_time, &bucket, &key, &hash, previous);
            let made = Link { bucket, key, end, hash, signature: signing_key.sign(&text) };
            let covered: Vec<i64> = covered.iter().map(|file| file.id).collect();
            let next_follows = chain.is_on || end < now;
            let (planned, link) = (chain.clone(), made.clone());
            self.store.write(move |transaction| {
                chain::plan(transaction, &planned, &link, &content, &covered, next_follows)
            })?;
            chain.last = Some(made);
            start = end;
        }
        Ok(())
    }

    /// Returns where a chain's next window begins; that of a new chain takes in what is to be covered already.
    fn start(&self, chain: &Chain, uncovered: &[Uncovered], now: Timestamp) -> Timestamp {
        if let Some(last) = &chain.last {
            return last.end;
        }
        let interval_ago = Timestamp::from_millis(now.millis() - millis(self.interval)).whole_second();
        let first = uncovered.first().map_or(interval_ago, |file| file.delivered.whole_second());
        first.min(interval_ago).max(chain.ended.unwrap_or(first.min(interval_ago)))
    }

    /// Writes what is planned; what a bucket does not take stays planned.
    fn write(&self) -> Result<(), Error> {
        let planned = self.store.read(chain::planned)?;
        if planned.is_empty() {
            return Ok(());
        }
        let public_keys = PublicKey::to_json(&self.keys.all()?);
        let mut failing = BTreeSet::new();
        for digest in planned {
            if failing.contains(&digest.bucket) || self.is_closing.load(Ordering::Relaxed) {
                continue;
            }
            let result = self.put(&digest, &public_keys);
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

    fn put(&self, digest: &Planned, public_keys: &[u8]) -> io::Result<()> {
        let bucket = self.buckets.get(&digest.bucket);
        bucket.keep_public_keys(public_keys)?;
        let content = document::compress(digest.document.as_bytes())?;
        let metadata = [("signature", digest.signature.as_str()), ("signature-algorithm", SIGNATURE_ALGORITHM)];
        bucket.put(&digest.key, &content, &metadata)
    }
}

fn document(
    chain: &Chain,
    (start, end): (Timestamp, Timestamp),
    key: String,
    fingerprint: &str,
    covered: &[Uncovered],
) -> Document {
    let previous = chain.last.as_ref();
    Document {
        aws_account_id: chain.series.account.clone(),
        digest_start_time: start.iso(),
        digest_end_time: end.iso(),
        digest_s3_bucket: chain.bucket.clone(),
        digest_s3_object: key,
        digest_public_key_fingerprint: fingerprint.to_owned(),
        digest_signature_algorithm: SIGNATURE_ALGORITHM.to_owned(),
        newest_event_time: covered.iter().map(|file| file.newest).max().map(Timestamp::iso),
        oldest_event_time: covered.iter().map(|file| file.oldest).min().map(Timestamp::iso),
        previous_digest_s3_bucket: previous.map(|link| link.bucket.clone()),
        previous_digest_s3_object: previous.map(|link| link.key.clone()),
        previous_digest_hash_value: previous.map(|link| link.hash.clone()),
        previous_digest_hash_algorithm: previous.map(|_| HASH_ALGORITHM.to_owned()),
        previous_digest_signature: previous.map(|link| link.signature.clone()),
        log_files: covered.iter().map(Uncovered::told).collect(),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

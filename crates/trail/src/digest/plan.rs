//! Plans digests: the windows of each chain, the log files that each window covers, and the signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws::Timestamp;
use store::Error;

use super::chain::{self, DigestLink, NewDigest, UncoveredFile};
use super::document::{Document, HASH_ALGORITHM, SIGNATURE_ALGORITHM, signed_text};
use super::{Basis, Chain, DigestState, millis};
use crate::public_key::sha256;
use crate::signing_key::SigningKey;

/// Minimum length of the windows that catch up after a time without digests; a longer interval counts instead.
const HOUR: Duration = Duration::from_hours(1);

/// Maximum number of windows that catch up after a time without digests, even after a long stop or a jump of the clock.
const WINDOWS_MAX: i64 = 24;

/// Chains that are planned in one transaction; other writes wait for it.
const CHAINS_PER_WRITE: usize = 64;

/// Digests that are planned and not in the store yet.
struct Planning<'a> {
    shared: &'a DigestState,
    new: Vec<NewDigest>,
    /// The buckets and keys of `new`.
    taken: BTreeSet<(String, String)>,
    /// The signing key of each window; chains have the same windows, so one key signs many digests.
    keys: BTreeMap<(i64, i64), Arc<SigningKey>>,
    /// `None` if no other node plans.
    basis: Option<Basis>,
}

/// Plans the digests of chains up to a time; returns false if another node was faster, and the plan must be begun anew.
pub(super) fn all(
    shared: &DigestState,
    chains: Vec<Chain>,
    now: Timestamp,
    basis: Option<Basis>,
) -> Result<bool, Error> {
    let mut planning = Planning { shared, new: Vec::new(), taken: BTreeSet::new(), keys: BTreeMap::new(), basis };
    let mut chains = chains.into_iter().peekable();
    while chains.peek().is_some() && !shared.stop.is_set() {
        for chain in chains.by_ref().take(CHAINS_PER_WRITE) {
            planning.windows(chain, now)?;
        }
        if !planning.store()? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Planning<'_> {
    /// Plans the windows of a chain from its last digest up to a time.
    fn windows(&mut self, mut chain: Chain, now: Timestamp) -> Result<(), Error> {
        let mut uncovered = self.shared.store.read(|transaction| chain::uncovered(transaction, &chain))?;
        let now = self.end_of_last(&mut chain, now);
        let mut start = self.start(&chain, &uncovered, now)?;
        let step = step(start, now, self.shared.interval);
        while start < now {
            let is_last = now.millis() - start.millis() < step.saturating_mul(2);
            let mut end = if is_last { now } else { Timestamp::from_millis(start.millis() + step) };
            // The last window covers all remaining files, also those with a wrong time, so that none is left out.
            let until = if is_last {
                uncovered.len()
            } else {
                uncovered.partition_point(|file| file.delivered.whole_second() <= end)
            };
            let covered: Vec<UncoveredFile> = uncovered.drain(..until).collect();
            let mut key = chain.series.key(end);
            while self.is_taken(&chain.bucket, &key)? {
                // A deleted trail of the same name, a clock that was ahead, or another server can have used the key.
                end = second_after(end);
                key = chain.series.key(end);
            }
            let next_follows = chain.is_on || !is_last;
            chain.last = Some(self.digest(&chain, (start, end), key, &covered, next_follows)?);
            start = end;
        }
        Ok(())
    }

    /// Returns the end of a chain's last window: now, or a second after the last digest if the clock was set back since.
    ///
    /// If the clock was set back by more than an interval, the chain ends and a new one begins.
    fn end_of_last(&self, chain: &mut Chain, now: Timestamp) -> Timestamp {
        let Some(last) = chain.last.as_ref().filter(|last| last.end >= now) else { return now };
        if last.end.millis() - now.millis() <= millis(self.shared.interval) {
            return second_after(last.end);
        }
        tracing::warn!(
            digest = last.key,
            end = last.end.iso(),
            now = now.iso(),
            "the clock is behind the last digest; starting a new chain of digests"
        );
        chain.last = None;
        now
    }

    /// Returns the start of a chain's next window; the first window of a new chain includes all uncovered files.
    fn start(&self, chain: &Chain, uncovered: &[UncoveredFile], now: Timestamp) -> Result<Timestamp, Error> {
        if let Some(last) = &chain.last {
            return Ok(last.end);
        }
        let interval_ago = Timestamp::from_millis(now.millis() - millis(self.shared.interval)).whole_second();
        let first = uncovered.first().map_or(interval_ago, |file| file.delivered.whole_second()).min(interval_ago);
        let ended = self.shared.store.read(|transaction| chain::ended_before(transaction, chain, now))?;
        Ok(first.max(ended.unwrap_or(first)))
    }

    fn is_taken(&self, bucket: &str, key: &str) -> Result<bool, Error> {
        Ok(self.taken.contains(&(bucket.to_owned(), key.to_owned()))
            || self.shared.store.read(|transaction| chain::is_taken(transaction, bucket, key))?
            || self.shared.destinations.buckets.has(bucket, key))
    }

    /// Plans a digest.
    fn digest(
        &mut self,
        chain: &Chain,
        (start, end): (Timestamp, Timestamp),
        key: String,
        covered: &[UncoveredFile],
        next_follows: bool,
    ) -> Result<DigestLink, Error> {
        let signing_key = self.signing_key(start, end)?;
        let document = document(chain, (start, end), key, signing_key.fingerprint(), covered);
        let content = document.to_json();
        let hash = sha256(content.as_bytes());
        let previous = document.previous_digest_signature.as_deref();
        let (bucket, key) = (document.digest_s3_bucket, document.digest_s3_object);
        let text = signed_text(&document.digest_end_time, &bucket, &key, &hash, previous);
        let link = DigestLink { bucket, key, end, hash, signature: signing_key.sign(&text) };
        self.taken.insert((link.bucket.clone(), link.key.clone()));
        let covered = covered.iter().map(|file| file.id).collect();
        let (trail, series) = (chain.trail, chain.series.clone());
        self.new.push(NewDigest { trail, series, link: link.clone(), document: content, covered, next_follows });
        Ok(link)
    }

    fn signing_key(&mut self, start: Timestamp, end: Timestamp) -> Result<Arc<SigningKey>, Error> {
        if let Some(key) = self.keys.get(&(start.millis(), end.millis())) {
            return Ok(Arc::clone(key));
        }
        let key = self.shared.keys.for_window(start, end)?;
        self.keys.insert((start.millis(), end.millis()), Arc::clone(&key));
        Ok(key)
    }

    /// Stores the planned digests, all or none of them; returns false, and stores none, if another node has changed what they are based on.
    fn store(&mut self) -> Result<bool, Error> {
        self.taken.clear();
        let new = std::mem::take(&mut self.new);
        if new.is_empty() {
            return Ok(true);
        }
        let (basis, cluster) = (self.basis, self.shared.cluster.clone());
        let stored = self.shared.store.write(move |transaction| {
            let Some(basis) = basis else {
                return new.iter().try_for_each(|digest| chain::plan(transaction, digest)).map(|()| Some(None));
            };
            if Basis::read(transaction, &cluster)? != basis {
                return Ok(None);
            }
            new.iter().try_for_each(|digest| chain::plan(transaction, digest))?;
            Ok::<_, Error>(Some(Some(Basis::read(transaction, &cluster)?)))
        })?;
        let Some(basis) = stored else { return Ok(false) };
        self.basis = basis;
        Ok(true)
    }
}

/// Returns the length of the windows from `start` to `now`: whole seconds, in milliseconds.
fn step(start: Timestamp, now: Timestamp, interval: Duration) -> i64 {
    let share = now.millis().saturating_sub(start.millis()).max(0) / WINDOWS_MAX;
    let share = share / 1_000 * 1_000 + 1_000;
    share.max(millis(interval.max(HOUR)))
}

fn second_after(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.millis() + 1_000)
}

fn document(
    chain: &Chain,
    (start, end): (Timestamp, Timestamp),
    key: String,
    fingerprint: &str,
    covered: &[UncoveredFile],
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
        log_files: covered.iter().map(UncoveredFile::to_log_file).collect(),
    }
}

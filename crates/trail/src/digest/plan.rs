//! The planning of digests: which windows of a chain get one, what each covers, and its signature.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws::Timestamp;
use store::Error;

use super::chain::{self, Link, New, Uncovered};
use super::document::{Document, HASH_ALGORITHM, SIGNATURE_ALGORITHM, signed_text};
use super::{Chain, Shared, millis};
use crate::public_key::sha256;
use crate::signing_key::SigningKey;

/// How long the windows are that make up for a time without digests, where the interval is not longer.
const HOUR: Duration = Duration::from_hours(1);

/// How many windows at most make up for a time without digests, however long it was, or however far a clock jumped.
const WINDOWS_MAX: i64 = 24;

/// How many chains are planned in one transaction, which others wait for.
const CHAINS_PER_WRITE: usize = 64;

/// What is planned and not in the store yet.
struct Planning<'a> {
    shared: &'a Shared,
    new: Vec<New>,
    /// The buckets and keys of `new`.
    taken: BTreeSet<(String, String)>,
    /// Chains end their windows together, so that one key signs many digests.
    keys: BTreeMap<(i64, i64), Arc<SigningKey>>,
}

/// Plans the digests of chains until now.
pub(super) fn all(shared: &Shared, chains: Vec<Chain>, now: Timestamp) -> Result<(), Error> {
    let mut planning = Planning { shared, new: Vec::new(), taken: BTreeSet::new(), keys: BTreeMap::new() };
    let mut chains = chains.into_iter().peekable();
    while chains.peek().is_some() && !shared.stop.is_set() {
        for chain in chains.by_ref().take(CHAINS_PER_WRITE) {
            planning.windows(chain, now)?;
        }
        planning.keep()?;
    }
    Ok(())
}

impl Planning<'_> {
    /// Plans the windows of a chain from its last digest until now.
    fn windows(&mut self, mut chain: Chain, now: Timestamp) -> Result<(), Error> {
        let mut uncovered = self.shared.store.read(|transaction| chain::uncovered(transaction, &chain))?;
        let now = self.end_of_last(&mut chain, now);
        let mut start = self.start(&chain, &uncovered, now)?;
        let step = step(start, now, self.shared.interval);
        while start < now {
            let is_last = now.millis() - start.millis() < step.saturating_mul(2);
            let mut end = if is_last { now } else { Timestamp::from_millis(start.millis() + step) };
            // The last window takes all, so that no log file is left out whose time a clock told wrongly.
            let until = if is_last {
                uncovered.len()
            } else {
                uncovered.partition_point(|file| file.delivered.whole_second() <= end)
            };
            let covered: Vec<Uncovered> = uncovered.drain(..until).collect();
            let mut key = chain.series.key(end);
            while self.is_taken(&chain.bucket, &key)? {
                // By a digest of a deleted trail of that name, of a time when the clock was ahead, or of another server.
                end = second_after(end);
                key = chain.series.key(end);
            }
            let next_follows = chain.is_on || !is_last;
            chain.last = Some(self.digest(&chain, (start, end), key, &covered, next_follows)?);
            start = end;
        }
        Ok(())
    }

    /// Returns when a chain's last window ends: now, or a second after the last digest if the clock went back since that one.
    ///
    /// After a clock that went back further than an interval the chain ends, and a new one begins.
    fn end_of_last(&self, chain: &mut Chain, now: Timestamp) -> Timestamp {
        let Some(last) = chain.last.as_ref().filter(|last| last.end >= now) else { return now };
        if last.end.millis() - now.millis() <= millis(self.shared.interval) {
            return second_after(last.end);
        }
        tracing::warn!(
            digest = last.key,
            end = last.end.iso(),
            now = now.iso(),
            "the clock went back behind the last digest; a new chain of digests begins"
        );
        chain.last = None;
        now
    }

    /// Returns where a chain's next window begins; that of a new chain takes in what is to be covered already.
    fn start(&self, chain: &Chain, uncovered: &[Uncovered], now: Timestamp) -> Result<Timestamp, Error> {
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
            || self.shared.buckets.has(bucket, key))
    }

    /// Makes a digest, which is to be kept.
    fn digest(
        &mut self,
        chain: &Chain,
        (start, end): (Timestamp, Timestamp),
        key: String,
        covered: &[Uncovered],
        next_follows: bool,
    ) -> Result<Link, Error> {
        let signing_key = self.signing_key(start, end)?;
        let document = document(chain, (start, end), key, signing_key.fingerprint(), covered);
        let content = document.to_json();
        let hash = sha256(content.as_bytes());
        let previous = document.previous_digest_signature.as_deref();
        let (bucket, key) = (document.digest_s3_bucket, document.digest_s3_object);
        let text = signed_text(&document.digest_end_time, &bucket, &key, &hash, previous);
        let made = Link { bucket, key, end, hash, signature: signing_key.sign(&text) };
        self.taken.insert((made.bucket.clone(), made.key.clone()));
        let covered = covered.iter().map(|file| file.id).collect();
        let (trail, series) = (chain.trail, chain.series.clone());
        self.new.push(New { trail, series, made: made.clone(), document: content, covered, next_follows });
        Ok(made)
    }

    fn signing_key(&mut self, start: Timestamp, end: Timestamp) -> Result<Arc<SigningKey>, Error> {
        if let Some(key) = self.keys.get(&(start.millis(), end.millis())) {
            return Ok(Arc::clone(key));
        }
        let key = self.shared.keys.for_window(start, end)?;
        self.keys.insert((start.millis(), end.millis()), Arc::clone(&key));
        Ok(key)
    }

    /// Keeps what is planned, all or nothing of it.
    fn keep(&mut self) -> Result<(), Error> {
        self.taken.clear();
        let new = std::mem::take(&mut self.new);
        if new.is_empty() {
            return Ok(());
        }
        self.shared.store.write(move |transaction| {
            for digest in &new {
                chain::plan(transaction, digest)?;
            }
            Ok(())
        })
    }
}

/// Returns how long a window is of those that make up for a time without digests, in milliseconds: whole seconds.
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

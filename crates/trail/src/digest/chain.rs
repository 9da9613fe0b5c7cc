//! Chains of digests in the store: log files to cover, planned digests, and delivered digests.

use std::time::Duration;

use aws::Timestamp;
use store::{Error, Row, Transaction};

use super::document::{LogFile, Series};
use super::millis;
use crate::digest::document::HASH_ALGORITHM;

/// The digests of one trail for the log files of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) trail: i64,
    pub(crate) series: Series,
    /// The bucket of the next digest.
    pub(crate) bucket: String,
    /// Whether the trail logs and has validation enabled.
    pub(crate) is_on: bool,
    /// The last digest, unless the chain has ended.
    pub(crate) last: Option<DigestLink>,
    /// The delivery time of the first uncovered log file.
    pub(crate) uncovered_since: Option<Timestamp>,
    /// The delivery time of the newest log file, or the last start of logging if that was later.
    pub(crate) used: Timestamp,
}

/// A digest as the next one of its chain names it.
#[derive(Clone, Debug)]
pub(crate) struct DigestLink {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) end: Timestamp,
    pub(crate) hash: String,
    pub(crate) signature: String,
}

/// A log file that no digest covers yet.
#[derive(Clone, Debug)]
pub(crate) struct UncoveredFile {
    pub(crate) id: i64,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) delivered: Timestamp,
    pub(crate) hash: String,
    pub(crate) oldest: Timestamp,
    pub(crate) newest: Timestamp,
}

/// A digest to be planned.
#[derive(Clone, Debug)]
pub(crate) struct NewDigest {
    pub(crate) trail: i64,
    pub(crate) series: Series,
    /// The name of this digest for the next one.
    pub(crate) link: DigestLink,
    pub(crate) document: String,
    /// The ids of the log files that it covers.
    pub(crate) covered: Vec<i64>,
    /// Whether another one follows; otherwise the chain ends with this one.
    pub(crate) next_follows: bool,
}

/// A digest that is planned and not in its bucket yet.
#[derive(Clone, Debug)]
pub(crate) struct PlannedDigest {
    pub(crate) id: i64,
    pub(crate) trail: i64,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) document: String,
    pub(crate) signature: String,
}

impl UncoveredFile {
    /// Returns the entry of the file in a digest.
    pub(crate) fn to_log_file(&self) -> LogFile {
        LogFile {
            s3_bucket: self.bucket.clone(),
            s3_object: self.key.clone(),
            hash_value: self.hash.clone(),
            hash_algorithm: HASH_ALGORITHM.to_owned(),
            newest_event_time: self.newest.iso(),
            oldest_event_time: self.oldest.iso(),
        }
    }
}

/// Intervals without a log file after which a chain is idle.
const INTERVALS_UNTIL_IDLE: i64 = 24;

impl Chain {
    /// Tells whether the chain has had no log files for so long that it gets no digests until there are new ones.
    pub(crate) fn is_idle(&self, now: Timestamp, interval: Duration) -> bool {
        let idle = now.millis().saturating_sub(self.used.millis());
        self.is_on && self.uncovered_since.is_none() && idle > millis(interval).saturating_mul(INTERVALS_UNTIL_IDLE)
    }

    /// Returns the time until its next digest is due, at most an interval.
    pub(crate) fn wait(&self, now: Timestamp, interval: Duration) -> Duration {
        let begin = self.last.as_ref().map(|last| last.end).or(self.uncovered_since).unwrap_or(self.used);
        let passed = now.millis().saturating_sub(begin.millis());
        if passed < -millis(interval) {
            // The clock was set back: a digest is due at once and starts a new chain.
            return Duration::ZERO;
        }
        interval.saturating_sub(Duration::from_millis(u64::try_from(passed).unwrap_or(0)))
    }
}

/// Lists the chains that get digests: those of active trails, for the home region and for each account and region with a log file; open
/// chains of other trails; and those with uncovered log files.
pub(crate) fn all(transaction: &Transaction) -> Result<Vec<Chain>, Error> {
    let files = "FROM log_files AS file WHERE file.trail = trails.id AND file.account = place.account AND file.region = place.region";
    let query = format!(
        "SELECT trails.id, place.account, place.region, trails.name, trails.home_region, trails.prefix, trails.bucket, \
            trails.logging = 1 AND trails.validation = 1 AND trails.deleted IS NULL, \
            (SELECT MIN(delivered) {files} AND digest IS NULL AND validated = 1 AND hash IS NOT NULL), \
            (SELECT MAX(delivered) {files}), COALESCE(trails.started, trails.created), last.bucket, last.key, last.window_end, last.hash, last.signature \
         FROM trails JOIN (SELECT DISTINCT trail, account, region FROM log_files \
            UNION SELECT trail, account, region FROM digests WHERE is_last = 1 \
            UNION SELECT id, account, home_region FROM trails) AS place ON place.trail = trails.id \
         LEFT JOIN digests AS last ON last.trail = trails.id AND last.account = place.account \
            AND last.region = place.region AND last.is_last = 1 \
         ORDER BY trails.id, place.account, place.region",
    );
    let mut chains = transaction.query(&query, &[], |row| {
        let series = Series {
            account: row.text(1)?,
            region: row.text(2)?,
            name: row.text(3)?,
            home_region: row.text(4)?,
            prefix: row.optional_text(5)?,
        };
        Ok(Chain {
            trail: row.integer(0)?,
            series,
            bucket: row.text(6)?,
            is_on: row.integer(7)? == 1,
            uncovered_since: row.optional_integer(8)?.map(Timestamp::from_millis),
            used: Timestamp::from_millis(row.integer(10)?.max(row.optional_integer(9)?.unwrap_or(i64::MIN))),
            last: last(row)?,
        })
    })?;
    chains.retain(|chain| chain.is_on || chain.last.is_some() || chain.uncovered_since.is_some());
    Ok(chains)
}

fn last(row: &Row<'_>) -> Result<Option<DigestLink>, Error> {
    let Some(end) = row.optional_integer(13)? else { return Ok(None) };
    let [bucket, key, hash, signature] = [row.text(11)?, row.text(12)?, row.text(14)?, row.text(15)?];
    Ok(Some(DigestLink { bucket, key, end: Timestamp::from_millis(end), hash, signature }))
}

/// Tells whether there is a digest that ended at a time.
pub(crate) fn is_any_of(transaction: &Transaction, end: Timestamp) -> Result<bool, Error> {
    let query = "SELECT id FROM digests WHERE window_end = ?1 LIMIT 1";
    Ok(transaction.query_one(query, &[end.millis().into()], |row| row.integer(0))?.is_some())
}

/// Returns the latest end of a digest of a trail, account and region, over all its chains, that is not after a time.
pub(crate) fn ended_before(
    transaction: &Transaction,
    chain: &Chain,
    time: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let ended = transaction.query_one(
        "SELECT MAX(window_end) FROM digests WHERE trail = ?1 AND account = ?2 AND region = ?3 AND window_end <= ?4",
        &[chain.trail.into(), (&chain.series.account).into(), (&chain.series.region).into(), time.millis().into()],
        |row| row.optional_integer(0),
    )?;
    Ok(ended.flatten().map(Timestamp::from_millis))
}

/// Tells whether a digest already has a key; a deleted trail of the same name may have one.
pub(crate) fn is_taken(transaction: &Transaction, bucket: &str, key: &str) -> Result<bool, Error> {
    let id = transaction.query_one(
        "SELECT id FROM digests WHERE bucket = ?1 AND key = ?2",
        &[bucket.into(), key.into()],
        |row| row.integer(0),
    )?;
    Ok(id.is_some())
}

/// Lists the uncovered log files of a chain, in the order of their delivery.
pub(crate) fn uncovered(transaction: &Transaction, chain: &Chain) -> Result<Vec<UncoveredFile>, Error> {
    transaction.query(
        "SELECT id, bucket, key, delivered, hash, COALESCE(oldest, delivered), COALESCE(newest, delivered) FROM log_files \
         WHERE trail = ?1 AND account = ?2 AND region = ?3 AND digest IS NULL AND validated = 1 AND hash IS NOT NULL \
         ORDER BY delivered, id",
        &[chain.trail.into(), (&chain.series.account).into(), (&chain.series.region).into()],
        |row| {
            let time = |column| row.integer(column).map(Timestamp::from_millis);
            Ok(UncoveredFile {
                id: row.integer(0)?,
                bucket: row.text(1)?,
                key: row.text(2)?,
                delivered: time(3)?,
                hash: row.text(4)?,
                oldest: time(5)?,
                newest: time(6)?,
            })
        },
    )
}

/// Returns the id of the newest digest; 0 if there is none.
pub(crate) fn newest(transaction: &Transaction) -> Result<i64, Error> {
    let newest = transaction.query_one("SELECT MAX(id) FROM digests", &[], |row| row.optional_integer(0))?;
    Ok(newest.flatten().unwrap_or(0))
}

/// Stores a digest and the log files that it covers, before it is written.
pub(crate) fn plan(transaction: &Transaction, new: &NewDigest) -> Result<(), Error> {
    let NewDigest { trail, series, link, document, covered, next_follows } = new;
    transaction.execute(
        "UPDATE digests SET is_last = 0 WHERE trail = ?1 AND account = ?2 AND region = ?3 AND is_last = 1",
        &[(*trail).into(), (&series.account).into(), (&series.region).into()],
    )?;
    let id = transaction.query_one(
        "INSERT INTO digests (trail, account, region, bucket, key, window_end, hash, signature, document, is_last) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id",
        &[
            (*trail).into(),
            (&series.account).into(),
            (&series.region).into(),
            (&link.bucket).into(),
            (&link.key).into(),
            link.end.millis().into(),
            (&link.hash).into(),
            (&link.signature).into(),
            document.into(),
            i64::from(*next_follows).into(),
        ],
        |row| row.integer(0),
    )?;
    let id = id.ok_or(Error::Damaged("a new digest has no id"))?;
    for file in covered {
        transaction.execute("UPDATE log_files SET digest = ?1 WHERE id = ?2", &[id.into(), (*file).into()])?;
    }
    Ok(())
}

/// Tells whether there are planned digests that are not written.
pub(crate) fn is_any_planned(transaction: &Transaction) -> Result<bool, Error> {
    let query = "SELECT id FROM digests WHERE document IS NOT NULL LIMIT 1";
    Ok(transaction.query_one(query, &[], |row| row.integer(0))?.is_some())
}

/// Lists the planned digests that are not written, the oldest first.
pub(crate) fn planned(transaction: &Transaction) -> Result<Vec<PlannedDigest>, Error> {
    transaction.query(
        "SELECT id, trail, bucket, key, document, signature FROM digests WHERE document IS NOT NULL ORDER BY id",
        &[],
        |row| {
            Ok(PlannedDigest {
                id: row.integer(0)?,
                trail: row.integer(1)?,
                bucket: row.text(2)?,
                key: row.text(3)?,
                document: row.text(4)?,
                signature: row.text(5)?,
            })
        },
    )
}

/// Marks a digest as written and drops its document, which is not needed any more.
pub(crate) fn mark_as_delivered(
    transaction: &Transaction,
    digest: &PlannedDigest,
    time: Timestamp,
) -> Result<(), Error> {
    transaction.execute("UPDATE digests SET document = NULL WHERE id = ?1", &[digest.id.into()])?;
    transaction.execute(
        "UPDATE trails SET digest_made = ?2, digest_error = NULL WHERE id = ?1",
        &[digest.trail.into(), time.millis().into()],
    )?;
    Ok(())
}

/// Stores the error of a bucket that failed to take a digest, in the status of the trail.
pub(crate) fn record_failure(transaction: &Transaction, digest: &PlannedDigest, error: &str) -> Result<(), Error> {
    transaction.execute("UPDATE trails SET digest_error = ?2 WHERE id = ?1", &[digest.trail.into(), error.into()])?;
    Ok(())
}

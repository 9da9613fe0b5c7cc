//! Chains of digests in the store: what is to be covered, what was planned, and what was delivered.

use aws::Timestamp;
use store::{Error, Row, Transaction};

use super::document::{LogFile, Series};
use crate::digest::document::HASH_ALGORITHM;

/// The digests of one trail for the log files of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) trail: i64,
    pub(crate) series: Series,
    /// The bucket of the next digest.
    pub(crate) bucket: String,
    /// Whether the trail logs and is to be validated.
    pub(crate) is_on: bool,
    /// The last digest, if another one follows it.
    pub(crate) last: Option<Link>,
    /// The end of the last digest of this chain or an earlier one.
    pub(crate) ended: Option<Timestamp>,
}

/// What a digest says of the one before it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) end: Timestamp,
    pub(crate) hash: String,
    pub(crate) signature: String,
}

/// A log file that no digest covers yet.
#[derive(Clone, Debug)]
pub(crate) struct Uncovered {
    pub(crate) id: i64,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) delivered: Timestamp,
    pub(crate) hash: String,
    pub(crate) oldest: Timestamp,
    pub(crate) newest: Timestamp,
}

/// A digest that was planned and is not in its bucket yet.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) id: i64,
    pub(crate) trail: i64,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) document: String,
    pub(crate) signature: String,
}

impl Uncovered {
    pub(crate) fn told(&self) -> LogFile {
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

/// Lists the chains that are due a digest: of trails that are on, for the home region and each place that ever had a log file,
/// and of others that have begun one.
pub(crate) fn all(transaction: &Transaction) -> Result<Vec<Chain>, Error> {
    let places = transaction.query(
        "SELECT trails.id, place.account, place.region, trails.name, trails.home_region, trails.prefix, trails.bucket, \
            trails.logging = 1 AND trails.validation = 1 AND trails.deleted IS NULL \
         FROM trails JOIN (SELECT DISTINCT trail, account, region FROM log_files \
            UNION SELECT trail, account, region FROM digests WHERE is_last = 1 \
            UNION SELECT id, account, home_region FROM trails) AS place ON place.trail = trails.id \
         ORDER BY trails.id, place.account, place.region",
        &[],
        |row| {
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
                last: None,
                ended: None,
            })
        },
    )?;
    let mut chains = Vec::new();
    for mut chain in places {
        let place = [chain.trail.into(), (&chain.series.account).into(), (&chain.series.region).into()];
        chain.last = transaction.query_one(
            "SELECT bucket, key, window_end, hash, signature FROM digests \
             WHERE trail = ?1 AND account = ?2 AND region = ?3 AND is_last = 1",
            &place,
            link,
        )?;
        let ended = transaction.query_one(
            "SELECT MAX(window_end) FROM digests WHERE trail = ?1 AND account = ?2 AND region = ?3",
            &place,
            |row| row.optional_integer(0),
        )?;
        chain.ended = ended.flatten().map(Timestamp::from_millis);
        if chain.is_on || chain.last.is_some() {
            chains.push(chain);
        }
    }
    Ok(chains)
}

/// Returns when the first and the last of the digests that others will follow ended; `None` if there is no such digest.
pub(crate) fn ends(transaction: &Transaction) -> Result<Option<(Timestamp, Timestamp)>, Error> {
    let ends = transaction.query_one(
        "SELECT MIN(window_end), MAX(window_end) FROM digests WHERE is_last = 1",
        &[],
        |row| Ok(row.optional_integer(0)?.zip(row.optional_integer(1)?)),
    )?;
    Ok(ends.flatten().map(|(first, last)| (Timestamp::from_millis(first), Timestamp::from_millis(last))))
}

/// Tells whether a digest has that key already, as that of a deleted trail of the same name may.
pub(crate) fn is_taken(transaction: &Transaction, bucket: &str, key: &str) -> Result<bool, Error> {
    let found = transaction.query_one(
        "SELECT id FROM digests WHERE bucket = ?1 AND key = ?2",
        &[bucket.into(), key.into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// Lists the log files that a chain's next digests are to cover, in the order in which they were delivered.
pub(crate) fn uncovered(transaction: &Transaction, chain: &Chain) -> Result<Vec<Uncovered>, Error> {
    transaction.query(
        "SELECT id, bucket, key, delivered, hash, COALESCE(oldest, delivered), COALESCE(newest, delivered) FROM log_files \
         WHERE trail = ?1 AND account = ?2 AND region = ?3 AND digest IS NULL AND validated = 1 AND hash IS NOT NULL \
         ORDER BY delivered, id",
        &[chain.trail.into(), (&chain.series.account).into(), (&chain.series.region).into()],
        |row| {
            let time = |column| row.integer(column).map(Timestamp::from_millis);
            Ok(Uncovered {
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

/// Keeps a digest before it is written, and which log files it covers; if none follows, the chain has ended.
pub(crate) fn plan(
    transaction: &Transaction,
    chain: &Chain,
    made: &Link,
    document: &str,
    covered: &[i64],
    next_follows: bool,
) -> Result<(), Error> {
    transaction.execute(
        "UPDATE digests SET is_last = 0 WHERE trail = ?1 AND account = ?2 AND region = ?3 AND is_last = 1",
        &[chain.trail.into(), (&chain.series.account).into(), (&chain.series.region).into()],
    )?;
    let id = transaction.query_one(
        "INSERT INTO digests (trail, account, region, bucket, key, window_end, hash, signature, document, is_last) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id",
        &[
            chain.trail.into(),
            (&chain.series.account).into(),
            (&chain.series.region).into(),
            (&made.bucket).into(),
            (&made.key).into(),
            made.end.millis().into(),
            (&made.hash).into(),
            (&made.signature).into(),
            document.into(),
            i64::from(next_follows).into(),
        ],
        |row| row.integer(0),
    )?;
    let id = id.ok_or(Error::Damaged("the id of a new digest"))?;
    for file in covered {
        transaction.execute("UPDATE log_files SET digest = ?1 WHERE id = ?2", &[id.into(), (*file).into()])?;
    }
    Ok(())
}

/// Tells whether anything was planned that is not delivered.
pub(crate) fn is_any_planned(transaction: &Transaction) -> Result<bool, Error> {
    let query = "SELECT id FROM digests WHERE document IS NOT NULL LIMIT 1";
    Ok(transaction.query_one(query, &[], |row| row.integer(0))?.is_some())
}

/// Lists what was planned and is not delivered, the oldest first.
pub(crate) fn planned(transaction: &Transaction) -> Result<Vec<Planned>, Error> {
    transaction.query(
        "SELECT id, trail, bucket, key, document, signature FROM digests WHERE document IS NOT NULL ORDER BY id",
        &[],
        |row| {
            Ok(Planned {
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

/// Notes that a digest is in its bucket: what it was made of is not needed any more.
pub(crate) fn delivered(transaction: &Transaction, digest: &Planned, time: Timestamp) -> Result<(), Error> {
    transaction.execute("UPDATE digests SET document = NULL WHERE id = ?1", &[digest.id.into()])?;
    transaction.execute(
        "UPDATE trails SET digest_made = ?2, digest_error = NULL WHERE id = ?1",
        &[digest.trail.into(), time.millis().into()],
    )?;
    Ok(())
}

/// Notes that a bucket did not take a digest.
pub(crate) fn failed(transaction: &Transaction, digest: &Planned, error: &str) -> Result<(), Error> {
    transaction.execute("UPDATE trails SET digest_error = ?2 WHERE id = ?1", &[digest.trail.into(), error.into()])?;
    Ok(())
}

fn link(row: &Row<'_>) -> Result<Link, Error> {
    Ok(Link {
        bucket: row.text(0)?,
        key: row.text(1)?,
        end: Timestamp::from_millis(row.integer(2)?),
        hash: row.text(3)?,
        signature: row.text(4)?,
    })
}

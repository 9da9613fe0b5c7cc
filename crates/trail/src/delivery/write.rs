//! The writing of planned log files, bucket by bucket.

use std::io;
use std::sync::Arc;

use serde_json::json;
use store::{Error, Transaction};

use super::plan::parse;
use super::{Failed, Shared};
use crate::log_file::Content;
use crate::trails::span::{self, Span};

/// How many planned files are looked up at a time.
const FILES_PER_ROUND: i64 = 100;

/// A file that is planned and not written.
struct Waiting {
    id: i64,
    trail: i64,
    span: i64,
    account: String,
    region: String,
    bucket: String,
    key: String,
    first_seq: i64,
    last_seq: i64,
}

/// What is known of a file once its content is made.
struct Made {
    content: Vec<u8>,
    hash: String,
    oldest: Option<i64>,
    newest: Option<i64>,
}

/// Names the buckets that planned files wait for.
pub(super) fn buckets(shared: &Shared) -> Result<Vec<String>, Error> {
    shared.store.read(|transaction| {
        let query = "SELECT DISTINCT bucket FROM log_files WHERE delivered IS NULL ORDER BY bucket";
        transaction.query(query, &[], |row| row.text(0))
    })
}

/// Writes all planned files of a bucket, those of before a crash first; the first failure ends it.
pub(super) fn all_of(shared: &Shared, bucket: &str) -> Result<(), Failed> {
    loop {
        let waiting = shared.store.read(|transaction| waiting(transaction, bucket))?;
        if waiting.is_empty() {
            return Ok(());
        }
        for file in waiting {
            let made = shared.store.read(|transaction| made(transaction, &file))?;
            let put = shared.buckets.get(bucket).put(&file.key, &made.content, &[]);
            if let Err(error) = put {
                tell_failure(shared, bucket, &error)?;
                return Err(Failed::Bucket(error));
            }
            count_as_written(shared, file, made)?;
        }
    }
}

fn waiting(transaction: &Transaction, bucket: &str) -> Result<Vec<Waiting>, Error> {
    transaction.query(
        "SELECT id, trail, span, account, region, bucket, key, first_seq, last_seq FROM log_files \
         WHERE delivered IS NULL AND bucket = ?1 ORDER BY id LIMIT ?2",
        &[bucket.into(), FILES_PER_ROUND.into()],
        |row| {
            Ok(Waiting {
                id: row.integer(0)?,
                trail: row.integer(1)?,
                span: row.integer(2)?,
                account: row.text(3)?,
                region: row.text(4)?,
                bucket: row.text(5)?,
                key: row.text(6)?,
                first_seq: row.integer(7)?,
                last_seq: row.integer(8)?,
            })
        },
    )
}

/// Makes a file's content of what its span takes.
fn made(transaction: &Transaction, file: &Waiting) -> Result<Made, Failed> {
    let query = format!("SELECT {} FROM trail_spans WHERE id = ?1", span::COLUMNS);
    let span = transaction.query_one(&query, &[file.span.into()], Span::of)?;
    let span = span.ok_or(Error::Damaged("the span of a log file is not there"))?;
    let mut content = Content::new();
    let (mut oldest, mut newest) = (None, None);
    let mut written = Ok(());
    transaction.query(
        "SELECT record, time, is_data FROM events WHERE seq BETWEEN ?3 AND ?4 AND account = ?1 AND region = ?2 ORDER BY seq",
        &[(&file.account).into(), (&file.region).into(), file.first_seq.into(), file.last_seq.into()],
        |row| {
            let (record, time, is_data) = (row.text(0)?, row.integer(1)?, row.integer(2)? == 1);
            let picks = || Ok::<_, Error>(span.picks(&file.region, is_data, &parse(&record)?));
            if written.is_ok() && if span.is_choosy() { picks()? } else { !is_data } {
                written = content.push(&record);
                oldest = Some(oldest.map_or(time, |oldest: i64| oldest.min(time)));
                newest = newest.max(Some(time));
            }
            Ok(())
        },
    )?;
    let finished = written.and_then(|()| content.finish());
    let (content, hash) = finished.map_err(Failed::Bucket)?;
    Ok(Made { content, hash, oldest, newest })
}

/// Counts a file as written, and has its trail's topic told of it.
fn count_as_written(shared: &Shared, file: Waiting, made: Made) -> Result<(), Error> {
    let (clock, notifier) = (Arc::clone(&shared.clock), Arc::clone(&shared.notifier));
    let Made { hash, oldest, newest, .. } = made;
    shared.store.write(move |transaction| {
        // Read here, so that files are in the order of their times, as digests need it.
        let now = clock.now().millis();
        transaction.execute(
            "UPDATE log_files SET delivered = ?2, hash = ?3, oldest = ?4, newest = ?5, \
                validated = (SELECT validation FROM trails WHERE trails.id = log_files.trail) WHERE id = ?1",
            &[file.id.into(), now.into(), (&hash).into(), oldest.into(), newest.into()],
        )?;
        transaction.execute(
            "UPDATE trails SET delivery_tried = ?2, delivery_made = ?2, delivery_error = NULL WHERE id = ?1",
            &[file.trail.into(), now.into()],
        )?;
        let message = json!({ "s3Bucket": file.bucket, "s3ObjectKey": [file.key] }).to_string();
        let told = transaction.execute(
            "INSERT INTO notifications (trail, topic, message, attempts, due) \
             SELECT trail, topic, ?2, 0, 0 FROM trail_spans WHERE id = ?1 AND topic IS NOT NULL",
            &[file.span.into(), (&message).into()],
        )?;
        if told > 0 {
            transaction.after_commit(move || notifier.wake());
        }
        Ok(())
    })
}

/// Lets the trails that wait for a bucket show what it answered.
fn tell_failure(shared: &Shared, bucket: &str, error: &io::Error) -> Result<(), Error> {
    let (bucket, error, now) = (bucket.to_owned(), code(error), shared.clock.now().millis());
    shared.store.write(move |transaction| {
        transaction.execute(
            "UPDATE trails SET delivery_tried = ?2, delivery_error = ?3 \
             WHERE id IN (SELECT trail FROM log_files WHERE delivered IS NULL AND bucket = ?1)",
            &[(&bucket).into(), now.into(), (&error).into()],
        )?;
        Ok(())
    })
}

/// The error code of S3 for a failure, where it has one; CloudTrail shows those.
pub(crate) fn code(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "NoSuchBucket".to_owned(),
        io::ErrorKind::PermissionDenied => "AccessDenied".to_owned(),
        _ => error.to_string(),
    }
}

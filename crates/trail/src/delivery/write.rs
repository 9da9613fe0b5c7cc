//! Writes the planned log files of each bucket.

use std::io;
use std::sync::Arc;

use serde_json::json;
use store::{Error, Transaction};

use super::{DeliveryError, DeliveryState};
use crate::log_file::Content;
use crate::trails::period::{self, TrailPeriod};

/// Planned files that are read at a time.
const FILES_PER_READ: i64 = 100;

/// A file that is planned and not written yet.
struct PendingFile {
    id: i64,
    trail: i64,
    period: i64,
    account: String,
    region: String,
    bucket: String,
    key: String,
    first_seq: i64,
    last_seq: i64,
}

/// The content of a file.
struct FileContent {
    gzip: Vec<u8>,
    /// The SHA-256 of the uncompressed content, in hexadecimal.
    hash: String,
    /// The times of the first and last event.
    oldest: Option<i64>,
    newest: Option<i64>,
    /// The number of events.
    events: i64,
}

/// Lists the buckets with planned files.
pub(super) fn buckets(shared: &DeliveryState) -> Result<Vec<String>, Error> {
    shared.store.read(|transaction| {
        let query = "SELECT DISTINCT bucket FROM log_files WHERE delivered IS NULL ORDER BY bucket";
        transaction.query(query, &[], |row| row.text(0))
    })
}

/// Writes all planned files of a bucket, those from before a crash first; stops at the first failure.
pub(super) fn pending_files(shared: &DeliveryState, bucket: &str) -> Result<(), DeliveryError> {
    loop {
        let files = shared.store.read(|transaction| read_pending(transaction, bucket))?;
        if files.is_empty() {
            return Ok(());
        }
        for file in files {
            let content = shared.store.read(|transaction| content(transaction, &file))?;
            let allowed = shared.destinations.check_row(file.trail, bucket, &file.key);
            let put = allowed.and_then(|()| shared.buckets.get(bucket).put(&file.key, &content.gzip, &[]));
            if let Err(error) = put {
                record_failure(shared, bucket, &error)?;
                return Err(DeliveryError::Bucket(error));
            }
            mark_as_written(shared, file, content)?;
        }
    }
}

fn read_pending(transaction: &Transaction, bucket: &str) -> Result<Vec<PendingFile>, Error> {
    transaction.query(
        "SELECT id, trail, span, account, region, bucket, key, first_seq, last_seq FROM log_files \
         WHERE delivered IS NULL AND bucket = ?1 ORDER BY id LIMIT ?2",
        &[bucket.into(), FILES_PER_READ.into()],
        |row| {
            Ok(PendingFile {
                id: row.integer(0)?,
                trail: row.integer(1)?,
                period: row.integer(2)?,
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

/// Builds the content of a file from the events that its period selects.
fn content(transaction: &Transaction, file: &PendingFile) -> Result<FileContent, DeliveryError> {
    let query = format!("SELECT {} FROM trail_spans WHERE id = ?1", period::COLUMNS);
    let period = transaction.query_one(&query, &[file.period.into()], TrailPeriod::of)?;
    let period = period.ok_or(Error::Damaged("the period of a log file is missing"))?;
    let mut writer = Content::new();
    let (mut oldest, mut newest, mut events) = (None, None, 0);
    let mut written = Ok(());
    let scope = (file.account.as_str(), file.region.as_str());
    period.for_each_selected(transaction, scope, file.first_seq..=file.last_seq, |record, time| {
        if written.is_ok() {
            written = writer.push(record);
            oldest = Some(oldest.map_or(time, |oldest: i64| oldest.min(time)));
            newest = newest.max(Some(time));
            events += 1;
        }
    })?;
    let finished = written.and_then(|()| writer.finish());
    let (gzip, hash) = finished.map_err(DeliveryError::Bucket)?;
    Ok(FileContent { gzip, hash, oldest, newest, events })
}

/// Marks a file as written, and queues the notification of its trail's topic; does nothing if another node was faster.
fn mark_as_written(shared: &DeliveryState, file: PendingFile, content: FileContent) -> Result<(), Error> {
    let (clock, notifier, cluster) = (Arc::clone(&shared.clock), Arc::clone(&shared.notifier), shared.cluster.clone());
    let FileContent { hash, oldest, newest, events, .. } = content;
    shared.store.write(move |transaction| {
        // Read in the transaction, so that the times of files increase with their order, which digests need.
        let now = cluster.time(transaction, clock.now().millis())?;
        let marked = transaction.execute(
            "UPDATE log_files SET delivered = ?2, hash = ?3, oldest = ?4, newest = ?5, events = ?6, \
                validated = (SELECT validation FROM trails WHERE trails.id = log_files.trail) \
             WHERE id = ?1 AND delivered IS NULL",
            &[file.id.into(), now.into(), (&hash).into(), oldest.into(), newest.into(), events.into()],
        )?;
        if marked == 0 {
            return Ok(());
        }
        transaction.execute(
            "UPDATE trails SET delivery_tried = ?2, delivery_made = ?2, delivery_error = NULL WHERE id = ?1",
            &[file.trail.into(), now.into()],
        )?;
        let message = json!({ "s3Bucket": file.bucket, "s3ObjectKey": [file.key] }).to_string();
        let notifications = transaction.execute(
            "INSERT INTO notifications (trail, topic, message, attempts, due) \
             SELECT trail, topic, ?2, 0, 0 FROM trail_spans WHERE id = ?1 AND topic IS NOT NULL",
            &[file.period.into(), (&message).into()],
        )?;
        if notifications > 0 {
            transaction.after_commit(move || notifier.wake());
        }
        Ok(())
    })
}

/// Stores the error of a bucket in the status of the trails with planned files for it.
fn record_failure(shared: &DeliveryState, bucket: &str, error: &io::Error) -> Result<(), Error> {
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

/// Returns the error code of S3 for a failure, as CloudTrail shows it, or the message if there is no code.
pub(crate) fn code(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "NoSuchBucket".to_owned(),
        io::ErrorKind::PermissionDenied => "AccessDenied".to_owned(),
        _ => error.to_string(),
    }
}

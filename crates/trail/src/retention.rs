//! Retention: files of buckets and events of the store are removed once they are older than a set age.
//!
//! **Invariant:** an event stays in the store until it is in all of its log files, and the newest event always stays: the `seq` of the
//! next one follows from it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws::Clock;
use bucket::{Buckets, METADATA, write_whole_file};
use store::{Error, Store, Transaction};
use worker::Stop;

use crate::{history, log_file, reference_changes, with_path};

/// Events that are removed in one transaction; other writes wait for it.
const EVENTS_PER_TRANSACTION: i64 = 200;

/// Maximum ages; by default everything is kept for ever.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// Maximum age of log files and digests in folder buckets.
    pub files: Option<Duration>,
    /// The folder that older files are moved to; without it they are removed.
    pub archive: Option<PathBuf>,
    /// Maximum age of events in the store.
    pub events: Option<Duration>,
}

/// One removal of everything that is too old; it must not run at the same time as a delivery.
pub(crate) struct Sweep<'a> {
    pub(crate) retention: &'a Retention,
    pub(crate) store: &'a Store,
    pub(crate) buckets: &'a Buckets,
    pub(crate) clock: &'a dyn Clock,
    /// Whether archived files are flushed to the disk.
    pub(crate) sync: bool,
    pub(crate) stop: &'a Stop,
}

impl Sweep<'_> {
    /// Removes old files or moves them to the archive, and removes old events.
    pub(crate) fn run(&self) -> io::Result<()> {
        if let Some(age) = self.retention.files {
            self.clear_files(age)?;
        }
        if let Some(age) = self.retention.events {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            let cutoff = self.clock.now().millis().saturating_sub(age);
            let batch = move |transaction: &Transaction| forget(transaction, cutoff);
            while !self.stop.is_set() && self.store.write(batch).map_err(io::Error::other)? {}
        }
        Ok(())
    }

    fn clear_files(&self, age: Duration) -> io::Result<()> {
        let now = u64::try_from(self.clock.machine_time().millis()).unwrap_or(0);
        let cutoff = SystemTime::UNIX_EPOCH + Duration::from_millis(now).saturating_sub(age);
        for (bucket, prefix) in self.folders().map_err(io::Error::other)? {
            let folder = self.buckets.folder(&bucket).folder().to_owned();
            let archive = self.retention.archive.as_ref().map(|archive| archive.join(&bucket));
            for inside in [PathBuf::from(&prefix), Path::new(METADATA).join(&prefix)] {
                let archived = archive.as_ref().map(|archive| archive.join(&inside));
                if self.stop.is_set() {
                    return Ok(());
                }
                let folder = folder.join(&inside);
                clear(&folder, archived.as_deref(), cutoff, self.sync).map_err(|error| with_path(&folder, &error))?;
            }
        }
        Ok(())
    }

    /// Lists the folder buckets of all trails, with the beginnings of the keys of their files.
    fn folders(&self) -> Result<BTreeSet<(String, String)>, Error> {
        let folders = self.store.read(|transaction| {
            let query = "SELECT DISTINCT bucket, prefix, account FROM trail_spans";
            transaction.query(query, &[], |row| {
                Ok((row.text(0)?, log_file::account_folder(row.optional_text(1)?.as_deref(), &row.text(2)?)))
            })
        })?;
        Ok(folders.into_iter().filter(|(bucket, _)| !self.buckets.is_remote(bucket)).collect())
    }
}

/// Removes old files below a folder, and the folders that are empty afterwards; returns whether the folder is empty.
fn clear(folder: &Path, archive: Option<&Path>, cutoff: SystemTime, sync: bool) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        entries => entries?,
    };
    let mut is_empty = true;
    for entry in entries {
        let (path, file) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        let archived = archive.zip(path.file_name()).map(|(archive, name)| archive.join(name));
        if file.is_dir() {
            let is_clear = clear(&path, archived.as_deref(), cutoff, sync)?;
            // A file may have been added meanwhile; then the folder stays.
            is_empty &= is_clear && fs::remove_dir(&path).is_ok();
        } else if file.is_file() && file.modified()? < cutoff {
            archive_or_remove(&path, archived.as_deref(), sync)?;
        } else {
            is_empty = false;
        }
    }
    Ok(is_empty)
}

/// Moves a file to the archive, which may be on another disk; without an archive, removes it.
fn archive_or_remove(path: &Path, archived: Option<&Path>, sync: bool) -> io::Result<()> {
    let Some(archived) = archived else { return fs::remove_file(path) };
    if let Some(folder) = archived.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::rename(path, archived).is_ok() {
        return Ok(());
    }
    write_whole_file(archived, &mut File::open(path)?, sync)?;
    fs::remove_file(path)
}

/// Removes some of the events that are older than a time in milliseconds; returns whether there may be more.
fn forget(transaction: &Transaction, cutoff: i64) -> Result<bool, Error> {
    let number =
        |query: &str| Ok::<_, Error>(transaction.query_one(query, &[], |row| row.optional_integer(0))?.flatten());
    let planned = number("SELECT last_seq FROM delivery")?.unwrap_or(0);
    let indexed = number("SELECT indexed_seq FROM history")?.unwrap_or(0);
    let newest = number("SELECT MAX(seq) FROM events")?.unwrap_or(0);
    let waiting = number("SELECT MIN(first_seq) FROM log_files WHERE delivered IS NULL")?.unwrap_or(i64::MAX);
    let before = waiting.min(newest).min(planned + 1).min(indexed + 1);
    let oldest = transaction.query(
        "SELECT seq, time FROM events WHERE seq < ?1 ORDER BY seq LIMIT ?2",
        &[before.into(), EVENTS_PER_TRANSACTION.into()],
        |row| Ok((row.integer(0)?, row.integer(1)? < cutoff)),
    )?;
    let count = oldest.iter().take_while(|(_, is_old)| *is_old).count();
    let [Some((first, _)), Some((last, _))] = [oldest.first(), count.checked_sub(1).and_then(|last| oldest.get(last))]
    else {
        return Ok(false);
    };
    history::forget(transaction, *first..=*last)?;
    reference_changes::forget(transaction, *first, *last)?;
    transaction.execute("DELETE FROM events WHERE seq BETWEEN ?1 AND ?2", &[(*first).into(), (*last).into()])?;
    Ok(i64::try_from(count) == Ok(EVENTS_PER_TRANSACTION))
}

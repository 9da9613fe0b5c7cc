//! Retention: what is older than a set age is removed, files from buckets that are folders and events from the store.
//!
//! **Invariant:** no event leaves the store that is not in all of its log files, and the newest one never does: it tells
//! the next one its place.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use store::{Error, Transaction};

use crate::bucket::write_whole;
use crate::delivery::Shared;
use crate::{history, log_file};

/// How many events are removed in one transaction, which others wait for.
const BATCH: i64 = 200;

/// What is kept how long; everything for ever if nothing is said.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// How long log files and digests stay.
    pub files: Option<Duration>,
    /// The folder that older ones are moved to; without it they are removed.
    pub archive: Option<PathBuf>,
    /// How long events stay in the store.
    pub events: Option<Duration>,
}

/// Removes or moves what is too old, after a delivery.
pub(crate) fn sweep(shared: &Shared) -> io::Result<()> {
    let retention = &shared.settings.retention;
    if let Some(age) = retention.files {
        let now = u64::try_from(shared.clock.now().millis()).unwrap_or(0);
        let cutoff = SystemTime::UNIX_EPOCH + Duration::from_millis(now).saturating_sub(age);
        for (bucket, prefix) in folders(shared).map_err(io::Error::other)? {
            let folder = shared.buckets.folder(&bucket).folder().to_owned();
            let archive = retention.archive.as_ref().map(|archive| archive.join(&bucket));
            for inside in [PathBuf::from(&prefix), Path::new(".metadata").join(&prefix)] {
                let archived = archive.as_ref().map(|archive| archive.join(&inside));
                if shared.stop.is_set() {
                    return Ok(());
                }
                clear(&folder.join(&inside), archived.as_deref(), cutoff, shared.settings.sync)?;
            }
        }
    }
    if let Some(age) = retention.events {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let cutoff = shared.clock.now().millis().saturating_sub(age);
        let batch = move |transaction: &Transaction| forget(transaction, cutoff);
        while !shared.stop.is_set() && shared.store.write(batch).map_err(io::Error::other)? {}
    }
    Ok(())
}

/// The buckets that are folders, and the beginnings of keys in them.
fn folders(shared: &Shared) -> Result<BTreeSet<(String, String)>, Error> {
    let places = shared.store.read(|transaction| {
        let query = "SELECT DISTINCT bucket, prefix, account FROM trail_spans";
        transaction.query(query, &[], |row| {
            Ok((row.text(0)?, log_file::account_folder(row.optional_text(1)?.as_deref(), &row.text(2)?)))
        })
    })?;
    Ok(places.into_iter().filter(|(bucket, _)| !shared.buckets.is_remote(bucket)).collect())
}

/// Clears a folder of old files, and of folders that are empty then; returns whether nothing is left.
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
            // A file may have come meanwhile, and then the folder stays.
            is_empty &= is_clear && fs::remove_dir(&path).is_ok();
        } else if file.is_file() && file.modified()? < cutoff {
            put_away(&path, archived.as_deref(), sync)?;
        } else {
            is_empty = false;
        }
    }
    Ok(is_empty)
}

/// Moves a file to the archive, which may lie on another disk, or removes it where there is none.
fn put_away(path: &Path, archived: Option<&Path>, sync: bool) -> io::Result<()> {
    let Some(archived) = archived else { return fs::remove_file(path) };
    if let Some(folder) = archived.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::rename(path, archived).is_ok() {
        return Ok(());
    }
    write_whole(archived, &mut File::open(path)?, sync)?;
    fs::remove_file(path)
}

/// Removes some of the oldest events; returns whether there may be more.
fn forget(transaction: &Transaction, cutoff: i64) -> Result<bool, Error> {
    let one = |query: &str| Ok::<_, Error>(transaction.query_one(query, &[], |row| row.optional_integer(0))?.flatten());
    let planned = one("SELECT last_seq FROM delivery")?.unwrap_or(0);
    let indexed = one("SELECT indexed_seq FROM history")?.unwrap_or(0);
    let newest = one("SELECT MAX(seq) FROM events")?.unwrap_or(0);
    let waiting = one("SELECT MIN(first_seq) FROM log_files WHERE delivered IS NULL")?.unwrap_or(i64::MAX);
    let before = waiting.min(newest).min(planned + 1).min(indexed + 1);
    let oldest = transaction.query(
        "SELECT seq, time FROM events WHERE seq < ?1 ORDER BY seq LIMIT ?2",
        &[before.into(), BATCH.into()],
        |row| Ok((row.integer(0)?, row.integer(1)? < cutoff)),
    )?;
    let count = oldest.iter().take_while(|(_, is_old)| *is_old).count();
    let [Some((first, _)), Some((last, _))] = [oldest.first(), count.checked_sub(1).and_then(|last| oldest.get(last))]
    else {
        return Ok(false);
    };
    history::forget(transaction, *first..=*last)?;
    transaction.execute("DELETE FROM events WHERE seq BETWEEN ?1 AND ?2", &[(*first).into(), (*last).into()])?;
    Ok(i64::try_from(count) == Ok(BATCH))
}

//! The reset: removes all events, files and trails; the next call of an account creates its default trail again.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use aws::Timestamp;
use cluster::DATA;
use store::{Error, Transaction};

use crate::{Trail, log_file};

/// The tables that a reset empties; signing keys stay, and so does the list of migrations.
const TABLES: [&str; 8] =
    ["events", "reference_changes", "log_files", "digests", "notifications", "trail_tags", "trail_spans", "trails"];

impl Trail {
    /// Returns whether there are events or trails, in any account and region.
    pub fn has_data(&self) -> Result<bool, Error> {
        self.store.read(|transaction| {
            let sql = "SELECT EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM trails)";
            Ok(transaction.query_one(sql, &[], |row| row.integer(0))? == Some(1))
        })
    }

    /// Removes all events, `events.ndjson`, all trails, and the log files in folder buckets.
    ///
    /// If other nodes run, the accounts keep their default trails.
    pub fn reset(&self) -> io::Result<()> {
        let (events, default_trails) = (self.recorder.events.clone(), Arc::clone(&self.recorder.default_trails));
        let (cluster, has_others) = (self.cluster.clone(), self.cluster.has_others().map_err(io::Error::other)?);
        let history = self.history();
        let _pauses = (self.digests.pause(), self.recorder.delivery.pause(), history.pause());
        let index = Arc::clone(&history);
        let folders = self.store.write(move |transaction| {
            let folders = log_folders(transaction)?;
            // Other nodes know these accounts, and would record events of them that no trail selects.
            let accounts = if has_others { accounts(transaction)? } else { Vec::new() };
            for table in TABLES {
                transaction.execute(&format!("DELETE FROM {table}"), &[])?;
            }
            transaction.execute("UPDATE delivery SET last_seq = 0", &[])?;
            index.clear(transaction)?;
            for (account, created) in accounts {
                default_trails.create(transaction, &account, created)?;
            }
            default_trails.forget(transaction);
            cluster.announce(transaction, DATA)?;
            transaction.after_commit(move || events.clear());
            Ok(folders)
        });
        for (bucket, prefix) in folders.map_err(|error: Error| io::Error::other(error))? {
            self.destinations.buckets.folder(&bucket).remove_all(&prefix)?;
        }
        Ok(())
    }

    /// Forgets what was read before another node removed all data.
    pub fn forget(&self) {
        self.recorder.default_trails.forget_all();
    }

    /// Lists the buckets, with the prefixes of their keys, that have log files and digests.
    pub fn log_folders(&self) -> Result<BTreeSet<(String, String)>, Error> {
        self.store.read(log_folders)
    }
}

fn log_folders(transaction: &Transaction) -> Result<BTreeSet<(String, String)>, Error> {
    let query = "SELECT DISTINCT bucket, prefix, account FROM trail_spans";
    let folders = transaction.query(query, &[], |row| {
        Ok((row.text(0)?, log_file::account_folder(row.optional_text(1)?.as_deref(), &row.text(2)?)))
    })?;
    Ok(folders.into_iter().collect())
}

/// Lists the accounts that have or had a trail, with the time of the first one.
fn accounts(transaction: &Transaction) -> Result<Vec<(String, Timestamp)>, Error> {
    let query = "SELECT account, MIN(created) FROM trails GROUP BY account";
    transaction.query(query, &[], |row| Ok((row.text(0)?, Timestamp::from_millis(row.integer(1)?))))
}

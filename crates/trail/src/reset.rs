//! The reset: everything is forgotten, and every account has its built-in trail again once it is met.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use store::Error;

use crate::{Trail, log_file};

/// What holds rows that a reset removes; the database's own list of steps stays, and so do signing keys.
const TABLES: [&str; 7] = ["events", "log_files", "digests", "notifications", "trail_tags", "trail_spans", "trails"];

impl Trail {
    /// Forgets everything: the events, `events.ndjson`, trails, and the log files in buckets that are folders.
    pub fn reset(&self) -> io::Result<()> {
        let (events, built_in) = (Arc::clone(&self.events), Arc::clone(&self.built_in));
        let history = self.history();
        let _pauses = (self.digests.pause(), self.delivery.pause(), history.pause());
        let index = Arc::clone(&history);
        let folders = self.store.write(move |transaction| {
            let query = "SELECT DISTINCT bucket, prefix, account FROM trail_spans";
            let folders = transaction.query(query, &[], |row| {
                Ok((row.text(0)?, log_file::account_folder(row.optional_text(1)?.as_deref(), &row.text(2)?)))
            })?;
            for table in TABLES {
                transaction.execute(&format!("DELETE FROM {table}"), &[])?;
            }
            transaction.execute("UPDATE delivery SET last_seq = 0", &[])?;
            index.clear(transaction)?;
            built_in.forget(transaction);
            transaction.after_commit(move || events.clear());
            Ok(folders)
        });
        let folders: BTreeSet<_> = folders.map_err(|error: Error| io::Error::other(error))?.into_iter().collect();
        for (bucket, prefix) in folders {
            self.buckets.folder(&bucket).remove_all(&prefix)?;
        }
        Ok(())
    }
}

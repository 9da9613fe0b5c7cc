//! Maintenance of the database in the background, after some commits.
//!
//! SQLite: checkpoints, which copy committed pages from the write-ahead log into the database file. SQLite makes one in the commit that
//! makes the log long, and the changes of that time wait for all its writes and syncs. Here a connection of its own copies most pages while
//! changes go on; they wait only for the rest, once the log is long.
//!
//! PostgreSQL: statistics of new tables (`postgres/statistics.rs`).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::{Error, Store, Transaction, postgres};

/// Commits after which maintenance is due; most have three to ten pages.
const COMMITS: usize = 256;

/// Length of the log, in pages, after which it begins anew; 16 MiB.
const LOG_PAGES_MAX: i64 = 4_096;

/// Length of the log, in pages, after which a commit makes a checkpoint all the same: the one in the background fails or is late.
const LOG_PAGES_BOUND: i64 = 4 * LOG_PAGES_MAX;

/// When maintenance is due, and the connection that makes checkpoints.
#[derive(Default)]
pub(crate) struct Maintenance {
    /// Commits since the last one.
    commits: AtomicUsize,
    /// Wakes the thread that does it; without it, SQLite makes checkpoints in commits.
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
    connection: Mutex<Option<Transaction>>,
}

impl Maintenance {
    /// Counts a commit.
    pub(crate) fn count(&self) {
        if self.commits.fetch_add(1, Ordering::Relaxed) + 1 == COMMITS
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
    }
}

impl Store {
    /// Leaves maintenance to a thread that `wake` wakes, and that then calls [`Store::maintain`].
    pub fn maintain_in_background(&self, wake: impl Fn() + Send + Sync + 'static) -> Result<(), Error> {
        self.writer.keep_log_until(LOG_PAGES_BOUND)?;
        // Set once, by the server that opened the store.
        let _ = self.maintenance.wake.set(Box::new(wake));
        Ok(())
    }

    /// Maintains the database while changes go on.
    pub fn maintain(&self) -> Result<(), Error> {
        self.maintenance.commits.store(0, Ordering::Relaxed);
        if self.is_remote() { postgres::analyze_new_tables(self) } else { self.checkpoint() }
    }

    /// Makes a checkpoint; the log begins anew if it is long.
    fn checkpoint(&self) -> Result<(), Error> {
        let mut connection = self.maintenance.connection.lock();
        let transaction = match connection.take() {
            Some(transaction) => transaction,
            None => self.writer.open_another()?,
        };
        // After a failure the connection is not used again.
        let pages = transaction.checkpoint()?;
        *connection = Some(transaction);
        if pages > LOG_PAGES_MAX {
            self.writer.checkpoint()?;
        }
        Ok(())
    }
}

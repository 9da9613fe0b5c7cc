//! Checkpoints in the background: copy committed pages from the write-ahead log into the database file.
//!
//! SQLite makes one in the commit that makes the log long, and the changes of that time wait for all its writes and syncs. Here a
//! connection of its own copies most pages while changes go on; they wait only for the rest, once the log is long.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::{Error, Store, Transaction};

/// Commits after which a checkpoint is due; most have three to ten pages.
const COMMITS: usize = 256;

/// Length of the log, in pages, after which it begins anew; 16 MiB.
const LOG_PAGES_MAX: i64 = 4_096;

/// Length of the log, in pages, after which a commit makes a checkpoint all the same: the one in the background fails or is late.
const LOG_PAGES_BOUND: i64 = 4 * LOG_PAGES_MAX;

/// When a checkpoint is due, and the connection that makes it.
#[derive(Default)]
pub(crate) struct Checkpoints {
    /// Commits since the last one.
    commits: AtomicUsize,
    /// Wakes the thread that makes them; without it, SQLite makes them in commits.
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
    connection: Mutex<Option<Transaction>>,
}

impl Checkpoints {
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
    /// Leaves checkpoints to a thread that `wake` wakes, and that then calls [`Store::checkpoint`].
    pub fn checkpoint_in_background(&self, wake: impl Fn() + Send + Sync + 'static) -> Result<(), Error> {
        self.writer.keep_log_until(LOG_PAGES_BOUND)?;
        // Set once, by the server that opened the store.
        let _ = self.checkpoints.wake.set(Box::new(wake));
        Ok(())
    }

    /// Makes a checkpoint; the log begins anew if it is long.
    pub fn checkpoint(&self) -> Result<(), Error> {
        self.checkpoints.commits.store(0, Ordering::Relaxed);
        let mut connection = self.checkpoints.connection.lock();
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

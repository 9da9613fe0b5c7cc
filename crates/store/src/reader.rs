//! Read-only connections: one for each thread that reads at the same time.
//!
//! **Invariant:** a connection with a failed statement is closed and not used again.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::mode::Mode;
use crate::{Cause, Error, Transaction};

/// Maximum number of idle connections to files that stay open; each has a page cache.
const IDLE_MAX: usize = 8;

/// Maximum time to wait for a connection, if their number is limited.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Readers {
    open: Box<dyn Fn() -> Result<Transaction, Error> + Send + Sync>,
    idle: Mutex<Vec<Transaction>>,
    /// Limits the connections to a server.
    limit: Option<Limit>,
}

/// The connections that may still be used.
struct Limit {
    free: Mutex<usize>,
    freed: Condvar,
}

/// One of the connections that may be used at the same time.
struct Permit<'a>(&'a Limit);

impl Readers {
    pub(crate) fn new(
        open: impl Fn() -> Result<Transaction, Error> + Send + Sync + 'static,
        count_max: Option<usize>,
    ) -> Self {
        let limit = count_max.map(|count| Limit { free: Mutex::new(count), freed: Condvar::new() });
        Self { open: Box::new(open), idle: Mutex::default(), limit }
    }

    pub(crate) fn run<R, E: From<Error>>(
        &self,
        mode: Mode,
        query: impl FnOnce(&Transaction) -> Result<R, E>,
    ) -> Result<R, E> {
        let _permit = self.limit.as_ref().map(Limit::take).transpose()?;
        let transaction = self.idle().map_or_else(|| (self.open)(), Ok)?;
        transaction.begin(mode)?;
        // A panic in the query drops the connection and its transaction.
        let result = query(&transaction);
        if transaction.roll_back() && !transaction.has_failed() {
            self.keep(transaction);
        }
        result
    }

    /// Keeps an idle connection. All those to a server are kept: a new one is a new process there, which costs as much as ten calls.
    fn keep(&self, transaction: Transaction) {
        let mut idle = self.idle.lock();
        if self.limit.is_some() || idle.len() < IDLE_MAX {
            idle.push(transaction);
        }
    }

    /// Takes an idle connection; those that a server has ended meanwhile are dropped.
    fn idle(&self) -> Option<Transaction> {
        let mut idle = self.idle.lock();
        std::iter::from_fn(|| idle.pop()).find(Transaction::is_alive)
    }
}

impl Limit {
    fn take(&self) -> Result<Permit<'_>, Error> {
        let mut free = self.free.lock();
        let deadline = Instant::now() + WAIT_MAX;
        while *free == 0 {
            if self.freed.wait_until(&mut free, deadline).timed_out() {
                let reason = "all connections for reading are in use".to_owned();
                return Err(Error::Database { database: "postgres".to_owned(), reason, cause: Cause::TimedOut });
            }
        }
        *free -= 1;
        Ok(Permit(self))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

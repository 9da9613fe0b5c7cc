//! Read-only connections: one for each thread that reads at the same time.
//!
//! **Invariant:** a connection with a failed statement is closed and not used again.

use parking_lot::Mutex;

use crate::{Error, Transaction};

/// Maximum number of idle connections that stay open; each has a page cache.
const IDLE_MAX: usize = 8;

pub(crate) struct Readers {
    open: Box<dyn Fn() -> Result<Transaction, Error> + Send + Sync>,
    idle: Mutex<Vec<Transaction>>,
}

impl Readers {
    pub(crate) fn new(open: impl Fn() -> Result<Transaction, Error> + Send + Sync + 'static) -> Self {
        Self { open: Box::new(open), idle: Mutex::default() }
    }

    pub(crate) fn run<R, E: From<Error>>(&self, query: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        let idle = self.idle.lock().pop();
        let transaction = idle.map_or_else(|| (self.open)(), Ok)?;
        transaction.begin("BEGIN")?;
        // A panic in the query drops the connection and its transaction.
        let result = query(&transaction);
        if transaction.roll_back() && !transaction.has_failed() {
            let mut idle = self.idle.lock();
            if idle.len() < IDLE_MAX {
                idle.push(transaction);
            }
        }
        result
    }
}

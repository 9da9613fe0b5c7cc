//! Connections that only read, as many as there are threads that read at once.

use std::sync::Mutex;

use rusqlite::Connection;

use crate::{Error, Transaction};

/// Idle connections kept open; each holds a page cache.
const IDLE_MAX: usize = 8;

pub(crate) struct Readers {
    open: Box<dyn Fn() -> Result<Connection, Error> + Send + Sync>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(open: impl Fn() -> Result<Connection, Error> + Send + Sync + 'static) -> Self {
        Self { open: Box::new(open), idle: Mutex::default() }
    }

    pub(crate) fn run<R, E: From<Error>>(&self, query: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        let idle = self.idle.lock().expect("no holder of this lock panics").pop();
        let transaction = Transaction::over(idle.map_or_else(|| (self.open)(), Ok)?);
        transaction.statement("BEGIN")?;
        // A panic in the query drops the connection with its transaction.
        let result = query(&transaction);
        transaction.statement("ROLLBACK")?;
        let mut idle = self.idle.lock().expect("no holder of this lock panics");
        if idle.len() < IDLE_MAX {
            idle.push(transaction.into_connection());
        }
        result
    }
}

//! Receipts: what tells whether a commit whose answer was lost has taken place.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio_postgres::types::ToSql;

use super::connection::Identity;
use crate::Value;

/// Creates the table of receipts, and removes those of processes that ended long ago.
///
/// It has a row for each process, whose number each commit changes. The row is never read but after a lost answer.
pub(super) const CREATE_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS commit_receipts (
        writer TEXT PRIMARY KEY,
        number BIGINT NOT NULL,
        written TIMESTAMPTZ NOT NULL DEFAULT now()
    ) WITH (fillfactor = 50);
    DELETE FROM commit_receipts WHERE written < now() - interval '1 day'";

/// Returns the statement that writes the receipt of a commit; its parameters have this number and the next one.
pub(super) fn write_receipt(parameter: usize) -> String {
    let next = parameter + 1;
    format!(
        "INSERT INTO commit_receipts (writer, number) VALUES (${parameter}, ${next}) \
         ON CONFLICT (writer) DO UPDATE SET number = excluded.number, written = now()"
    )
}

/// Finds the receipt of a commit, with the values of [`Receipt::values`].
pub(crate) const FIND_RECEIPT: &str = "SELECT 1 FROM commit_receipts WHERE writer = ?1 AND number = ?2";

/// The number of the last commit of this process.
static NUMBER: AtomicI64 = AtomicI64::new(0);

/// The number that a commit wrote into the row of its process.
pub(crate) struct Receipt {
    writer: Box<str>,
    number: i64,
}

impl Identity {
    pub(super) fn next_receipt(&self) -> Receipt {
        Receipt { writer: Box::from(&*self.writer), number: NUMBER.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Receipt {
    pub(crate) fn values(&self) -> [Value<'_>; 2] {
        [Value::Text(&self.writer), self.number.into()]
    }

    pub(super) fn parameters(&self) -> [&(dyn ToSql + Sync); 2] {
        [&self.writer, &self.number]
    }
}

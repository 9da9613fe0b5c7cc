//! The row that tells whether a seed was applied.
//!
//! **Invariant:** as long as the row says that a seed is unfinished, the data folder has nothing else than a part of it.

use store::{Error, Store};

/// The migrations, in order.
const STEPS: &[&str] = &["CREATE TABLE seed (id INTEGER PRIMARY KEY CHECK (id = 1), is_finished INTEGER NOT NULL);"];

/// Whether a seed was applied to a data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No seed was applied.
    Unseeded,
    /// The process ended while it applied a seed.
    Unfinished,
    /// A seed was applied.
    Finished,
}

/// Creates the table.
pub fn migrate(store: &Store) -> Result<(), Error> {
    store.migrate("seed", STEPS)
}

/// Reads the row; creates its table if there is none.
pub(crate) fn read(store: &Store) -> Result<Progress, Error> {
    migrate(store)?;
    let row =
        store.read(|transaction| transaction.query_one("SELECT is_finished FROM seed", &[], |row| row.integer(0)))?;
    Ok(match row {
        None => Progress::Unseeded,
        Some(0) => Progress::Unfinished,
        Some(_) => Progress::Finished,
    })
}

/// Writes the row.
pub(crate) fn write(store: &Store, progress: Progress) -> Result<(), Error> {
    store.write(move |transaction| {
        transaction.execute("DELETE FROM seed", &[])?;
        if progress != Progress::Unseeded {
            let is_finished = i64::from(progress == Progress::Finished);
            transaction.execute("INSERT INTO seed (id, is_finished) VALUES (1, ?1)", &[is_finished.into()])?;
        }
        Ok(())
    })
}

//! A database for a test: a file of SQLite, or a schema on the server of `CODECOMMIT_LOCAL_TEST_DATABASE`.

use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::postgres::ServerSettings;
use crate::{Durability, Store};

/// The variable with the URL of a server; `scripts/postgres` sets it.
const VARIABLE: &str = "CODECOMMIT_LOCAL_TEST_DATABASE";

/// The database of one test.
pub(crate) enum TestDatabase {
    Sqlite(TempDir),
    Postgres(Box<ServerSettings>),
}

impl TestDatabase {
    pub(crate) fn new() -> Self {
        match server_url() {
            Some(url) => Self::Postgres(Box::new(ServerSettings::parse(&url).expect("the URL is valid"))),
            None => Self::Sqlite(tempfile::tempdir().expect("a temporary folder can be created")),
        }
    }

    pub(crate) fn open(&self) -> Store {
        match self {
            Self::Sqlite(folder) => {
                Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable")
            }
            Self::Postgres(settings) => {
                Store::connect((**settings).clone(), Durability::Normal).expect("the server of the tests runs")
            }
        }
    }

    /// Opens it with a table of notes, which are numbered in their order.
    pub(crate) fn open_notes(&self) -> Store {
        let store = self.open();
        let steps = &["CREATE TABLE notes (number INTEGER PRIMARY KEY, text TEXT NOT NULL)"];
        store.migrate("test", steps).expect("the statement is valid");
        store
    }
}

/// Returns the URL of a new schema on the server of the tests.
pub(crate) fn server_url() -> Option<String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let url = std::env::var(VARIABLE).ok()?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let separator = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{separator}schema=store_{}_{number}", std::process::id()))
}

/// Lists the notes of a store in their order.
pub(crate) fn notes(store: &Store) -> Vec<String> {
    store
        .read(|transaction| transaction.query("SELECT text FROM notes ORDER BY number", &[], |row| row.text(0)))
        .expect("the table exists")
}

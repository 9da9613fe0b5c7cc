//! The database of the servers of the tests: a file of SQLite, or a schema on the server of `CODECOMMIT_LOCAL_TEST_DATABASE`.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use store::postgres::ServerSettings;
use store::{Durability, Error, Store, Transaction};

/// The variable with the URL of a server with PostgreSQL; `scripts/postgres` sets it.
const VARIABLE: &str = "CODECOMMIT_LOCAL_TEST_DATABASE";

/// Tables that a migration fills, with the statement that brings their first rows back; `None` keeps the rows.
const FILLED: [(&str, Option<&str>); 5] = [
    ("migrations", None),
    ("needed_migrations", None),
    ("commit_receipts", None),
    ("delivery", Some("UPDATE delivery SET last_seq = 0, own_bucket = ''")),
    ("history", Some("UPDATE history SET indexed_seq = 0")),
];

/// Schemas of tests that have ended. Emptying one takes a tenth of the time of creating all tables.
static FREE: Mutex<Vec<Named>> = Mutex::new(Vec::new());

/// A schema on the server of the tests.
#[derive(Clone)]
struct Named {
    url: String,
    settings: ServerSettings,
}

/// The schema of a test, which another test can have afterwards.
pub struct Schema(Named);

impl Schema {
    /// Takes a schema without data, if there is a server.
    pub fn take() -> Option<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let url = std::env::var(VARIABLE).ok()?;
        let free = FREE.lock().pop();
        let free = free.inspect(|named| empty(&named.settings));
        Some(Self(free.unwrap_or_else(|| {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let separator = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{separator}schema=suite_{}_{number}", std::process::id());
            let settings = ServerSettings::parse(&url).expect("the URL of the tests is valid");
            Named { url, settings }
        })))
    }

    /// Returns the settings of a server.
    pub fn settings(&self) -> ServerSettings {
        self.0.settings.clone()
    }

    /// Returns the URL for the flag `--database`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Keeps it from other tests, as this one changes its tables.
    pub fn spoil(self) {
        std::mem::forget(self);
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        FREE.lock().push(self.0.clone());
    }
}

/// Removes all rows of a schema, and lets its ids begin anew.
fn empty(settings: &ServerSettings) {
    let store = Store::connect(settings.clone(), Durability::Normal).expect("the server of the tests runs");
    let emptied: Result<(), Error> = store.write(|transaction: &Transaction| {
        // References between tables need no order then.
        let mut statements = vec!["SET LOCAL session_replication_role = replica".to_owned()];
        let sql = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";
        for table in transaction.query(sql, &[], |row| row.text(0))? {
            match FILLED.iter().find(|(name, _)| *name == table) {
                Some((_, Some(statement))) => statements.push((*statement).to_owned()),
                Some((_, None)) => {}
                None => statements.push(format!("DELETE FROM {table}")),
            }
        }
        // At once, as each statement by itself would be prepared for this one use.
        transaction.execute_all(&statements.join(";"))?;
        let sql = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace";
        transaction.query(sql, &[], |_row| Ok(())).map(drop)
    });
    emptied.expect("the tests may do this on their server");
}

/// Returns whether the servers of the tests use SQLite; if not, says why a test has nothing to look at.
pub fn is_sqlite(reason: &str) -> bool {
    let is_sqlite = std::env::var_os(VARIABLE).is_none();
    if !is_sqlite {
        eprintln!("not run with PostgreSQL: {reason}");
    }
    is_sqlite
}

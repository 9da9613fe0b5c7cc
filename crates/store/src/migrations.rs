//! Migrations: the steps that create the tables of a crate and change those of older versions, also while servers of those run.
//!
//! A step only adds what servers without it neither need nor mind: tables, indexes, columns with a default. So a server of an older
//! version works on the database before and after it. A step that removes or changes something is a [`Contract`].

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{Error, Store, Transaction};

/// Maximum time to wait for servers of older versions to end: one that was killed counts as running for 30 seconds.
const OLDER_TIME_MAX: Duration = Duration::from_secs(40);

/// Time between two looks at them.
const OLDER_INTERVAL: Duration = Duration::from_secs(1);

/// A step that removes or changes what servers use that have fewer steps. It waits until none of them runs, and none starts afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// The index of the step.
    pub step: usize,
    /// The number of steps of the crate that servers must have.
    pub since: usize,
}

/// Returns the names of the running servers that have fewer than this number of steps of an owner.
pub type FindOlder = fn(transaction: &Transaction, owner: &str, steps: usize) -> Result<Vec<String>, Error>;

/// What a store knows of its migrations.
#[derive(Default)]
pub(crate) struct Migrations {
    steps: Mutex<BTreeMap<&'static str, usize>>,
    /// What the database had when this store first migrated something, by owner.
    found: OnceLock<BTreeMap<String, Counts>>,
    find_older: OnceLock<FindOlder>,
}

/// Numbers of steps of an owner.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// Those that were run.
    done: usize,
    /// Those that a server must have.
    needed: usize,
}

/// The steps of a crate.
#[derive(Clone, Copy)]
struct Steps {
    owner: &'static str,
    all: &'static [&'static str],
    contracts: &'static [Contract],
    find_older: Option<FindOlder>,
}

impl Store {
    /// Migrates the tables of a crate: each of `steps` runs once in the life of a database, in their order.
    ///
    /// Fails if servers of this version cannot work on the database, because a newer version has removed something.
    pub fn migrate(&self, owner: &'static str, steps: &'static [&'static str]) -> Result<(), Error> {
        self.migrate_with_contracts(owner, steps, &[])
    }

    /// Does the same as [`Store::migrate`] with steps some of which remove or change something.
    ///
    /// Waits up to 40 seconds for servers that cannot work on the database afterwards, and fails if one still runs.
    pub fn migrate_with_contracts(
        &self,
        owner: &'static str,
        steps: &'static [&'static str],
        contracts: &'static [Contract],
    ) -> Result<(), Error> {
        // A server migrates everything before it joins others, and each crate its own tables when it is opened.
        if self.migrations.steps.lock().get(owner) == Some(&steps.len()) {
            return Ok(());
        }
        let found = self.found(owner)?;
        if found.needed <= steps.len() && steps.len() <= found.done {
            self.migrations.steps.lock().insert(owner, steps.len());
            return Ok(());
        }
        let find_older = self.migrations.find_older.get().copied();
        let steps = Steps { owner, all: steps, contracts, find_older };
        let deadline = Instant::now() + OLDER_TIME_MAX;
        let mut waits_for = String::new();
        loop {
            let older = self.write(move |transaction| steps.run(transaction))?;
            if older.is_empty() {
                self.migrations.steps.lock().insert(owner, steps.all.len());
                return Ok(());
            }
            let servers = older.join(", ");
            if Instant::now() >= deadline {
                return Err(Error::OlderServers { servers });
            }
            if servers != waits_for {
                tracing::warn!(
                    servers,
                    "waiting for servers of an older version to end, which cannot use the changed database"
                );
                waits_for = servers;
            }
            thread::sleep(OLDER_INTERVAL);
        }
    }

    /// Returns what the database had of an owner's steps, which is read for all owners at once: a start need not commit for each of them.
    fn found(&self, owner: &str) -> Result<Counts, Error> {
        if self.migrations.found.get().is_none() {
            // Another thread may have set the same.
            let _ = self.migrations.found.set(self.write(read_counts)?);
        }
        Ok(self.migrations.found.get().and_then(|found| found.get(owner)).copied().unwrap_or_default())
    }

    /// Sets how servers on the same database are found; without it, there are no others.
    pub fn find_older_servers(&self, find: FindOlder) {
        // A second call has the same function.
        let _ = self.migrations.find_older.set(find);
    }

    /// Returns the number of steps that this server has of each owner that was migrated.
    pub fn migrated(&self) -> BTreeMap<&'static str, usize> {
        self.migrations.steps.lock().clone()
    }
}

impl Steps {
    /// Runs the steps that are missing, until one has to wait; returns the servers for which it waits.
    fn run(&self, transaction: &Transaction) -> Result<Vec<String>, Error> {
        let Counts { done, mut needed } = read_counts(transaction)?.get(self.owner).copied().unwrap_or_default();
        if needed > self.all.len() {
            return Err(Error::TooNew { database: transaction.database(), setting: transaction.setting() });
        }
        let (mut reached, mut older) = (done, Vec::new());
        for (step, sql) in self.all.iter().enumerate().skip(done) {
            if let Some(contract) = self.contracts.iter().find(|contract| contract.step == step) {
                // A new database has no servers yet.
                if let Some(find_older) = self.find_older.filter(|_| done > 0) {
                    older = find_older(transaction, self.owner, contract.since)?;
                }
                if !older.is_empty() {
                    break;
                }
                needed = needed.max(contract.since);
            }
            transaction.execute_all(sql)?;
            reached = step + 1;
        }
        self.keep(transaction, "migrations", reached)?;
        if needed > 0 {
            self.keep(transaction, "needed_migrations", needed)?;
        }
        Ok(older)
    }

    fn keep(&self, transaction: &Transaction, table: &str, steps: usize) -> Result<(), Error> {
        let sql = format!(
            "INSERT INTO {table} (owner, steps) VALUES (?1, ?2) ON CONFLICT (owner) DO UPDATE SET steps = excluded.steps"
        );
        let steps = i64::try_from(steps).expect("the number of steps fits");
        transaction.note(&sql, &[self.owner.into(), steps.into()])
    }
}

/// Reads the numbers of steps of each owner, from tables that are created if they do not exist.
fn read_counts(transaction: &Transaction) -> Result<BTreeMap<String, Counts>, Error> {
    transaction.execute_all(
        "CREATE TABLE IF NOT EXISTS migrations (owner TEXT PRIMARY KEY, steps INTEGER NOT NULL); \
         CREATE TABLE IF NOT EXISTS needed_migrations (owner TEXT PRIMARY KEY, steps INTEGER NOT NULL)",
    )?;
    let rows = |table: &str| {
        transaction.query(&format!("SELECT owner, steps FROM {table}"), &[], |row| {
            Ok((row.text(0)?, usize::try_from(row.integer(1)?).unwrap_or(0)))
        })
    };
    let mut counts = BTreeMap::<String, Counts>::new();
    for (owner, steps) in rows("migrations")? {
        counts.entry(owner).or_default().done = steps;
    }
    for (owner, steps) in rows("needed_migrations")? {
        counts.entry(owner).or_default().needed = steps;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_database::TestDatabase;

    const OLD: &[&str] = &["CREATE TABLE notes (number INTEGER PRIMARY KEY, text TEXT NOT NULL)"];
    const OTHERS: &[&str] = &["CREATE TABLE others (number INTEGER PRIMARY KEY)"];
    const EXPANDED: &[&str] = &[OLD[0], "ALTER TABLE notes ADD COLUMN length INTEGER"];
    const CONTRACTED: &[&str] = &[OLD[0], EXPANDED[1], "ALTER TABLE notes DROP COLUMN text"];
    const CONTRACTS: &[Contract] = &[Contract { step: 2, since: 2 }];

    fn count(store: &Store, column: &str) -> Result<usize, Error> {
        let sql = format!("SELECT COUNT({column}) FROM notes");
        store.read(|transaction| transaction.query(&sql, &[], |row| row.integer(0)).map(|rows| rows.len()))
    }

    #[test]
    fn an_older_server_works_beside_a_newer_one_until_a_step_removes_what_it_uses() {
        let database = TestDatabase::new();
        let store = database.open();
        store.migrate("test", EXPANDED).expect("the steps are valid");
        store.migrate("test", OLD).expect("the new column does not matter");
        store.migrate("test", EXPANDED).expect("no step runs twice");
        store.migrate_with_contracts("test", CONTRACTED, CONTRACTS).expect("no other server is known");
        assert!(count(&store, "text").is_err() && count(&store, "length").is_ok());
        store.migrate("test", EXPANDED).expect("it does not use the removed column");
        assert!(matches!(store.migrate("test", OLD), Err(Error::TooNew { .. })));
    }

    #[test]
    fn a_database_with_all_steps_is_not_changed() {
        let database = TestDatabase::new();
        let store = database.open();
        store.migrate("one", OLD).expect("the step is valid");
        store.migrate("other", OTHERS).expect("the step is valid");
        let store = database.open();
        store.migrate("one", OLD).expect("there is nothing to do");
        // The next statement would fail.
        store.fail_statement(1);
        store.migrate("other", OTHERS).expect("there is nothing to do");
        assert_eq!(store.fail_statement(0), 1, "it had no statement");
        assert_eq!(store.migrated().into_iter().collect::<Vec<_>>(), [("one", 1), ("other", 1)]);
    }

    #[test]
    fn a_new_database_gets_all_steps_at_once() {
        let database = TestDatabase::new();
        let store = database.open();
        store.find_older_servers(|_, _, _| Ok(vec!["never asked".to_owned()]));
        store.migrate_with_contracts("test", CONTRACTED, CONTRACTS).expect("nobody uses the database");
        assert_eq!(store.migrated().into_iter().collect::<Vec<_>>(), [("test", 3)]);
    }

    #[test]
    fn a_step_that_removes_something_waits_for_older_servers() {
        let database = TestDatabase::new();
        let store = database.open();
        store.migrate("test", OLD).expect("the step is valid");
        store
            .migrate("servers", &["CREATE TABLE servers (name TEXT PRIMARY KEY, steps INTEGER NOT NULL)"])
            .expect("the step is valid");
        let add =
            |transaction: &Transaction| transaction.execute_all("INSERT INTO servers VALUES ('old', 1), ('new', 2)");
        store.write::<_, Error>(add).expect("the table is there");
        // The first look finds the older server, and ends it.
        store.find_older_servers(|transaction, owner, steps| {
            assert_eq!(owner, "test");
            let steps = i64::try_from(steps).expect("it is small");
            let sql = "DELETE FROM servers WHERE steps < ?1 RETURNING name";
            transaction.query(sql, &[steps.into()], |row| row.text(0))
        });
        store.migrate_with_contracts("test", CONTRACTED, CONTRACTS).expect("the older server has ended");
        let left = store.read(|transaction| transaction.query("SELECT name FROM servers", &[], |row| row.text(0)));
        assert_eq!(left.map_err(|error: Error| error.to_string()), Ok(vec!["new".to_owned()]));
        assert!(count(&store, "text").is_err(), "the step has run");
    }
}

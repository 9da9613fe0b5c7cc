//! Random keys: each is the only row of a table, and is never replaced.

use crate::{Error, Store, Transaction};

/// Length of a key in bytes.
const LENGTH: usize = 32;

impl Store {
    /// Returns the random key of a table: `column` of its only row, whose `id` is 1. `new` is inserted if there is no row.
    ///
    /// It is one transaction, and it never replaces a key: of two processes that start at the same time, both get the key of the first.
    pub fn random_key(
        &self,
        table: &'static str,
        column: &'static str,
        new: [u8; LENGTH],
    ) -> Result<[u8; LENGTH], Error> {
        self.write(move |transaction| {
            let stored = match read(transaction, table, column)? {
                Some(stored) => stored,
                None => insert(transaction, table, column, &new)?,
            };
            stored.try_into().map_err(|_| Error::Damaged(table))
        })
    }
}

fn read(transaction: &Transaction, table: &str, column: &str) -> Result<Option<Vec<u8>>, Error> {
    transaction.query_one(&format!("SELECT {column} FROM {table}"), &[], |row| row.blob(0))
}

fn insert(transaction: &Transaction, table: &str, column: &str, key: &[u8]) -> Result<Vec<u8>, Error> {
    transaction.execute(&format!("INSERT INTO {table} (id, {column}) VALUES (1, ?1)"), &[key.into()])?;
    Ok(key.to_vec())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use crate::test_database::TestDatabase;
    use crate::{Error, Store};

    const STEPS: &[&str] = &["CREATE TABLE keys (id INTEGER PRIMARY KEY CHECK (id = 1), bytes BLOB NOT NULL);"];

    fn open(database: &TestDatabase) -> Store {
        let store = database.open();
        store.migrate("keys", STEPS).expect("the table is created");
        store
    }

    #[test]
    fn the_first_key_stays() {
        let database = TestDatabase::new();
        for number in 1..=3 {
            let key = open(&database).random_key("keys", "bytes", [number; 32]).expect("the database is sound");
            assert_eq!(key, [1; 32]);
        }
    }

    #[test]
    fn all_who_start_at_the_same_time_get_one_key() {
        let database = TestDatabase::new();
        let stores = [(); 2].map(|()| Arc::new(open(&database)));
        let threads: Vec<_> = (1..=8)
            .map(|number| {
                let store = Arc::clone(&stores[usize::from(number % 2)]);
                thread::spawn(move || store.random_key("keys", "bytes", [number; 32]).expect("the database is sound"))
            })
            .collect();
        let keys: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect();
        assert_eq!(keys, [keys[0]; 8]);
    }

    #[test]
    fn a_key_of_another_length_is_reported_and_kept() {
        let database = TestDatabase::new();
        let store = open(&database);
        let insert = "INSERT INTO keys (id, bytes) VALUES (1, ?1)";
        let short: &[u8] = &[1, 2];
        store.write(move |transaction| transaction.execute(insert, &[short.into()])).expect("the table is empty");
        for _ in 0..2 {
            assert!(matches!(store.random_key("keys", "bytes", [1; 32]), Err(Error::Damaged("keys"))));
        }
    }
}

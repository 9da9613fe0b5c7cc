//! Copies all rows from the tables of one database to those of another, of the same engine or the other one.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::OwnedValue;
use crate::{Error, Transaction, Value};

/// Rows that are read at once.
const PAGE_ROWS: usize = 500;

/// The columns of all tables: table, column, place in the primary key or 0; in the order of the columns.
const SQLITE_COLUMNS: &str = "
    SELECT t.name, c.name, c.pk FROM sqlite_master t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name, c.cid";
const POSTGRES_COLUMNS: &str = "
    SELECT t.relname, a.attname, COALESCE((SELECT p.place FROM unnest(i.indkey::smallint[]) WITH ORDINALITY p (number, place) WHERE p.number = a.attnum), 0)
    FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
    WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY t.relname, a.attnum";

/// The tables that refer to another one by a foreign key: table, the other one.
const SQLITE_PARENTS: &str = "
    SELECT t.name, p.\"table\" FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) p WHERE t.type = 'table'";
const POSTGRES_PARENTS: &str = "
    SELECT t.relname, p.relname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class p ON p.oid = c.confrelid
    WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace";

/// The columns that a server numbers by itself: table, column. SQLite numbers after the largest number that is there.
const POSTGRES_NUMBERED: &str = "
    SELECT t.relname, a.attname FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
    WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND a.attidentity <> ''";

/// A table.
#[derive(Debug, Default)]
struct Table {
    columns: Vec<String>,
    /// Columns of the primary key, in its order, as indices of `columns`.
    key: Vec<usize>,
    /// Tables whose rows must be there before its own.
    parents: BTreeSet<String>,
}

/// Replaces all rows of the tables of `target` by those of the tables of `source`, which have the same columns; returns their number.
///
/// The tables that `left_out` names stay as they are on both sides, and may be on one side only.
pub fn copy_tables(source: &Transaction, target: &Transaction, left_out: &[&str]) -> Result<u64, Error> {
    let (from, to) = (tables(source, left_out)?, tables(target, left_out)?);
    let columns = |table: &Table| table.columns.iter().cloned().collect::<BTreeSet<_>>();
    let differs = |(name, table): (&String, &Table)| to.get(name).map(columns) != Some(columns(table));
    if from.len() != to.len() || from.iter().any(differs) {
        return Err(Error::Refused("the two databases have different tables"));
    }
    let order = parents_first(&from)?;
    for name in order.iter().rev() {
        target.note(&format!("DELETE FROM \"{name}\""), &[])?;
    }
    let mut rows = 0;
    for name in order {
        rows += copy_table(source, target, name, &from[name])?;
    }
    if target.is_remote() {
        continue_numbers(target)?;
    }
    Ok(rows)
}

fn tables(transaction: &Transaction, left_out: &[&str]) -> Result<BTreeMap<String, Table>, Error> {
    let (columns, parents) =
        if transaction.is_remote() { (POSTGRES_COLUMNS, POSTGRES_PARENTS) } else { (SQLITE_COLUMNS, SQLITE_PARENTS) };
    let mut tables = BTreeMap::<String, Table>::new();
    let mut keys = BTreeMap::<String, BTreeMap<i64, usize>>::new();
    for (name, column, place) in
        transaction.query(columns, &[], |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)?)))?
    {
        if left_out.contains(&name.as_str()) {
            continue;
        }
        let table = tables.entry(name.clone()).or_default();
        if place > 0 {
            keys.entry(name).or_default().insert(place, table.columns.len());
        }
        table.columns.push(column);
    }
    for (name, key) in keys {
        tables.entry(name).or_default().key = key.into_values().collect();
    }
    for (name, parent) in transaction.query(parents, &[], |row| Ok((row.text(0)?, row.text(1)?)))? {
        if let Some(table) = tables.get_mut(&name) {
            table.parents.insert(parent);
        }
    }
    Ok(tables)
}

/// Sorts tables so that each comes after those that it refers to.
fn parents_first(tables: &BTreeMap<String, Table>) -> Result<Vec<&String>, Error> {
    let mut order = Vec::new();
    while order.len() < tables.len() {
        let is_next = |(name, table): &(&String, &Table)| {
            !order.contains(name) && table.parents.iter().all(|parent| parent == *name || order.contains(&parent))
        };
        let Some((next, _)) = tables.iter().find(is_next) else {
            return Err(Error::Refused("the tables refer to each other in a circle"));
        };
        order.push(next);
    }
    Ok(order)
}

/// Copies the rows of a table in the order of its key, or all at once if it has none.
fn copy_table(source: &Transaction, target: &Transaction, name: &str, table: &Table) -> Result<u64, Error> {
    let columns = quoted(&table.columns);
    let insert = format!("INSERT INTO \"{name}\" ({columns}) VALUES ({})", parameters(table.columns.len()));
    let select = format!("SELECT {columns} FROM \"{name}\"");
    let key: Vec<_> = table.key.iter().map(|column| &table.columns[*column]).collect();
    let key = quoted(&key);
    let page = |condition: &str| format!("{select} {condition} ORDER BY {key} LIMIT {PAGE_ROWS}");
    let (first, next) = match table.key.len() {
        0 => (select, None),
        count => (page(""), Some(page(&format!("WHERE ({key}) > ({})", parameters(count))))),
    };
    let read = |sql: &str, after: &[Value<'_>]| -> Result<Vec<Vec<OwnedValue>>, Error> {
        source.query(sql, after, |row| (0..table.columns.len()).map(|column| row.value(column)).collect())
    };
    let mut rows = read(&first, &[])?;
    let mut count = 0;
    loop {
        let add = |row: &Vec<OwnedValue>| target.note(&insert, &row.iter().map(OwnedValue::value).collect::<Vec<_>>());
        // At its end, the server has taken the page, so that no more is kept in memory.
        target.savepoint(|| rows.iter().try_for_each(add))?;
        count += rows.len() as u64;
        let Some((next, last)) = next.as_ref().zip(rows.last()).filter(|_| rows.len() == PAGE_ROWS) else {
            return Ok(count);
        };
        let after: Vec<_> = table.key.iter().map(|column| last[*column].value()).collect();
        rows = read(next, &after)?;
    }
}

/// Lets a server number new rows after those that are there.
fn continue_numbers(target: &Transaction) -> Result<(), Error> {
    for (table, column) in target.query(POSTGRES_NUMBERED, &[], |row| Ok((row.text(0)?, row.text(1)?)))? {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), COALESCE(MAX(\"{column}\"), 0) + 1, false) FROM \"{table}\""
        );
        target.query(&sql, &[], |_row| Ok(()))?;
    }
    Ok(())
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn parameters(count: usize) -> String {
    (1..=count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::test_database::TestDatabase;
    use crate::{Durability, Store};

    const STEPS: &[&str] = &["
        CREATE TABLE values_by_key (name TEXT NOT NULL, number INTEGER NOT NULL, bytes BLOB, PRIMARY KEY (number, name)) WITHOUT ROWID;
        CREATE TABLE parents (id INTEGER PRIMARY KEY, \"order\" TEXT);
        CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents (id));
        CREATE TABLE state (last INTEGER NOT NULL);
        INSERT INTO state VALUES (0);
        CREATE TABLE own (text TEXT NOT NULL);
    "];

    fn prepared(store: Store) -> Arc<Store> {
        store.migrate("test", STEPS).expect("the statements are valid");
        Arc::new(store)
    }

    fn file(folder: &tempfile::TempDir, name: &str) -> Arc<Store> {
        prepared(Store::open(&folder.path().join(name), Durability::Normal).expect("the folder is writable"))
    }

    fn copy(source: &Arc<Store>, target: &Store) -> Result<u64, Error> {
        let source = Arc::clone(source);
        target.write(move |target| {
            source.read(|source| copy_tables(source, target, &["migrations", "commit_receipts", "own"]))
        })
    }

    fn content(store: &Store) -> Vec<Vec<String>> {
        store
            .read(|transaction| -> Result<_, Error> {
                let queries = [
                    "SELECT name, number, bytes FROM values_by_key ORDER BY number, name",
                    "SELECT id, \"order\" FROM parents ORDER BY id",
                    "SELECT id, parent FROM a_child ORDER BY id",
                    "SELECT last FROM state",
                ];
                let shown = |sql: &&str| {
                    let columns = sql.split(" FROM ").next().map_or(0, |columns| columns.split(',').count());
                    transaction.query(sql, &[], |row| {
                        let values: Result<Vec<_>, _> = (0..columns).map(|column| row.value(column)).collect();
                        values.map(|values| format!("{values:?}"))
                    })
                };
                queries.iter().map(shown).collect()
            })
            .expect("the tables exist")
    }

    #[test]
    fn all_rows_are_there_and_back_and_numbers_go_on() {
        let (folder, database) = (tempfile::tempdir().expect("the disk has space"), TestDatabase::new());
        let (source, other) = (file(&folder, "source.db"), prepared(database.open()));
        source
            .write(|transaction| -> Result<(), Error> {
                // More than two pages, with equal first columns at their borders.
                for number in 0..1_203_i64 {
                    let (name, bytes) = (format!("{number:04} \u{e9}"), [0, 255]);
                    let bytes = (number % 3 > 0).then_some(&bytes[..]);
                    let values = [(&name).into(), (number / 7).into(), bytes.into()];
                    transaction.execute("INSERT INTO values_by_key (name, number, bytes) VALUES (?1, ?2, ?3)", &values)?;
                }
                transaction.execute_all(
                    "INSERT INTO parents (id, \"order\") VALUES (7, 'x'), (9, NULL); INSERT INTO a_child (parent) VALUES (9); \
                     UPDATE state SET last = 5; INSERT INTO own VALUES ('stays')",
                )
            })
            .expect("the rows are valid");
        assert_eq!(copy(&source, &other).expect("the tables are the same"), 1_203 + 2 + 1 + 1);
        assert_eq!(content(&other), content(&source));
        let added = other.write(|transaction| {
            transaction
                .query_one("INSERT INTO parents (\"order\") VALUES ('new') RETURNING id", &[], |row| row.integer(0))
        });
        assert_eq!(added.expect("the number is free"), Some(10));
        // What is there is replaced.
        let back = file(&folder, "back.db");
        back.write(|transaction| {
            transaction.execute_all("INSERT INTO parents (id) VALUES (1); INSERT INTO a_child VALUES (5, 1)")
        })
        .expect("the rows are valid");
        copy(&other, &back).expect("the tables are the same");
        assert_eq!(content(&back), content(&other));
        let own =
            |store: &Store| store.read(|transaction| transaction.query("SELECT text FROM own", &[], |row| row.text(0)));
        assert_eq!(own(&other).expect("the table exists"), Vec::<String>::new());
    }

    #[test]
    fn databases_with_different_tables_stay_as_they_are() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let (source, target) = (file(&folder, "source.db"), file(&folder, "target.db"));
        target
            .write(|transaction| transaction.execute_all("INSERT INTO parents (id) VALUES (1)"))
            .expect("the row is valid");
        let before = content(&target);
        source.migrate("more", &["ALTER TABLE parents ADD COLUMN more TEXT"]).expect("the statement is valid");
        let error = copy(&source, &target).expect_err("a column is missing").to_string();
        assert!(error.contains("different tables"), "{error}");
        assert_eq!(content(&target), before);
    }
}

//! Statistics of new tables, by which the server's planner chooses an index.
//!
//! The server collects them itself, but only about once a minute. Until then it takes each condition for equally selective, so that an
//! index that begins with the same account for all rows may be read instead of the one of a unique name: slower with each row.

use crate::{Error, Store};

/// Tables whose plans matter by now, and that have no statistics. The server counts rows about a second late.
const NEW_TABLES: &str = "SELECT quote_ident(relname) FROM pg_stat_user_tables \
    WHERE schemaname = current_schema() AND n_live_tup >= 50 AND last_analyze IS NULL AND last_autoanalyze IS NULL";

/// Collects the first statistics of each table that has rows; plans that were made before are made again.
pub(crate) fn analyze_new_tables(store: &Store) -> Result<(), Error> {
    let tables = store.read_once(|transaction| transaction.query(NEW_TABLES, &[], |row| row.text(0)))?;
    for table in tables {
        // The end of a transaction that reads would remove them.
        store.read_once(|transaction| transaction.query(&format!("ANALYZE {table}"), &[], |_row| Ok(())))?;
    }
    Ok(())
}

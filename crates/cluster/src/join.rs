//! How a node gets its name.

use std::thread;
use std::time::Duration;

use store::{Error, Store, Transaction};

use crate::beat::{self, LEASE};
use crate::{JoinError, NodeSettings};

/// Time between two looks at a node that has the name, and may have ended without leaving.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Time in milliseconds after which a node that is not seen is forgotten.
const FORGOTTEN_AFTER: i64 = 24 * 60 * 60 * 1_000;

/// A node that was seen, and whose process may have ended since.
struct Holder {
    seen: i64,
    address: String,
}

/// Takes the name for this node.
///
/// A node with the name that is seen again meanwhile runs. One that is not seen for the time of a lease has ended without leaving.
pub(crate) fn take_name(store: &Store, node: &NodeSettings) -> Result<(), JoinError> {
    let mut first_seen = None;
    loop {
        let settings = node.clone();
        let Some(holder) = store.write(move |transaction| take(transaction, &settings))? else { return Ok(()) };
        if *first_seen.get_or_insert(holder.seen) != holder.seen {
            return Err(JoinError::NameInUse { name: node.name.clone(), address: holder.address });
        }
        thread::sleep(CHECK_INTERVAL);
    }
}

/// Takes the name if no running node can have it; else returns the one that has it.
fn take(transaction: &Transaction, node: &NodeSettings) -> Result<Option<Holder>, Error> {
    let holder = transaction.query_one(
        "SELECT instance, seen, stopped, address FROM nodes WHERE name = ?1",
        &[(&node.name).into()],
        |row| {
            let is_same = row.text(0)? == node.instance;
            let holder = Holder { seen: row.integer(1)?, address: row.text(3)? };
            Ok((!is_same && row.optional_integer(2)?.is_none()).then_some(holder))
        },
    )?;
    let now = beat::now(transaction)?;
    if let Some(holder) = holder.flatten().filter(|holder| holder.seen >= now - LEASE) {
        return Ok(Some(holder));
    }
    transaction.execute(
        "DELETE FROM nodes WHERE name = ?1 OR seen < ?2",
        &[(&node.name).into(), (now - FORGOTTEN_AFTER).into()],
    )?;
    transaction.execute(
        "INSERT INTO nodes (name, instance, version, address, started, seen, clock_offset) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0)",
        &[
            (&node.name).into(),
            (&node.instance).into(),
            (&node.version).into(),
            (&node.address).into(),
            now.into(),
        ],
    )?;
    Ok(None)
}

//! The references that a push changed, with their commits before: records of CloudTrail do not have these.

use std::collections::HashMap;

use aws::{Call, Denial, Facts, Failure};
use serde::{Deserialize, Serialize};
use store::{Error, Transaction};

use crate::{Exception, Trail};

/// A reference that a push changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceChange {
    /// The full name.
    pub name: String,
    /// The id of the object that it named before; `None` if the push created it.
    pub old: Option<String>,
    /// Whether the new commit does not contain the old one.
    pub is_forced: bool,
}

/// The table; `changes` is a list of [`ReferenceChange`] as JSON.
pub(crate) const STEP: &str = "
    CREATE TABLE reference_changes (
        event_id TEXT PRIMARY KEY,
        changes TEXT NOT NULL
    ) WITHOUT ROWID;
";

impl Trail {
    /// Returns what pushes changed, by the ids of their events; the record of the call is not written.
    ///
    /// Pushes that changed nothing, and those from before this was stored, are left out. Needs the permission `cloudtrail:LookupEvents`.
    pub fn reference_changes(
        &self,
        call: &Call,
        event_ids: &[&str],
    ) -> Result<HashMap<String, Vec<ReferenceChange>>, Failure> {
        call.allow_action("cloudtrail:LookupEvents", "*", &Facts::default()).map_err(Denial::json)?;
        let read = |transaction: &Transaction| {
            let mut found = HashMap::new();
            for event_id in event_ids {
                let sql = "SELECT changes FROM reference_changes WHERE event_id = ?1";
                if let Some(text) = transaction.query_one(sql, &[(*event_id).into()], |row| row.text(0))? {
                    let changes = serde_json::from_str(&text)
                        .map_err(|_| Error::Damaged("the changes of a push cannot be read"))?;
                    found.insert((*event_id).to_owned(), changes);
                }
            }
            Ok::<_, Error>(found)
        };
        Ok(self.store.read(read).map_err(Exception::from)?)
    }
}

/// Stores the changes of an event.
pub(crate) fn insert(transaction: &Transaction, event_id: &str, changes: &[ReferenceChange]) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let changes = serde_json::to_string(changes).expect("names and ids are JSON");
    let sql = "INSERT INTO reference_changes (event_id, changes) VALUES (?1, ?2)";
    transaction.note(sql, &[event_id.into(), changes.as_str().into()])
}

/// Removes the changes of events, before the events are removed in the same transaction.
pub(crate) fn forget(transaction: &Transaction, first_seq: i64, last_seq: i64) -> Result<(), Error> {
    let sql = "DELETE FROM reference_changes WHERE event_id IN \
               (SELECT event_id FROM events WHERE seq BETWEEN ?1 AND ?2 AND name = 'GitPush')";
    transaction.execute(sql, &[first_seq.into(), last_seq.into()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::{Durability, Store};

    use super::*;
    use crate::schema;

    #[test]
    fn changes_are_removed_with_their_events_only() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
        store.migrate("trail", schema::STEPS).expect("the migrations are valid");
        let change = ReferenceChange { name: "refs/heads/main".to_owned(), old: None, is_forced: false };
        let left = store.write(move |transaction| {
            for (seq, event_id) in [(1_i64, "first"), (2, "second"), (3, "third")] {
                transaction.execute(
                    "INSERT INTO events (seq, event_id, account, region, time, name, record) \
                     VALUES (?1, ?2, '111122223333', 'us-east-1', ?1, 'GitPush', '{}')",
                    &[seq.into(), event_id.into()],
                )?;
                insert(transaction, event_id, std::slice::from_ref(&change))?;
            }
            insert(transaction, "without changes", &[])?;
            forget(transaction, 1, 2)?;
            transaction.query("SELECT event_id FROM reference_changes ORDER BY event_id", &[], |row| row.text(0))
        });
        assert_eq!(left.expect("the statements are valid"), ["third"]);
    }
}

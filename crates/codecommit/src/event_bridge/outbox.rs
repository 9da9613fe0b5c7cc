//! The stored events, and the positions of their destinations.

use store::{Error, Transaction};

use crate::{CodeCommit, Exception};

/// Events that are removed in one transaction; other writes wait for it.
const REMOVED_PER_TRANSACTION: i64 = 1_000;

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBusEvent {
    /// Its position in the sequence of all events.
    pub number: i64,
    /// The event as JSON, in one line.
    pub json: String,
}

/// How far a destination has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusPosition {
    /// The number of the last event that the destination has.
    pub number: i64,
    /// The cursor of the last record of a call that it has; `None` if it gets no calls.
    pub cursor: Option<String>,
    /// The length of the destination, in bytes, if it is a file.
    pub bytes: i64,
}

impl CodeCommit {
    /// Returns the events after a number, at most `limit`, in their order.
    pub fn bus_events_after(&self, number: i64, limit: u32) -> Result<Vec<StoredBusEvent>, Exception> {
        Ok(self.store.read(|transaction| {
            transaction.query(
                "SELECT number, event FROM bus_events WHERE number > ?1 ORDER BY number LIMIT ?2",
                &[number.into(), i64::from(limit).into()],
                |row| Ok(StoredBusEvent { number: row.integer(0)?, json: row.text(1)? }),
            )
        })?)
    }

    /// Returns the number of the newest event; 0 if there is none.
    pub fn last_bus_event(&self) -> Result<i64, Exception> {
        let sql = "SELECT number FROM bus_events ORDER BY number DESC LIMIT 1";
        let last = self.store.read(|transaction| transaction.query_one(sql, &[], |row| row.integer(0)))?;
        Ok(last.unwrap_or(0))
    }

    /// Returns the position of a destination; `None` if it is new.
    pub fn bus_position(&self, destination: &str) -> Result<Option<BusPosition>, Exception> {
        Ok(self.store.read(|transaction| {
            transaction.query_one(
                "SELECT number, records_cursor, bytes FROM bus_positions WHERE destination = ?1",
                &[destination.into()],
                |row| {
                    Ok(BusPosition { number: row.integer(0)?, cursor: row.optional_text(1)?, bytes: row.integer(2)? })
                },
            )
        })?)
    }

    /// Stores the position of a destination if `is_current` returns true inside the transaction.
    pub fn save_bus_position(
        &self,
        destination: &str,
        position: BusPosition,
        is_current: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<(), Exception> {
        let destination = destination.to_owned();
        self.store.write(move |transaction| {
            if is_current() {
                position.save(transaction, &destination)?;
            }
            Ok(())
        })
    }

    /// Forgets the positions of destinations that are not listed, so that no event is kept for them.
    pub fn retain_bus_positions(&self, destinations: &[String]) -> Result<(), Exception> {
        let listed = destinations.to_vec();
        self.store.write(move |transaction| {
            let sql = "SELECT destination FROM bus_positions";
            let known: Vec<String> = transaction.query(sql, &[], |row| row.text(0))?;
            for name in known.into_iter().filter(|name| !listed.contains(name)) {
                transaction.execute("DELETE FROM bus_positions WHERE destination = ?1", &[(&name).into()])?;
            }
            Ok(())
        })
    }

    /// Removes events that every destination has; the newest one stays, as the number of the next one follows from it.
    pub fn remove_delivered_bus_events(&self) -> Result<(), Exception> {
        while self.store.write(remove_some)? {}
        Ok(())
    }

    /// Removes all events, and lets each destination begin at a position.
    pub fn clear_bus_events(&self, destinations: &[String], beginning: &BusPosition) -> Result<(), Exception> {
        let (destinations, beginning) = (destinations.to_vec(), beginning.clone());
        self.store.write(move |transaction| {
            transaction.execute("DELETE FROM bus_events", &[])?;
            transaction.execute("DELETE FROM bus_positions", &[])?;
            Ok(destinations.iter().try_for_each(|destination| beginning.save(transaction, destination))?)
        })
    }
}

impl BusPosition {
    fn save(&self, transaction: &Transaction, destination: &str) -> Result<(), Error> {
        transaction.execute(
            "INSERT INTO bus_positions (destination, number, records_cursor, bytes) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (destination) DO UPDATE SET number = excluded.number, \
             records_cursor = excluded.records_cursor, bytes = excluded.bytes",
            &[destination.into(), self.number.into(), self.cursor.as_ref().into(), self.bytes.into()],
        )?;
        Ok(())
    }
}

/// Removes the oldest events that every destination has; returns whether there are more.
fn remove_some(transaction: &Transaction) -> Result<bool, Exception> {
    let delivered = "SELECT MIN(number) FROM bus_positions";
    let ends = transaction.query_one(
        &format!("SELECT MIN(number), MAX(number) - 1, ({delivered}) FROM bus_events"),
        &[],
        |row| Ok((row.optional_integer(0)?, row.optional_integer(1)?, row.optional_integer(2)?)),
    )?;
    let Some((Some(oldest), Some(last), Some(delivered))) = ends else { return Ok(false) };
    let end = last.min(delivered);
    let until = end.min(oldest + REMOVED_PER_TRANSACTION - 1);
    if until < oldest {
        return Ok(false);
    }
    transaction.execute("DELETE FROM bus_events WHERE number <= ?1", &[until.into()])?;
    Ok(until < end)
}

//! Trails: the default trail of each account, and the periods of each trail, which say which events it selects from when until when.
//!
//! **Invariant:** the periods of a trail do not overlap, and only the last one is open; a trail that does not log has no open period.

pub(crate) mod describe;
pub(crate) mod event_selectors;
pub(crate) mod insights;
pub(crate) mod lifecycle;
pub(crate) mod period;
pub(crate) mod row;
pub(crate) mod selectors;
pub(crate) mod tag;
pub(crate) mod validate;
mod wire;

use std::collections::HashSet;
use std::sync::Arc;

use aws::{Region, Timestamp};
use parking_lot::RwLock;
use store::{Error, Store, Transaction};

/// The name of the default trail of each account.
pub(crate) const DEFAULT_TRAIL: &str = "codecommit-local";

/// Creates the default trail of each new account.
pub(crate) struct DefaultTrails {
    home_region: Region,
    bucket: String,
    /// The accounts that have or had a trail.
    known: Arc<RwLock<HashSet<String>>>,
}

impl DefaultTrails {
    /// Loads the known accounts, and applies the home region and the bucket of the settings to the store.
    pub(crate) fn open(store: &Store, home_region: Region, bucket: &str) -> Result<Self, Error> {
        apply_settings(store, &home_region, bucket)?;
        let accounts =
            store.read(|transaction| transaction.query("SELECT DISTINCT account FROM trails", &[], |row| row.text(0)));
        let known = Arc::new(RwLock::new(accounts.map(HashSet::from_iter)?));
        Ok(Self { home_region, bucket: bucket.to_owned(), known })
    }

    /// Creates the default trail of a new account.
    pub(crate) fn ensure_default_trail(
        self: &Arc<Self>,
        store: &Store,
        account: &str,
        time: Timestamp,
    ) -> Result<(), Error> {
        if self.knows(account) {
            return Ok(());
        }
        let (this, account) = (Arc::clone(self), account.to_owned());
        store.write(move |transaction| this.ensure_default_trail_within(transaction, &account, time))
    }

    /// Creates the default trail of a new account, before its first event is recorded; the trail selects that event too.
    pub(crate) fn ensure_default_trail_within(
        &self,
        transaction: &Transaction,
        account: &str,
        time: Timestamp,
    ) -> Result<(), Error> {
        if self.knows(account) {
            return Ok(());
        }
        // Another call of the same commit may have created it.
        let existing =
            transaction.query_one("SELECT id FROM trails WHERE account = ?1", &[account.into()], |_| Ok(()))?;
        if existing.is_none() {
            self.create(transaction, account, time)?;
        }
        let (known, account) = (Arc::clone(&self.known), account.to_owned());
        transaction.after_commit(move || {
            known.write().insert(account);
        });
        Ok(())
    }

    /// Creates the default trail of an account that has no trail.
    pub(crate) fn create(&self, transaction: &Transaction, account: &str, time: Timestamp) -> Result<(), Error> {
        transaction.execute(
                "INSERT INTO trails (account, home_region, name, bucket, multi_region, global_events, validation, selectors, logging, \
                 created, started) VALUES (?1, ?2, ?3, ?4, 1, 1, 1, '', 1, ?5, ?5)",
                &[
                    account.into(),
                    self.home_region.as_str().into(),
                    DEFAULT_TRAIL.into(),
                    (&self.bucket).into(),
                    time.millis().into(),
                ],
            )?;
        let trail = transaction.query_one(
            "SELECT id FROM trails WHERE account = ?1 AND deleted IS NULL",
            &[account.into()],
            |row| row.integer(0),
        )?;
        begin_period(transaction, trail.ok_or(Error::Damaged("a new trail is missing"))?)
    }

    /// Clears the known accounts, after another node has removed all trails or trails of accounts were created there.
    pub(crate) fn forget_all(&self) {
        self.known.write().clear();
    }

    /// Clears the known accounts once the transaction is committed.
    pub(crate) fn forget(&self, transaction: &Transaction) {
        let known = Arc::clone(&self.known);
        transaction.after_commit(move || known.write().clear());
    }

    fn knows(&self, account: &str) -> bool {
        self.known.read().contains(account)
    }
}

/// Applies the settings to the store: renames the bucket of the trail directory if its name changed, and sets missing home regions.
fn apply_settings(store: &Store, home_region: &Region, bucket: &str) -> Result<(), Error> {
    let own_bucket =
        |transaction: &Transaction| transaction.query_one("SELECT own_bucket FROM delivery", &[], |row| row.text(0));
    // It is set together with the regions. A start that only reads need not wait for the disk.
    if store.read_once(own_bucket)?.is_some_and(|own| own == bucket) {
        return Ok(());
    }
    let (region, bucket) = (home_region.clone(), bucket.to_owned());
    store.write(move |transaction| {
        for table in ["trails", "trail_spans"] {
            let statement = format!("UPDATE {table} SET home_region = ?1 WHERE home_region = ''");
            transaction.execute(&statement, &[region.as_str().into()])?;
        }
        let before = own_bucket(transaction)?.ok_or(Error::Damaged("the table delivery is empty"))?;
        if before != bucket {
            for table in ["trails", "trail_spans", "log_files"] {
                let statement = format!("UPDATE {table} SET bucket = ?1 WHERE bucket = ?2");
                transaction.execute(&statement, &[(&bucket).into(), (&before).into()])?;
            }
            // A digest contains the name of its bucket: unwritten ones are planned again, and new chains start.
            for statement in [
                "UPDATE log_files SET digest = NULL WHERE digest IN (SELECT id FROM digests WHERE bucket = ?1 AND document IS NOT NULL)",
                "DELETE FROM digests WHERE bucket = ?1 AND document IS NOT NULL",
                "UPDATE digests SET is_last = 0 WHERE bucket = ?1",
            ] {
                transaction.execute(statement, &[(&before).into()])?;
            }
            transaction.execute("UPDATE delivery SET own_bucket = ?1", &[(&bucket).into()])?;
        }
        Ok(())
    })
}

/// Begins a period with the settings of the trail's row; it includes the event of the call that begins it.
pub(crate) fn begin_period(transaction: &Transaction, trail: i64) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO trail_spans (trail, account, home_region, bucket, prefix, topic, multi_region, global_events, selectors, \
         first_seq) SELECT id, account, home_region, bucket, prefix, topic, multi_region, global_events, selectors, \
         (SELECT COALESCE(MAX(seq), 0) + 1 FROM events) FROM trails WHERE id = ?1",
        &[trail.into()],
    )?;
    Ok(())
}

/// Ends the period of a trail whose row changed, and begins another one if the trail logs; the event of the call is in the new one.
pub(crate) fn change_period(transaction: &Transaction, trail: i64) -> Result<(), Error> {
    end_period_after(transaction, trail, 0)?;
    let logs =
        transaction.query_one("SELECT logging FROM trails WHERE id = ?1", &[trail.into()], |row| row.integer(0))?;
    if logs == Some(1) { begin_period(transaction, trail) } else { Ok(()) }
}

/// Ends the period of a trail that stops; the event of the call that stops it is its last one, as on AWS.
pub(crate) fn end_period(transaction: &Transaction, trail: i64) -> Result<(), Error> {
    end_period_after(transaction, trail, 1)
}

/// Ends a period, including the next `included` events.
fn end_period_after(transaction: &Transaction, trail: i64, included: i64) -> Result<(), Error> {
    transaction.execute(
        "UPDATE trail_spans SET last_seq = (SELECT COALESCE(MAX(seq), 0) + ?2 FROM events) WHERE trail = ?1 AND last_seq IS NULL",
        &[trail.into(), included.into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;

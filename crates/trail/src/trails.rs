//! Trails: the built-in one that every account has, and spans, which say what a trail takes from when until when.
//!
//! **Invariant:** a trail's spans do not overlap, and only the last is open; a trail that does not log has no open one.

pub(crate) mod choose;
pub(crate) mod describe;
pub(crate) mod edit;
pub(crate) mod insights;
mod name;
mod row;
pub(crate) mod selectors;
mod shape;
pub(crate) mod span;
pub(crate) mod tag;

use std::collections::HashSet;
use std::sync::Arc;

use aws::{Region, Timestamp};
use parking_lot::RwLock;
use store::{Error, Store, Transaction};

/// The name of the trail that every account has from the start.
pub(crate) const BUILT_IN: &str = "codecommit-local";

/// What makes the trail of an account that is met for the first time.
pub(crate) struct BuiltIn {
    home_region: Region,
    bucket: String,
    /// The accounts that were met.
    known: Arc<RwLock<HashSet<String>>>,
}

impl BuiltIn {
    /// Loads the accounts that were met, and names what is named by the settings.
    pub(crate) fn open(store: &Store, home_region: Region, bucket: &str) -> Result<Self, Error> {
        name_own(store, &home_region, bucket)?;
        let accounts =
            store.read(|transaction| transaction.query("SELECT DISTINCT account FROM trails", &[], |row| row.text(0)));
        let known = Arc::new(RwLock::new(accounts.map(HashSet::from_iter)?));
        Ok(Self { home_region, bucket: bucket.to_owned(), known })
    }

    /// Gives an account its trail before anything is asked about it.
    pub(crate) fn meet(self: &Arc<Self>, store: &Store, account: &str, time: Timestamp) -> Result<(), Error> {
        if self.knows(account) {
            return Ok(());
        }
        let (this, account) = (Arc::clone(self), account.to_owned());
        store.write(move |transaction| this.meet_within(transaction, &account, time))
    }

    /// Gives an account its trail before its first event is recorded; the trail takes that one, too.
    pub(crate) fn meet_within(&self, transaction: &Transaction, account: &str, time: Timestamp) -> Result<(), Error> {
        if self.knows(account) {
            return Ok(());
        }
        // Another call of the same commit may have met it.
        let met = transaction.query_one("SELECT id FROM trails WHERE account = ?1", &[account.into()], |_| Ok(()))?;
        if met.is_none() {
            transaction.execute(
                "INSERT INTO trails (account, home_region, name, bucket, multi_region, global_events, validation, selectors, logging, \
                 created, started) VALUES (?1, ?2, ?3, ?4, 1, 1, 1, '', 1, ?5, ?5)",
                &[
                    account.into(),
                    self.home_region.as_str().into(),
                    BUILT_IN.into(),
                    (&self.bucket).into(),
                    time.millis().into(),
                ],
            )?;
            let trail = transaction.query_one(
                "SELECT id FROM trails WHERE account = ?1 AND deleted IS NULL",
                &[account.into()],
                |row| row.integer(0),
            )?;
            begin_span(transaction, trail.ok_or(Error::Damaged("a trail is not there"))?)?;
        }
        let (known, account) = (Arc::clone(&self.known), account.to_owned());
        transaction.after_commit(move || {
            known.write().insert(account);
        });
        Ok(())
    }

    /// Forgets all accounts once the transaction is committed.
    pub(crate) fn forget(&self, transaction: &Transaction) {
        let known = Arc::clone(&self.known);
        transaction.after_commit(move || known.write().clear());
    }

    fn knows(&self, account: &str) -> bool {
        self.known.read().contains(account)
    }
}

/// Names the trail directory's bucket as the settings do now, and the home region where there is none yet.
fn name_own(store: &Store, home_region: &Region, bucket: &str) -> Result<(), Error> {
    let (region, bucket) = (home_region.clone(), bucket.to_owned());
    store.write(move |transaction| {
        for table in ["trails", "trail_spans"] {
            let statement = format!("UPDATE {table} SET home_region = ?1 WHERE home_region = ''");
            transaction.execute(&statement, &[region.as_str().into()])?;
        }
        let before = transaction.query_one("SELECT own_bucket FROM delivery", &[], |row| row.text(0))?;
        let before = before.ok_or(Error::Damaged("how far delivery has come is not there"))?;
        if before != bucket {
            for table in ["trails", "trail_spans", "log_files"] {
                let statement = format!("UPDATE {table} SET bucket = ?1 WHERE bucket = ?2");
                transaction.execute(&statement, &[(&bucket).into(), (&before).into()])?;
            }
            // A digest is bound to its bucket's name: those that are not written are made anew, and the chains begin anew.
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

/// Begins a span of what the trail's row says; it takes the event of the call that begins it, too.
pub(crate) fn begin_span(transaction: &Transaction, trail: i64) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO trail_spans (trail, account, home_region, bucket, prefix, topic, multi_region, global_events, selectors, \
         first_seq) SELECT id, account, home_region, bucket, prefix, topic, multi_region, global_events, selectors, \
         (SELECT COALESCE(MAX(seq), 0) + 1 FROM events) FROM trails WHERE id = ?1",
        &[trail.into()],
    )?;
    Ok(())
}

/// Ends the span of a trail whose row changed, and begins another if it logs; the event of the call itself belongs to that one.
pub(crate) fn change_span(transaction: &Transaction, trail: i64) -> Result<(), Error> {
    end_span_after(transaction, trail, 0)?;
    let logs =
        transaction.query_one("SELECT logging FROM trails WHERE id = ?1", &[trail.into()], |row| row.integer(0))?;
    if logs == Some(1) { begin_span(transaction, trail) } else { Ok(()) }
}

/// Ends the span of a trail that stops: the event of the call that stops it is its last, as on AWS.
pub(crate) fn end_span(transaction: &Transaction, trail: i64) -> Result<(), Error> {
    end_span_after(transaction, trail, 1)
}

fn end_span_after(transaction: &Transaction, trail: i64, further: i64) -> Result<(), Error> {
    transaction.execute(
        "UPDATE trail_spans SET last_seq = (SELECT COALESCE(MAX(seq), 0) + ?2 FROM events) WHERE trail = ?1 AND last_seq IS NULL",
        &[trail.into(), further.into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;

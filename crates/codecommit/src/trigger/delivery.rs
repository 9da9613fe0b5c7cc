//! Messages that wait for their delivery, and who carries them.
//!
//! **Invariant:** a message is kept from the transaction of the change that it tells of until it is settled, so a destination
//! that was down, or a restart, loses none. One may arrive twice.

use std::sync::Arc;

use aws::Timestamp;
use aws_sdk_codecommit::types::RepositoryTriggerEventEnum;
use store::{Error, Transaction};

use super::configuration::Configuration;
use super::message::{Change, Message};
use crate::push::{Door, Expected, Move};
use crate::{CodeCommit, Exception};

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names it among those that wait; 0 for one that does not.
    pub id: i64,
    /// The name of the repository that it tells of.
    pub repository: String,
    /// The name of the trigger.
    pub trigger: String,
    /// The ARN of the destination.
    pub destination: String,
    /// The subject of a mail.
    pub subject: String,
    /// The message, in JSON.
    pub message: String,
    /// How often it could not be delivered.
    pub attempts: u32,
}

/// Carries messages to where ARNs lead; how is not the service's business.
pub trait Courier: Send + Sync {
    /// Delivers a message now, or says why it cannot be.
    fn deliver(&self, delivery: &Delivery) -> Result<(), String>;

    /// Hears that messages wait.
    fn wake(&self);
}

/// What becomes of a message that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is delivered, or given up.
    Done,
    /// It is tried again from then on.
    Again(Timestamp),
}

impl CodeCommit {
    /// Gets the message that is due first, if one is: new ones go before those that are tried again.
    pub fn due_delivery(&self, now: Timestamp) -> Result<Option<Delivery>, Exception> {
        let due = self.store.read(|transaction| {
            transaction.query_one(
                "SELECT id, repository, trigger_name, destination, subject, message, attempts FROM trigger_deliveries \
                 WHERE due <= ?1 ORDER BY due, id LIMIT 1",
                &[now.millis().into()],
                |row| {
                    Ok(Delivery {
                        id: row.integer(0)?,
                        repository: row.text(1)?,
                        trigger: row.text(2)?,
                        destination: row.text(3)?,
                        subject: row.text(4)?,
                        message: row.text(5)?,
                        attempts: u32::try_from(row.integer(6)?).map_err(|_| Error::Damaged("attempts"))?,
                    })
                },
            )
        })?;
        Ok(due)
    }

    /// Tells when the next message is due; `None` if none waits.
    pub fn next_delivery(&self) -> Result<Option<Timestamp>, Exception> {
        let next = self.store.read(|transaction| {
            transaction.query_one("SELECT due FROM trigger_deliveries ORDER BY due LIMIT 1", &[], |row| row.integer(0))
        })?;
        Ok(next.map(Timestamp::from_millis))
    }

    /// Notes what became of a message.
    pub fn settle_delivery(&self, id: i64, settled: Settled) -> Result<(), Exception> {
        self.store.write(move |transaction| {
            let changed = match settled {
                Settled::Done => transaction.execute("DELETE FROM trigger_deliveries WHERE id = ?1", &[id.into()]),
                Settled::Again(due) => transaction.execute(
                    "UPDATE trigger_deliveries SET attempts = attempts + 1, due = ?1 WHERE id = ?2",
                    &[due.millis().into(), id.into()],
                ),
            };
            Ok(changed.map(drop)?)
        })
    }
}

/// Has the triggers of a repository tell of moves that were made, in the moves' own transaction.
pub(crate) fn fire<'a>(
    transaction: &Transaction,
    door: &Door,
    moves: impl Iterator<Item = &'a Move>,
) -> Result<(), Exception> {
    let (call, repository) = (&door.call, &door.repository);
    let Some(Configuration { id, triggers }) = Configuration::of(transaction, &repository.id)? else { return Ok(()) };
    let changes: Vec<Change> = moves.filter_map(change).collect();
    let mut waits = false;
    for trigger in &triggers {
        let changes: Vec<_> = changes.iter().filter(|it| trigger.wants(&it.reference, &it.event)).cloned().collect();
        if !changes.is_empty() {
            let message = Message { call, repository, configuration_id: &id, trigger, changes };
            keep(transaction, &message.of_changes())?;
            waits = true;
        }
    }
    if waits {
        let courier = Arc::clone(&door.courier);
        transaction.after_commit(move || courier.wake());
    }
    Ok(())
}

/// What a move did; one to where the reference was did nothing.
fn change(it: &Move) -> Option<Change> {
    let (commit, event) = match (it.expected, it.new) {
        (Expected::Absent, Some(new)) => (new, RepositoryTriggerEventEnum::CreateReference),
        (Expected::At(old), Some(new)) if old != new => (new, RepositoryTriggerEventEnum::UpdateReference),
        (Expected::At(old), None) => (old, RepositoryTriggerEventEnum::DeleteReference),
        _ => return None,
    };
    Some(Change::new(commit.to_string(), it.name.to_string(), event))
}

/// A new message is due at once.
fn keep(transaction: &Transaction, delivery: &Delivery) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO trigger_deliveries (repository, trigger_name, destination, subject, message, attempts, due) \
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)",
        &[
            (&delivery.repository).into(),
            (&delivery.trigger).into(),
            (&delivery.destination).into(),
            (&delivery.subject).into(),
            (&delivery.message).into(),
        ],
    )?;
    Ok(())
}

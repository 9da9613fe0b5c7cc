//! Deliveries of trigger messages, and the interface to what sends them.
//!
//! **Invariant:** a message is stored from the transaction of its change until it is delivered or given up, so neither an
//! unreachable destination nor a restart loses one. A message may arrive twice.

use aws::Timestamp;
use store::Error;

use crate::wake::Wake;
use crate::{CodeCommit, Exception};

/// A message to one destination.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Id in the queue; 0 for a message that is not queued.
    pub id: i64,
    /// Name of the repository.
    pub repository: String,
    /// Name of the trigger.
    pub trigger: String,
    /// ARN of the destination.
    pub destination: String,
    /// Subject of a mail.
    pub subject: String,
    /// The message, in JSON.
    pub message: String,
    /// Number of failed attempts.
    pub attempts: u32,
}

/// Sends messages to the destinations that ARNs name; it is woken when messages are queued.
pub trait TriggerSender: Wake {
    /// Delivers a message now, or returns why that failed.
    fn deliver(&self, delivery: &Delivery) -> Result<(), String>;
}

/// Outcome of an attempt to deliver a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The message is delivered or given up.
    Done,
    /// The attempt failed; the next one is due at this time.
    RetryAt(Timestamp),
}

impl CodeCommit {
    /// Returns the message that is due first, if any is due; new messages come before retries.
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

    /// Returns when the next message is due; `None` if the queue is empty.
    pub fn next_delivery(&self) -> Result<Option<Timestamp>, Exception> {
        let next = self.store.read(|transaction| {
            transaction.query_one("SELECT due FROM trigger_deliveries ORDER BY due LIMIT 1", &[], |row| row.integer(0))
        })?;
        Ok(next.map(Timestamp::from_millis))
    }

    /// Records the outcome of an attempt.
    pub fn settle_delivery(&self, id: i64, outcome: DeliveryOutcome) -> Result<(), Exception> {
        self.store.write(move |transaction| {
            let changed = match outcome {
                DeliveryOutcome::Done => {
                    transaction.execute("DELETE FROM trigger_deliveries WHERE id = ?1", &[id.into()])
                }
                DeliveryOutcome::RetryAt(due) => transaction.execute(
                    "UPDATE trigger_deliveries SET attempts = attempts + 1, due = ?1 WHERE id = ?2",
                    &[due.millis().into(), id.into()],
                ),
            };
            Ok(changed.map(drop)?)
        })
    }
}

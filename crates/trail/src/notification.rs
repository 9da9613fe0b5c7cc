//! Notifications of delivered log files to topics; they are rows of the store until they are delivered.

use std::sync::Arc;

use aws::Timestamp;
use store::{Error, Store, Transaction};

/// The message to a topic that a trail starts to use.
const VALIDATION: &str = "CloudTrail validation message.";

/// A sender of notifications.
pub trait Notifier: Send + Sync {
    /// Called when there are new notifications in the store.
    fn wake(&self);
}

/// A notification to be sent.
#[derive(Clone, Debug)]
pub struct Notification {
    /// The row id in the store.
    pub id: i64,
    /// The ARN of the topic.
    pub topic: String,
    /// The message; there is no subject.
    pub message: String,
    /// The number of failed attempts.
    pub attempts: u32,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    /// The topic accepted it, or no destination is set for the topic.
    Done,
    /// It failed for this reason and is given up.
    GivenUp(String),
    /// It failed for this reason and is repeated at this time.
    Again(String, Timestamp),
}

/// The queue of notifications in a store.
pub struct Notifications(Arc<Store>);

impl Notifications {
    /// Opens the queue in the store of [`crate::Trail`].
    pub const fn of(store: Arc<Store>) -> Self {
        Self(store)
    }

    /// Returns the oldest notification that is due.
    pub fn due(&self, now: Timestamp) -> Result<Option<Notification>, Error> {
        self.0.read(|transaction| {
            transaction.query_one(
                "SELECT id, topic, message, attempts FROM notifications WHERE due <= ?1 ORDER BY due, id LIMIT 1",
                &[now.millis().into()],
                |row| {
                    let attempts = u32::try_from(row.integer(3)?).map_err(|_| Error::Damaged("attempts"))?;
                    Ok(Notification { id: row.integer(0)?, topic: row.text(1)?, message: row.text(2)?, attempts })
                },
            )
        })
    }

    /// Returns when the next notification is due; one without an attempt is due at time zero.
    pub fn next(&self) -> Result<Option<Timestamp>, Error> {
        self.0.read(|transaction| {
            let query = "SELECT due FROM notifications ORDER BY due, id LIMIT 1";
            transaction.query_one(query, &[], |row| Ok(Timestamp::from_millis(row.integer(0)?)))
        })
    }

    /// Stores the outcome of an attempt; `GetTrailStatus` shows it.
    pub fn settle(&self, id: i64, notified: Notified, now: Timestamp) -> Result<(), Error> {
        self.0.write(move |transaction| {
            let (made, error) = match &notified {
                Notified::Done => (Some(now.millis()), None),
                Notified::GivenUp(reason) | Notified::Again(reason, _) => (None, Some(reason)),
            };
            transaction.execute(
                "UPDATE trails SET notification_tried = ?2, notification_made = COALESCE(?3, notification_made), \
                 notification_error = ?4 WHERE id = (SELECT trail FROM notifications WHERE id = ?1)",
                &[id.into(), now.millis().into(), made.into(), error.into()],
            )?;
            if let Notified::Again(_, due) = notified {
                let statement = "UPDATE notifications SET attempts = attempts + 1, due = ?2 WHERE id = ?1";
                transaction.execute(statement, &[id.into(), due.millis().into()])?;
            } else {
                transaction.execute("DELETE FROM notifications WHERE id = ?1", &[id.into()])?;
            }
            Ok(())
        })
    }
}

/// Queues the message to a topic that a trail starts to use.
pub(crate) fn validate(
    transaction: &Transaction,
    notifier: &Arc<dyn Notifier>,
    trail: i64,
    topic: Option<&str>,
) -> Result<(), Error> {
    let Some(topic) = topic else { return Ok(()) };
    transaction.execute(
        "INSERT INTO notifications (trail, topic, message, attempts, due) VALUES (?1, ?2, ?3, 0, 0)",
        &[trail.into(), topic.into(), VALIDATION.into()],
    )?;
    let notifier = Arc::clone(notifier);
    transaction.after_commit(move || notifier.wake());
    Ok(())
}

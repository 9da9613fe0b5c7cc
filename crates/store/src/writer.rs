//! The one writing connection and the queue of changes for it.
//!
//! A thread that writes puts its change into the queue and waits for the lock of the connection; the thread that has the lock commits
//! all queued changes together, each in its own savepoint. So a single thread hands nothing over, and many threads share commits.
//! **Invariant:** a write returns only after its commit, or with an error after its rollback; actions run only after the commit of
//! their own transaction.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::presence::Presence;
use crate::transaction::Action;
use crate::{Error, Transaction};

/// Maximum number of changes in a commit, which bounds the wait of the first of them.
const CHANGES_PER_COMMIT_MAX: usize = 256;

pub(crate) struct Writer {
    open: Box<dyn Fn() -> Result<Transaction, Error> + Send + Sync>,
    connection: Mutex<WritingConnection>,
    queue: Mutex<Vec<Box<dyn Change>>>,
}

/// The connection and the identity of its files.
struct WritingConnection {
    /// `None` after a failure that made the connection unusable; the next change opens another.
    transaction: Option<Transaction>,
    presence: Presence,
}

/// A queued change, whatever its result type is.
trait Change: Send {
    /// Runs the closure of the change in a savepoint.
    fn run(&mut self, transaction: &Transaction);

    /// Hands the outcome to the thread that waits for it.
    fn finish(self: Box<Self>, committed: &Result<(), Arc<Error>>);
}

/// A change in the queue and the place of its outcome.
struct QueuedChange<F, R, E> {
    change: Option<F>,
    result: Option<Result<R, E>>,
    outcome: Arc<Mutex<Option<Result<R, E>>>>,
}

impl Writer {
    pub(crate) fn open(open: impl Fn() -> Result<Transaction, Error> + Send + Sync + 'static) -> Result<Self, Error> {
        let transaction = open()?;
        let connection =
            WritingConnection { presence: Presence::of(transaction.file()), transaction: Some(transaction) };
        Ok(Self { open: Box::new(open), connection: Mutex::new(connection), queue: Mutex::default() })
    }

    pub(crate) fn run<R: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        let outcome = Arc::new(Mutex::new(None));
        let queued = QueuedChange { change: Some(change), result: None, outcome: Arc::clone(&outcome) };
        self.queue.lock().push(Box::new(queued));
        let mut connection = self.connection.lock();
        loop {
            if let Some(outcome) = outcome.lock().take() {
                return outcome;
            }
            self.commit_queued(&mut connection);
        }
    }

    /// Commits queued changes, the oldest first, and hands out their outcomes.
    fn commit_queued(&self, connection: &mut WritingConnection) {
        let begun = self.begin(connection);
        // If another process holds the lock of the database, all queued changes share one wait and its failure.
        let mut changes = self.take_queued(if begun.is_ok() { CHANGES_PER_COMMIT_MAX } else { usize::MAX });
        let committed = begun.and_then(|(transaction, presence)| commit(transaction, presence, &mut changes));
        if committed.is_err() && !connection.transaction.as_ref().is_some_and(Transaction::roll_back) {
            connection.transaction = None;
        }
        if let Err(error) = &committed {
            tracing::error!(%error, changes = changes.len(), "cannot commit a transaction; its changes were rolled back");
        }
        if committed.is_ok() {
            connection.presence.remember_first_log();
        }
        // A commit into a file that was removed meanwhile is reported as failed.
        let committed = committed.map(run_all).and_then(|()| connection.presence.check()).map_err(Arc::new);
        for change in changes {
            change.finish(&committed);
        }
    }

    fn begin<'a>(&self, connection: &'a mut WritingConnection) -> Result<(&'a Transaction, &'a Presence), Error> {
        let WritingConnection { transaction, presence } = connection;
        if transaction.is_none() {
            presence.check_file()?;
            *transaction = Some((self.open)()?);
            presence.remember_log();
        }
        let Some(transaction) = transaction else { return Err(Error::Damaged("the connection is not open")) };
        transaction.begin("BEGIN IMMEDIATE")?;
        Ok((transaction, presence))
    }

    fn take_queued(&self, count_max: usize) -> Vec<Box<dyn Change>> {
        let mut queue = self.queue.lock();
        let count = queue.len().min(count_max);
        queue.drain(..count).collect()
    }
}

impl<F, R, E> Change for QueuedChange<F, R, E>
where
    F: FnOnce(&Transaction) -> Result<R, E> + Send,
    R: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, transaction: &Transaction) {
        let Some(change) = self.change.take() else { return };
        let guarded = || {
            catch_unwind(AssertUnwindSafe(|| change(transaction))).unwrap_or_else(|panic| {
                tracing::error!(panic = message(&*panic), "a change panicked; it was rolled back");
                Err(Error::Panicked.into())
            })
        };
        self.result = Some(transaction.savepoint(guarded));
    }

    fn finish(self: Box<Self>, committed: &Result<(), Arc<Error>>) {
        let outcome = match (self.result, committed) {
            // The change returned the reason of its rollback.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(result)), Ok(())) => Ok(result),
            (_, Err(error)) => Err(Error::NotCommitted(Arc::clone(error)).into()),
            (None, Ok(())) => Err(Error::Panicked.into()),
        };
        *self.outcome.lock() = Some(outcome);
    }
}

/// Runs changes and commits them together; returns their actions.
fn commit(
    transaction: &Transaction,
    presence: &Presence,
    changes: &mut [Box<dyn Change>],
) -> Result<Vec<Action>, Error> {
    for change in changes {
        change.run(transaction);
        if transaction.is_lost() {
            break;
        }
    }
    presence.check()?;
    transaction.commit()
}

/// Runs the actions after a commit; a panic in one does not keep the others from running.
fn run_all(actions: Vec<Action>) {
    for action in actions {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(action)) {
            tracing::error!(panic = message(&*panic), "an action after a commit panicked; the commit stays");
        }
    }
}

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

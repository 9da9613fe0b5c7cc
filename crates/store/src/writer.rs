//! The connection that writes, and the queue of changes that wait for it.
//!
//! A change is put into the queue; then its task or thread takes the connection if it is free, and commits everything in the queue: each
//! change in a savepoint of its own, one commit for all. A change alone is not handed to another thread, and many changes share a commit.
//! Releasing the connection wakes one waiting task or thread, which does the same for the changes queued meanwhile. A statement to a server
//! waits for the network, and a task must not: there only threads do this, and the thread of the [`Committer`] for tasks.
//! **Invariant:** a change is answered only after its commit, or with an error if nothing of it was kept; actions run only after the
//! commit of the transaction in which they were noted.

mod commit;
mod committer;
mod lost_commit;
mod queue;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::commit::Commit;
pub(crate) use self::committer::Committer;
use self::committer::CommitterThread;
use self::queue::{Change, Queue};
use crate::maintenance::Maintenance;
use crate::mode::Mode;
use crate::presence::Presence;
use crate::transaction::{Action, LineSink};
use crate::{Error, Transaction};

/// Maximum number of changes in a commit, which bounds the wait of the first of them.
const CHANGES_PER_COMMIT_MAX: usize = 256;

pub(crate) struct Writer {
    open: Box<dyn Fn() -> Result<Transaction, Error> + Send + Sync>,
    connection: Mutex<Connection>,
    queue: Queue,
    maintenance: Arc<Maintenance>,
    /// The thread that commits for tasks; without it, they do so themselves.
    thread: Option<CommitterThread>,
}

/// The connection and the identity of its files.
struct Connection {
    /// `None` after a failure that made the connection unusable; the next change opens another.
    transaction: Option<Transaction>,
    /// Length of the log, in pages, after which a commit makes a checkpoint; `None` leaves it to SQLite.
    log_pages_max: Option<i64>,
    /// `None` for a server.
    presence: Option<Presence>,
}

impl Writer {
    pub(crate) fn open(
        open: impl Fn() -> Result<Transaction, Error> + Send + Sync + 'static,
        presence: impl FnOnce() -> Option<Presence>,
        maintenance: Arc<Maintenance>,
    ) -> Result<Self, Error> {
        let transaction = open()?;
        let connection = Connection { presence: presence(), transaction: Some(transaction), log_pages_max: None };
        let (connection, queue) = (Mutex::new(connection), Queue::default());
        Ok(Self { open: Box::new(open), connection, queue, maintenance, thread: None })
    }

    /// Opens another connection that can write to the same files.
    pub(crate) fn open_another(&self) -> Result<Transaction, Error> {
        self.use_connection(|connection| connection.presence.as_ref().map_or(Ok(()), Presence::check_file))?;
        (self.open)()
    }

    /// Lets commits make a checkpoint only once the log has this many pages.
    pub(crate) fn keep_log_until(&self, pages: i64) -> Result<(), Error> {
        self.use_connection(|connection| {
            connection.log_pages_max = Some(pages);
            connection.transaction.as_ref().map_or(Ok(()), |transaction| transaction.keep_log_until(pages))
        })
    }

    /// Makes a checkpoint while no change runs, so that the log can begin anew.
    pub(crate) fn checkpoint(&self) -> Result<(), Error> {
        self.use_connection(|connection| {
            connection.transaction.as_ref().map_or(Ok(()), |transaction| transaction.checkpoint().map(drop))
        })
    }

    /// Uses the connection between commits, and then commits what was queued meanwhile.
    fn use_connection<R>(&self, run: impl FnOnce(&mut Connection) -> R) -> R {
        let result = run(&mut self.connection.lock());
        self.commit_if_free();
        result
    }

    /// Queues a change. It is committed when the result is awaited or waited for, or by another that has the connection before.
    pub(crate) fn submit<R: Send + 'static, E: From<Error> + Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Commit<R, E> {
        Commit::queue(Arc::clone(self), change)
    }

    /// Commits a batch of the queue if the connection is free; others who wait commit what was queued meanwhile.
    fn commit_if_free(&self) {
        loop {
            let Some(mut connection) = self.connection.try_lock() else { return };
            self.commit_queued(&mut connection);
            drop(connection);
            // Changes may have been queued after the batch was taken, by those that found the connection in use.
            if self.queue.is_empty() || self.wake_committer() || self.queue.wake_one() {
                return;
            }
        }
    }

    /// Does the same for a task, which must not wait for a server.
    fn commit_if_free_for_task(&self) {
        if !self.wake_committer() {
            self.commit_if_free();
        }
    }

    /// Commits queued changes, the oldest first, and answers them.
    fn commit_queued(&self, connection: &mut Connection) {
        if self.queue.is_empty() {
            return;
        }
        let begun = self.begin(connection);
        // While another process holds the lock, all that are queued by then share the commit or its failure, and wait once.
        let mut changes = self.queue.take(if begun.is_ok() { CHANGES_PER_COMMIT_MAX } else { usize::MAX });
        let committed = begun.and_then(|(transaction, presence)| {
            commit(transaction, presence, &mut changes).or_else(|error| self.look_up(transaction, error))?;
            Ok((transaction.take_actions(), transaction.last_number()))
        });
        let is_usable = |transaction: &Transaction| match committed {
            Ok(_) => transaction.is_alive(),
            Err(_) => transaction.roll_back(),
        };
        if !connection.transaction.as_ref().is_some_and(is_usable) {
            connection.transaction = None;
        }
        match &committed {
            Err(error) if error.is_unknown() => {
                tracing::error!(%error, changes = changes.len(), "it is unknown whether a transaction was committed");
            }
            Err(error) => {
                tracing::error!(%error, changes = changes.len(), "a transaction failed; none of its changes was kept");
            }
            Ok(_) => {}
        }
        if committed.is_ok() {
            if let Some(presence) = &mut connection.presence {
                presence.remember_first_log();
            }
            self.maintenance.count();
        }
        // A change in a file that was removed meanwhile is not acknowledged.
        let committed = committed
            .map(|(actions, number)| run_all(actions, number))
            .and_then(|()| check(connection.presence.as_ref()))
            .map_err(Arc::new);
        for change in changes {
            change.answer(&committed);
        }
    }

    fn begin<'a>(&self, connection: &'a mut Connection) -> Result<(&'a Transaction, Option<&'a Presence>), Error> {
        let Connection { transaction, presence, log_pages_max } = connection;
        if transaction.as_ref().is_some_and(|transaction| !transaction.is_alive()) {
            *transaction = None;
        }
        if transaction.is_none() {
            presence.as_ref().map_or(Ok(()), Presence::check_file)?;
            let opened = (self.open)()?;
            log_pages_max.map_or(Ok(()), |pages| opened.keep_log_until(pages))?;
            *transaction = Some(opened);
            if let Some(presence) = presence {
                presence.remember_log();
            }
        }
        let Some(transaction) = transaction else { return Err(Error::Damaged("the connection is not open")) };
        transaction.begin(Mode::Write)?;
        Ok((transaction, presence.as_ref()))
    }
}

/// Runs changes and commits them together.
fn commit(
    transaction: &Transaction,
    presence: Option<&Presence>,
    changes: &mut [Arc<dyn Change>],
) -> Result<(), Error> {
    for change in changes {
        change.run(transaction);
        if transaction.is_lost() {
            break;
        }
    }
    check(presence)?;
    transaction.commit()
}

fn check(presence: Option<&Presence>) -> Result<(), Error> {
    presence.map_or(Ok(()), Presence::check)
}

/// Runs the actions of a commit; one that panics does not keep the others from running.
fn run_all(actions: Vec<Action>, last_number: Option<i64>) {
    let mut actions = actions.into_iter().peekable();
    while let Some(action) = actions.next() {
        let run: Box<dyn FnOnce()> = match action {
            Action::Run(run) => run,
            Action::Append(sink, line) => {
                let mut lines = vec![line];
                while let Some(Action::Append(_, line)) = actions.next_if(|next| appends_to(next, &sink)) {
                    lines.push(line);
                }
                Box::new(move || sink.append(&lines, last_number))
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            tracing::error!(panic = message(&*panic), "an action after a commit panicked; what was committed stays");
        }
    }
}

fn appends_to(action: &Action, sink: &Arc<dyn LineSink>) -> bool {
    matches!(action, Action::Append(other, _) if Arc::ptr_eq(other, sink))
}

/// The text of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

#[cfg(test)]
mod tests;

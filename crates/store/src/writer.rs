//! The one connection that writes, and whoever has its turn with it.
//!
//! A thread that wants to write puts its change into the queue and waits for its turn; whoever has it commits everything that waits,
//! each change in a savepoint of its own, one commit for all. So a thread alone hands nothing over to another, and many share commits.
//! **Invariant:** whoever asked for a change goes on only after its commit, or hears that nothing of it was kept; actions run
//! only after the commit of the transaction that they were noted in.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::presence::Presence;
use crate::transaction::Action;
use crate::{Error, Transaction};

/// How many changes share a commit at most, which bounds how long the first of them waits.
const CHANGES_PER_COMMIT: usize = 256;

pub(crate) struct Writer {
    open: Box<dyn Fn() -> Result<Transaction, Error> + Send + Sync>,
    turn: Mutex<Turn>,
    waiting: Mutex<Vec<Box<dyn Change>>>,
}

/// The connection and what is known of its files.
struct Turn {
    /// There is none after a failure that left it unusable; the next change opens another.
    transaction: Option<Transaction>,
    presence: Presence,
}

/// A change that waits for its commit.
trait Change: Send {
    fn run(&mut self, transaction: &Transaction);
    fn tell(self: Box<Self>, committed: &Result<(), Arc<Error>>);
}

struct Queued<F, R, E> {
    change: Option<F>,
    result: Option<Result<R, E>>,
    answer: Arc<Mutex<Option<Result<R, E>>>>,
}

impl Writer {
    pub(crate) fn open(open: impl Fn() -> Result<Transaction, Error> + Send + Sync + 'static) -> Result<Self, Error> {
        let transaction = open()?;
        let turn = Turn { presence: Presence::of(transaction.file()), transaction: Some(transaction) };
        Ok(Self { open: Box::new(open), turn: Mutex::new(turn), waiting: Mutex::default() })
    }

    pub(crate) fn run<R: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        let answer = Arc::new(Mutex::new(None));
        self.waiting().push(Box::new(Queued { change: Some(change), result: None, answer: Arc::clone(&answer) }));
        let mut turn = self.turn.lock();
        loop {
            if let Some(answer) = answer.lock().take() {
                return answer;
            }
            self.commit_waiting(&mut turn);
        }
    }

    /// Commits changes that wait, the oldest first, and tells those who asked for them.
    fn commit_waiting(&self, turn: &mut Turn) {
        let begun = self.begin(turn);
        // Whatever comes while another process holds the lock shares this commit or its failure, and waits once.
        let mut changes = self.take_waiting(if begun.is_ok() { CHANGES_PER_COMMIT } else { usize::MAX });
        let committed = begun.and_then(|(transaction, presence)| commit(transaction, presence, &mut changes));
        if committed.is_err() && !turn.transaction.as_ref().is_some_and(Transaction::roll_back) {
            turn.transaction = None;
        }
        if let Err(error) = &committed {
            tracing::error!(%error, changes = changes.len(), "a transaction failed; none of its changes was kept");
        }
        if committed.is_ok() {
            turn.presence.note_first_log();
        }
        // Nobody is told that something was kept in a file that was removed meanwhile.
        let committed = committed.map(run_all).and_then(|()| turn.presence.check()).map_err(Arc::new);
        for change in changes {
            change.tell(&committed);
        }
    }

    fn begin<'a>(&self, turn: &'a mut Turn) -> Result<(&'a Transaction, &'a Presence), Error> {
        let Turn { transaction, presence } = turn;
        if transaction.is_none() {
            presence.check_file()?;
            *transaction = Some((self.open)()?);
            presence.note_log();
        }
        let Some(transaction) = transaction else { return Err(Error::Damaged("the connection is not open")) };
        transaction.begin("BEGIN IMMEDIATE")?;
        Ok((transaction, presence))
    }

    fn take_waiting(&self, count_max: usize) -> Vec<Box<dyn Change>> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(count_max);
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Box<dyn Change>>> {
        self.waiting.lock()
    }
}

impl<F, R, E> Change for Queued<F, R, E>
where
    F: FnOnce(&Transaction) -> Result<R, E> + Send,
    R: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, transaction: &Transaction) {
        let Some(change) = self.change.take() else { return };
        let guarded = || {
            catch_unwind(AssertUnwindSafe(|| change(transaction))).unwrap_or_else(|panic| {
                tracing::error!(panic = message(&*panic), "a transaction panicked; it is rolled back");
                Err(Error::Panicked.into())
            })
        };
        self.result = Some(transaction.savepoint(guarded));
    }

    fn tell(self: Box<Self>, committed: &Result<(), Arc<Error>>) {
        let answer = match (self.result, committed) {
            // The change tells itself why it was rolled back.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(result)), Ok(())) => Ok(result),
            (_, Err(error)) => Err(Error::NotCommitted(Arc::clone(error)).into()),
            (None, Ok(())) => Err(Error::Panicked.into()),
        };
        *self.answer.lock() = Some(answer);
    }
}

/// Runs changes and commits them together; returns what is to be done then.
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

/// Runs what is to be done after a commit; an action that panics keeps none of the others from running.
fn run_all(actions: Vec<Action>) {
    for action in actions {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(action)) {
            tracing::error!(panic = message(&*panic), "an action after a commit panicked; what was committed stays");
        }
    }
}

/// The text of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

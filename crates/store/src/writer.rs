//! The one connection that writes, and whoever has its turn with it.
//!
//! A thread that wants to write puts its change into the queue and waits for its turn; whoever has it commits everything that waits,
//! each change in a savepoint of its own, one commit for all. So a thread alone hands nothing over to another, and many share commits.
//! **Invariant:** whoever asked for a change goes on only after its commit, or hears that it failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::Connection;

use crate::{Error, Transaction};

/// How many changes share a commit at most, which bounds how long the first of them waits.
const CHANGES_PER_COMMIT: usize = 256;

pub(crate) struct Writer {
    turn: Mutex<Transaction>,
    waiting: Mutex<Vec<Box<dyn Change>>>,
}

/// A change that waits for its commit.
trait Change: Send {
    fn run(&mut self, transaction: &Transaction);
    fn tell(self: Box<Self>, committed: bool);
}

struct Asked<F, R> {
    change: Option<F>,
    result: Option<Result<R, Error>>,
    answer: Arc<Mutex<Option<Result<R, Error>>>>,
}

impl Writer {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { turn: Mutex::new(Transaction::over(connection)), waiting: Mutex::default() }
    }

    pub(crate) fn run<R: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let answer = Arc::default();
        self.waiting().push(Box::new(Asked { change: Some(change), result: None, answer: Arc::clone(&answer) }));
        // An action after a commit may have panicked on another thread; what waited for that commit hears it here.
        let transaction = self.turn.lock().map_err(|_| Error::Closed)?;
        loop {
            if let Some(answer) = answer.lock().expect("no holder of this lock panics").take() {
                return answer;
            }
            let mut waiting = self.waiting();
            let count = waiting.len().min(CHANGES_PER_COMMIT);
            let changes = waiting.drain(..count).collect();
            drop(waiting);
            commit_and_tell(&transaction, changes);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Box<dyn Change>>> {
        self.waiting.lock().expect("no holder of this lock panics")
    }
}

impl<F: FnOnce(&Transaction) -> R + Send, R: Send> Change for Asked<F, R> {
    fn run(&mut self, transaction: &Transaction) {
        self.result = self.change.take().map(|change| isolated(transaction, change));
    }

    fn tell(self: Box<Self>, committed: bool) {
        let result = self.result.filter(|_| committed).unwrap_or(Err(Error::NotCommitted));
        *self.answer.lock().expect("no holder of this lock panics") = Some(result);
    }
}

fn commit_and_tell(transaction: &Transaction, mut changes: Vec<Box<dyn Change>>) {
    let committed = commit(transaction, &mut changes);
    if let Err(error) = &committed {
        tracing::error!(%error, "a commit failed; none of its changes was kept");
    }
    for change in changes {
        change.tell(committed.is_ok());
    }
}

fn commit(transaction: &Transaction, changes: &mut [Box<dyn Change>]) -> Result<(), Error> {
    transaction.statement("BEGIN IMMEDIATE")?;
    for change in changes {
        change.run(transaction);
    }
    let committed = transaction.statement("COMMIT");
    let actions = transaction.take_after_commit();
    if committed.is_ok() {
        for action in actions {
            action();
        }
    } else {
        // After a failed commit SQLite may have rolled back by itself, and then there is nothing to roll back.
        drop(transaction.statement("ROLLBACK"));
    }
    committed
}

/// Runs a closure so that a panic in it takes back its own changes and nobody else's.
fn isolated<R>(transaction: &Transaction, change: impl FnOnce(&Transaction) -> R) -> Result<R, Error> {
    let hooks = transaction.hooks();
    transaction.statement("SAVEPOINT change")?;
    let result = catch_unwind(AssertUnwindSafe(|| change(transaction)));
    if result.is_err() {
        transaction.forget_since(hooks);
        transaction.statement("ROLLBACK TO change")?;
    }
    transaction.statement("RELEASE change")?;
    result.map_err(|_| Error::Panicked)
}

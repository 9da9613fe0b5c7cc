//! The one thread that writes.
//!
//! It takes what waits and commits it together: each closure in a savepoint of its own, one commit for all.
//! **Invariant:** whoever asked for a change goes on only after its commit, or hears that it failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::slot::{self, Answer};
use crate::{Error, Transaction};

/// How many changes share a commit at most, which bounds how long the first of them waits.
const CHANGES_PER_COMMIT: usize = 256;

pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

/// What waits to be written.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    changes: Vec<Box<dyn Change>>,
    closed: bool,
}

/// A change and the thread that waits for it; dropped untold, that thread hears that the store is closed.
trait Change: Send {
    fn run(&mut self, transaction: &Transaction);
    fn tell(self: Box<Self>, committed: bool);
}

struct Asked<F, R> {
    change: Option<F>,
    result: Option<Result<R, Error>>,
    answer: Answer<R>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Result<Self, Error> {
        let queue = Arc::new(Queue::default());
        let taken = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(&Transaction::over(connection), &taken))
            .map_err(|_| Error::Closed)?;
        Ok(Self { queue, thread: Some(thread) })
    }

    pub(crate) fn run<R: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (answer, waiting) = slot::slot();
        self.queue.add(Box::new(Asked { change: Some(change), result: None, answer }));
        waiting.wait()
    }
}

impl Drop for Writer {
    /// Writes what waits and ends the thread.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            drop(thread.join());
        }
    }
}

impl Queue {
    fn add(&self, change: Box<dyn Change>) {
        self.waiting.lock().expect("no holder of this lock panics").changes.push(change);
        self.changed.notify_one();
    }

    fn close(&self) {
        self.waiting.lock().expect("no holder of this lock panics").closed = true;
        self.changed.notify_one();
    }

    /// Waits for changes and takes them; nothing once the queue is closed and empty.
    fn take(&self) -> Vec<Box<dyn Change>> {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        while waiting.changes.is_empty() && !waiting.closed {
            waiting = self.changed.wait(waiting).expect("no holder of this lock panics");
        }
        let count = waiting.changes.len().min(CHANGES_PER_COMMIT);
        waiting.changes.drain(..count).collect()
    }
}

impl<F: FnOnce(&Transaction) -> R + Send, R: Send> Change for Asked<F, R> {
    fn run(&mut self, transaction: &Transaction) {
        self.result = self.change.take().map(|change| isolated(transaction, change));
    }

    fn tell(self: Box<Self>, committed: bool) {
        let result = self.result.filter(|_| committed).unwrap_or(Err(Error::NotCommitted));
        self.answer.give(result);
    }
}

fn write_all(transaction: &Transaction, queue: &Queue) {
    loop {
        let mut changes = queue.take();
        if changes.is_empty() {
            return;
        }
        let committed = commit(transaction, &mut changes);
        if let Err(error) = &committed {
            tracing::error!(%error, "a commit failed; none of its changes was kept");
        }
        for change in changes {
            change.tell(committed.is_ok());
        }
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

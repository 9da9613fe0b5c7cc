//! The one thread that writes.
//!
//! It takes what waits and commits it together: each closure in a savepoint of its own, one commit for all.
//! **Invariant:** whoever asked for a change goes on only after its commit, or hears that it failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use rusqlite::Connection;

use crate::{Error, Transaction};

/// How many closures share a commit at most, which bounds how long the first of them waits.
const CHANGES_PER_COMMIT: usize = 256;

/// Runs one change and returns what tells its outcome to the thread that waits.
type Change = Box<dyn FnOnce(&Transaction) -> Tell + Send>;
type Tell = Box<dyn FnOnce(Result<(), Error>)>;

pub(crate) struct Writer {
    changes: Option<Sender<Change>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Result<Self, Error> {
        let (sender, receiver) = unbounded();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(&Transaction::over(connection), &receiver))
            .map_err(|_| Error::Closed)?;
        Ok(Self { changes: Some(sender), thread: Some(thread) })
    }

    pub(crate) fn run<R: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (reply, outcome) = bounded(1);
        let change: Change = Box::new(move |transaction| {
            let result = isolated(transaction, change);
            // A waiting thread that is gone needs no answer.
            Box::new(move |committed| drop(reply.send(committed.and(result))))
        });
        let changes = self.changes.as_ref().ok_or(Error::Closed)?;
        changes.send(change).map_err(|_| Error::Closed)?;
        outcome.recv().map_err(|_| Error::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.changes.take());
        if let Some(thread) = self.thread.take() {
            // The thread catches panics of the closures; one of its own has been reported by the panic hook.
            drop(thread.join());
        }
    }
}

fn write_all(transaction: &Transaction, changes: &Receiver<Change>) {
    while let Ok(first) = changes.recv() {
        if let Err(error) = transaction.statement("BEGIN IMMEDIATE") {
            tracing::error!(%error, "a transaction cannot begin");
            // Running it outside a transaction is no choice: dropping it tells its caller that the store is closed.
            drop(first);
            continue;
        }
        let batch = std::iter::once(first).chain(changes.try_iter()).take(CHANGES_PER_COMMIT);
        let tells: Vec<Tell> = batch.map(|change| change(transaction)).collect();
        let committed = transaction.statement("COMMIT");
        let actions = transaction.take_after_commit();
        if let Err(error) = &committed {
            tracing::error!(%error, "a commit failed; none of its changes was kept");
            // After a failed commit SQLite may have rolled back by itself, and then there is nothing to roll back.
            drop(transaction.statement("ROLLBACK"));
        } else {
            for action in actions {
                action();
            }
        }
        for tell in tells {
            tell(committed.as_ref().map(drop).map_err(|_| Error::NotCommitted));
        }
    }
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

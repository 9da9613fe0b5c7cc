//! The result of a queued change, to be awaited by a task or waited for by a thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};

use parking_lot::{Mutex, MutexGuard};

use super::queue::{Change, WaiterKind};
use super::{Writer, message};
use crate::{Error, Transaction};

/// A change on its way to its commit.
///
/// The change is committed even if this is dropped before.
#[must_use = "the result tells whether the change was committed"]
pub struct Commit<R: Send + 'static, E: Send + 'static> {
    writer: Arc<Writer>,
    queued: Arc<Queued<R, E>>,
}

type Closure<R, E> = Box<dyn FnOnce(&Transaction) -> Result<R, E> + Send>;

struct Queued<R, E>(Mutex<Progress<R, E>>);

struct Progress<R, E> {
    change: Option<Closure<R, E>>,
    /// What the change returned; it counts only once it is committed.
    result: Option<Result<R, E>>,
    answer: Option<Result<R, E>>,
    waiter: Option<Waiter>,
}

/// Who waits for the answer.
enum Waiter {
    Task(Waker),
    Thread(Thread),
}

impl<R: Send + 'static, E: From<Error> + Send + 'static> Commit<R, E> {
    pub(super) fn queue(
        writer: Arc<Writer>,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Self {
        let progress = Progress { change: Some(Box::new(change)), result: None, answer: None, waiter: None };
        let queued = Arc::new(Queued(Mutex::new(progress)));
        writer.queue.push(Arc::<Queued<R, E>>::clone(&queued));
        Self { writer, queued }
    }

    /// Blocks the thread until the change is committed or has failed.
    pub fn wait(self) -> Result<R, E> {
        loop {
            if let Some(answer) = self.advance(Writer::commit_if_free, || Waiter::Thread(thread::current())) {
                return answer;
            }
            thread::park();
        }
    }

    /// Commits the change at once if the connection is free, for a thread that may wait for a server: that saves two changes of thread.
    ///
    /// The result is awaited, or waited for, afterwards.
    pub fn commit_if_free(&self) {
        self.writer.commit_if_free();
    }

    /// Lets the queue be committed unless there is an answer, and returns that; else `waiter` is woken when it is worth another try.
    fn advance(&self, commit: impl Fn(&Writer), waiter: impl FnOnce() -> Waiter) -> Option<Result<R, E>> {
        let mut answer = self.queued.lock().answer.take();
        if answer.is_none() {
            commit(&self.writer);
            answer = self.queued.lock().answer.take();
        }
        if answer.is_none() {
            self.queued.lock().waiter = Some(waiter());
            // The connection may have been released before the waiter was set.
            commit(&self.writer);
            answer = self.queued.lock().answer.take();
        }
        answer
    }
}

impl<R: Send + 'static, E: From<Error> + Send + 'static> Future for Commit<R, E> {
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waiter = || Waiter::Task(context.waker().clone());
        self.advance(Writer::commit_if_free_for_task, waiter).map_or(Poll::Pending, Poll::Ready)
    }
}

impl<R: Send + 'static, E: Send + 'static> Drop for Commit<R, E> {
    fn drop(&mut self) {
        let is_queued = {
            let mut progress = self.queued.lock();
            progress.waiter = None;
            progress.change.is_some()
        };
        if is_queued {
            // It may be a task that drops this.
            self.writer.commit_if_free_for_task();
        }
    }
}

impl<R, E> Queued<R, E> {
    fn lock(&self) -> MutexGuard<'_, Progress<R, E>> {
        self.0.lock()
    }
}

impl<R: Send, E: From<Error> + Send> Change for Queued<R, E> {
    fn run(&self, transaction: &Transaction) {
        let Some(change) = self.lock().change.take() else { return };
        let guarded = || {
            catch_unwind(AssertUnwindSafe(|| change(transaction))).unwrap_or_else(|panic| {
                tracing::error!(panic = message(&*panic), "a transaction panicked; it is rolled back");
                Err(Error::Panicked.into())
            })
        };
        let result = transaction.savepoint(guarded);
        self.lock().result = Some(result);
    }

    fn answer(&self, committed: &Result<(), Arc<Error>>) {
        let mut progress = self.lock();
        progress.answer = Some(match (progress.result.take(), committed) {
            // The change itself says why it was rolled back.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(result)), Ok(())) => Ok(result),
            (_, Err(error)) if error.is_unknown() => Err(Error::clone(error).into()),
            (_, Err(error)) => Err(Error::NotCommitted(Arc::clone(error)).into()),
            (None, Ok(())) => Err(Error::Panicked.into()),
        });
        wake(progress.waiter.take());
    }

    fn wake(&self) {
        wake(self.lock().waiter.take());
    }

    fn waiter(&self) -> Option<WaiterKind> {
        self.lock().waiter.as_ref().map(|waiter| match waiter {
            Waiter::Task(_) => WaiterKind::Task,
            Waiter::Thread(_) => WaiterKind::Thread,
        })
    }
}

fn wake(waiter: Option<Waiter>) {
    match waiter {
        Some(Waiter::Task(waker)) => waker.wake(),
        Some(Waiter::Thread(thread)) => thread.unpark(),
        None => {}
    }
}

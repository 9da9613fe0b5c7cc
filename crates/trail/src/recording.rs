//! A record on its way to its commit, together with the change of its call.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws::Failure;
use store::Commit;

use crate::unrecorded;

/// The result of a change, to be awaited by a task or waited for by a thread; it fails if the change could not be recorded.
#[must_use = "the result tells whether the record was committed"]
pub struct Recording<R: Send + 'static>(State<R>);

enum State<R: Send + 'static> {
    Commit(Commit<R, store::Error>),
    /// It was refused before the change ran; `None` once that was told.
    Failed(Option<Failure>),
}

impl<R: Send + 'static> Recording<R> {
    pub(crate) fn of(commit: Commit<R, store::Error>) -> Self {
        Self(State::Commit(commit))
    }

    pub(crate) fn failed(failure: Failure) -> Self {
        Self(State::Failed(Some(failure)))
    }

    /// Commits the record at once if no other is being committed, for a thread that may wait for the database; it is awaited afterwards.
    pub fn commit_if_free(&self) {
        if let State::Commit(commit) = &self.0 {
            commit.commit_if_free();
        }
    }

    /// Blocks the thread until the record is committed or has failed.
    pub fn wait(self) -> Result<R, Failure> {
        match self.0 {
            State::Commit(commit) => commit.wait().map_err(|error| unrecorded(&error)),
            State::Failed(failure) => Err(failure.unwrap_or_else(Failure::internal)),
        }
    }
}

impl<R: Send + 'static> Future for Recording<R> {
    type Output = Result<R, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Commit(commit) => {
                let committed = ready!(Pin::new(commit).poll(context));
                Poll::Ready(committed.map_err(|error| unrecorded(&error)))
            }
            State::Failed(failure) => Poll::Ready(Err(failure.take().unwrap_or_else(Failure::internal))),
        }
    }
}

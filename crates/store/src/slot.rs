//! A place for one answer, on which a thread waits.
//!
//! It parks at once where a channel would first spin and yield: the writer needs the processor more than whoever waits for it.

use std::sync::{Arc, Condvar, Mutex};

use crate::Error;

/// The end that answers; dropped without an answer it says that the store is closed.
pub(crate) struct Answer<R>(Arc<Slot<R>>);

/// The end that waits.
pub(crate) struct Waiting<R>(Arc<Slot<R>>);

struct Slot<R> {
    answer: Mutex<Option<Result<R, Error>>>,
    answered: Condvar,
}

pub(crate) fn slot<R>() -> (Answer<R>, Waiting<R>) {
    let slot = Arc::new(Slot { answer: Mutex::new(None), answered: Condvar::new() });
    (Answer(Arc::clone(&slot)), Waiting(slot))
}

impl<R> Answer<R> {
    pub(crate) fn give(self, answer: Result<R, Error>) {
        self.0.put(answer);
        // Dropping it now says nothing more: whoever waits takes the first answer.
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        self.0.put(Err(Error::Closed));
    }
}

impl<R> Waiting<R> {
    pub(crate) fn wait(self) -> Result<R, Error> {
        let mut answer = self.0.answer.lock().expect("no holder of this lock panics");
        loop {
            match answer.take() {
                Some(answer) => return answer,
                None => answer = self.0.answered.wait(answer).expect("no holder of this lock panics"),
            }
        }
    }
}

impl<R> Slot<R> {
    /// Only the first answer counts.
    fn put(&self, answer: Result<R, Error>) {
        let mut place = self.answer.lock().expect("no holder of this lock panics");
        if place.is_none() {
            *place = Some(answer);
        }
        drop(place);
        self.answered.notify_one();
    }
}

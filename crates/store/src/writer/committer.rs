//! The thread that commits the changes of tasks to a server.
//!
//! A commit is some round trips over the network, for which a task must not wait. Changes that come meanwhile share the next commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};

use super::Writer;
use crate::Error;
use crate::postgres::failure;

/// The running thread; it ends after the last change when this is dropped.
pub(crate) struct Committer {
    writer: Arc<Writer>,
    thread: Option<JoinHandle<()>>,
}

/// What a writer knows of its thread.
#[derive(Default)]
pub(super) struct CommitterThread {
    /// Set before the first change.
    thread: std::sync::OnceLock<Thread>,
    is_stopping: AtomicBool,
}

impl Committer {
    /// Starts the thread for a writer.
    pub(crate) fn start(mut writer: Writer) -> Result<(Arc<Writer>, Self), Error> {
        writer.thread = Some(CommitterThread::default());
        let writer = Arc::new(writer);
        let committing = Arc::clone(&writer);
        let thread = thread::Builder::new().name("database commits".to_owned()).spawn(move || committing.commit_all());
        let thread = thread.map_err(|error| failure("the thread that commits", &error))?;
        if let Some(known) = &writer.thread {
            // Set once, here.
            let _ = known.thread.set(thread.thread().clone());
        }
        Ok((Arc::clone(&writer), Self { writer, thread: Some(thread) }))
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        if let Some(known) = &self.writer.thread {
            known.is_stopping.store(true, Ordering::Release);
        }
        self.writer.wake_committer();
        let Some(thread) = self.thread.take() else { return };
        // The last owner of a store can be a change.
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("the thread that commits has panicked");
        }
    }
}

impl Writer {
    /// Wakes the thread that commits; returns whether there is one.
    pub(super) fn wake_committer(&self) -> bool {
        let thread = self.thread.as_ref().and_then(|known| known.thread.get());
        thread.inspect(|thread| thread.unpark()).is_some()
    }

    /// Commits what is queued, until the store is closed.
    fn commit_all(&self) {
        let is_stopping = || self.thread.as_ref().is_none_or(|known| known.is_stopping.load(Ordering::Acquire));
        loop {
            // A change that is queued after this look wakes the thread, even before it parks.
            let stops = is_stopping();
            while !self.queue.is_empty() {
                self.commit_queued(&mut self.connection.lock());
            }
            if stops {
                self.connection.lock().transaction = None;
                return;
            }
            thread::park();
        }
    }
}

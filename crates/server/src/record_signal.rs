//! The signal that records were committed, for the readers of the feed.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A signal that costs nothing while nothing waits for it.
#[derive(Debug, Default)]
pub(crate) struct RecordSignal {
    is_watched: AtomicBool,
    committed: Notify,
}

impl RecordSignal {
    /// Tells the watcher that records were committed; several signals before it waits again are one.
    pub(crate) fn raise(&self) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.committed.notify_one();
        }
    }

    /// Sets whether there is a watcher. Records that are committed before this are not signalled, so it must read them afterwards.
    pub(crate) fn set_watched(&self, is_watched: bool) {
        self.is_watched.store(is_watched, Ordering::SeqCst);
    }

    /// Waits until records were committed since the last wait.
    pub(crate) async fn raised(&self) {
        self.committed.notified().await;
    }
}

//! Records of Git LFS, which are ours: AWS has published none.

use std::sync::Arc;

use aws::Failure;
use codecommit::repository::Repository;
use serde_json::{Value, json};
use store::Transaction;
use trail::Event;

use crate::git_serving::{Session, event};
use crate::lfs::LfsRequest;
use crate::lfs::reply::LfsFailure;

/// Creates the event of a batch: that of a push or pull without data, with the number and size of the objects that are transferred.
pub(super) fn batch(session: &Session, repository: &Repository, operation: &str, objects: usize, bytes: u64) -> Event {
    let mut event = event::without_data(session, &repository.name, Some(repository));
    event.additional_event_data["lfs"] = json!({ "operation": operation, "objects": objects, "bytes": bytes });
    event
}

/// Creates the event of a change of locks.
pub(super) fn locks(name: &str, parameters: Value) -> Event {
    let mut event = Event::new(name, codecommit::EVENT_SOURCE);
    event.read_only = false;
    event.request_parameters = parameters;
    event
}

impl LfsRequest {
    /// Commits a change with the event that it returns; without the event if the settings turn records of Git LFS off.
    pub(super) fn transact<R: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> (Result<R, store::Error>, Event) + Send + 'static,
    ) -> Result<R, LfsFailure> {
        if !self.state.settings.git.lfs.events {
            return Ok(self.state.store.write(move |transaction| change(transaction).0)?);
        }
        let committed = self.state.trail.transact(Arc::clone(&self.call), move |transaction| {
            let (result, mut event) = change(transaction);
            if result.is_err() {
                event.failure = Some(Failure::internal());
            }
            (result, event)
        });
        Ok(committed??)
    }

    /// Records a request that changed nothing.
    pub(super) fn record(&self, event: Event) -> Result<(), LfsFailure> {
        if self.state.settings.git.lfs.events {
            self.state.trail.record(&self.call, event)?;
        }
        Ok(())
    }
}

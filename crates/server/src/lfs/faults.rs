//! Failures on demand of Git LFS: a batch is the push or pull that it belongs to, and changes of locks have names of their own.
//!
//! Transfers are parts of the batch that gave out their token; they are no calls, so no rule matches them.

use aws::{Fault, FaultInjector};
use codecommit::repository::Repository;
use serde::Deserialize;
use trail::Event;

use crate::git_serving::Refusal;
use crate::lfs::LfsRequest;
use crate::lfs::reply::LfsFailure;

/// The reference that a client works on, if its request names one.
#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    name: Option<String>,
}

impl LfsRequest {
    /// Fails a call on demand, with the record of `event`; its permissions were decided before.
    ///
    /// A call that never arrived fails without a record, and its connection is cut in the place of the reply.
    pub(super) fn check_faults(
        &self,
        operation: &str,
        repository: &Repository,
        reference: Option<Reference>,
        event: impl FnOnce() -> Event,
    ) -> Result<(), LfsFailure> {
        let Some(faults) = &self.faults else { return Ok(()) };
        let references = reference.and_then(|reference| reference.name);
        faults.begin_git(&self.call, operation, &repository.name, references);
        match faults.decide() {
            None => Ok(()),
            Some(Fault::NeverArrived) => Err(Refusal::Cut.into()),
            Some(Fault::Failure(failure)) => {
                self.record(Event { failure: Some(failure.clone()), ..event() })?;
                Err(failure.into())
            }
        }
    }
}

//! A client's use of one service of one repository.

use std::sync::Arc;

use aws::{Call, Failure, FaultInjector, permission};
use codecommit::repository::Repository;
use git::{References, Service, Version};
use trail::Event;

use crate::failures::{CallFaults, Effect};
use crate::git_serving::{Refusal, Reply, event};
use crate::state::State;

/// A client's use of one service of one repository for one call: a request of HTTP, or what leaves one event of a connection of SSH.
pub(crate) struct Session {
    pub(crate) state: Arc<State>,
    pub(crate) call: Arc<Call>,
    pub(crate) repository_name: String,
    pub(crate) service: Service,
    pub(crate) version: Version,
    /// The transport, as records name it: `HTTP` or `SSH`.
    pub(crate) protocol: &'static str,
    /// The failures on demand that the call can meet, if there are any.
    pub(crate) faults: Option<Arc<CallFaults>>,
}

impl Session {
    /// Finds the repository; a failure is recorded.
    pub(crate) fn repository(&self) -> Result<Repository, Refusal> {
        self.call.set_action(permission::action(codecommit::EVENT_SOURCE, event::name(self.service)));
        let found = self.state.codecommit.repository(&self.call, &self.repository_name);
        found.map_err(|exception| self.record_failure(exception.into()))
    }

    /// Sends the advertisement, and records it.
    pub(crate) fn advertise(&self, reply: &mut impl Reply) {
        match self.recorded_advertisement() {
            Ok((advertisement, _)) => reply.send_advertisement(advertisement),
            Err(refusal) => reply.refuse(refusal),
        }
    }

    /// Returns the advertisement, which is recorded, and the references that it has.
    pub(crate) fn recorded_advertisement(&self) -> Result<(Arc<Vec<u8>>, Arc<References>), Refusal> {
        let repository = self.repository()?;
        let advertisement = self.state.codecommit.advertise(&repository, self.service, self.version);
        let advertisement = advertisement.map_err(|exception| self.record_failure(exception.into()))?;
        self.record(event::without_data(self, &repository.name, Some(&repository)))?;
        Ok(advertisement)
    }

    /// Decides whether a fetch or push fails on demand; returns what becomes of it.
    ///
    /// Its permissions are decided before.
    pub(crate) fn decide(&self, repository: &Repository, references: impl IntoIterator<Item = String>) -> Effect {
        let Some(faults) = &self.faults else { return Effect::default() };
        faults.begin_git(&self.call, event::name(self.service), &repository.name, references);
        faults.decide();
        self.effect()
    }

    /// Returns what was decided about the fetch or push.
    pub(crate) fn effect(&self) -> Effect {
        self.faults.as_ref().and_then(|faults| faults.effect()).cloned().unwrap_or_default()
    }

    /// Records an event.
    pub(crate) fn record(&self, event: Event) -> Result<(), Refusal> {
        self.state.trail.record(&self.call, event).map_err(Refusal::NotRecorded)
    }

    /// Records that the request failed; returns the refusal for the client.
    pub(crate) fn record_failure(&self, failure: Failure) -> Refusal {
        let is_missing = failure.name == "RepositoryDoesNotExistException";
        let mut event = event::without_data(self, &self.repository_name, None);
        event.failure = Some(failure.clone());
        match self.record(event) {
            Ok(()) if is_missing => Refusal::NoSuchRepository,
            Ok(()) => Refusal::Failed(failure),
            Err(refusal) => refusal,
        }
    }
}

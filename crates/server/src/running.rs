//! The state that requests use, and its replacement while no request uses it.
//!
//! **Invariant:** a request uses one state from its beginning to its end, and data are replaced only while no request runs.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use aws::ClockPosition;
use axum::Router;
use ipnet::IpNet;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

use crate::data_change::{DataChange, DataError};
use crate::routes;
use crate::state::State;

/// Time between checks whether the last request has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// The state of a running server.
pub(crate) struct Running {
    phase: watch::Sender<Phase>,
    /// Its one permit is held by a change of all data.
    turn: Semaphore,
    /// The position of a fixed clock after the start.
    start: Option<ClockPosition>,
    stop_timeout: Duration,
    trusted_proxies: Vec<IpNet>,
}

/// Changes of the state, for those who use it only for moments.
pub(crate) struct Changes(watch::Receiver<Phase>);

impl Changes {
    /// Waits until the state is taken or replaced.
    pub(crate) async fn next(&mut self) {
        // Without a sender, the server has ended.
        let _ = self.0.changed().await;
    }
}

/// What requests find.
#[derive(Clone)]
enum Phase {
    /// The state that they use.
    Serving(Arc<State>, Router),
    /// They wait, because the data are being replaced.
    Replacing,
    /// The data could not be opened again, for this reason.
    Failed(Arc<str>),
}

impl Running {
    pub(crate) fn new(state: State) -> Self {
        let (start, stop_timeout) = (state.clock.position(), state.settings.stop_timeout);
        let trusted_proxies = state.settings.trusted_proxies.clone();
        let phase = watch::Sender::new(Phase::serving(state));
        Self { phase, turn: Semaphore::new(1), start, stop_timeout, trusted_proxies }
    }

    /// Returns the networks of the proxies that may tell the addresses of their clients.
    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.trusted_proxies
    }

    /// Returns the routes for one request; it waits while data are replaced.
    pub(crate) async fn router(&self) -> Result<Router, Arc<str>> {
        self.serving().await.map(|(_, router)| router)
    }

    /// Returns the state for one piece of work; it waits while data are replaced.
    pub(crate) async fn state(&self) -> Result<Arc<State>, Arc<str>> {
        self.serving().await.map(|(state, _)| state)
    }

    /// Returns the state unless data are being replaced.
    pub(crate) fn current(&self) -> Option<Arc<State>> {
        match &*self.phase.borrow() {
            Phase::Serving(state, _) => Some(Arc::clone(state)),
            Phase::Replacing | Phase::Failed(_) => None,
        }
    }

    /// Returns the changes of the state from now on.
    pub(crate) fn changes(&self) -> Changes {
        Changes(self.phase.subscribe())
    }

    async fn serving(&self) -> Result<(Arc<State>, Router), Arc<str>> {
        let phase = self.phase.borrow().clone();
        let phase = match phase {
            Phase::Replacing => {
                let mut phases = self.phase.subscribe();
                let next = phases.wait_for(|phase| !matches!(phase, Phase::Replacing)).await;
                next.expect("the sender lives as long as this").clone()
            }
            phase => phase,
        };
        match phase {
            Phase::Serving(state, router) => Ok((state, router)),
            Phase::Failed(reason) => Err(reason),
            Phase::Replacing => unreachable!("the phase after it was awaited"),
        }
    }

    /// Changes all data once no request runs. Requests that come meanwhile wait; those that run have the stop timeout to end.
    pub(crate) async fn change(self: &Arc<Self>, change: DataChange) -> Result<(), DataError> {
        // A task of its own, because a client that disconnects must not end the change before its end.
        let changed = tokio::spawn(Arc::clone(self).change_alone(change)).await;
        changed.unwrap_or_else(|error| Err(DataError::Failed(error.to_string())))
    }

    async fn change_alone(self: Arc<Self>, change: DataChange) -> Result<(), DataError> {
        let _turn = self.turn.acquire().await;
        let state = self.take(Some(Instant::now() + self.stop_timeout)).await?;
        let start = self.start;
        let (phase, changed) = match tokio::task::spawn_blocking(move || change.apply(state, start)).await {
            Ok((Ok(state), changed)) => (Phase::serving(state), changed),
            Ok((Err(error), _)) => Phase::failed(&error),
            Err(panic) => Phase::failed(&panic),
        };
        self.phase.send_replace(phase);
        changed
    }

    /// Takes the state to close it, when no request uses it any more; returns `None` if the data could not be opened again.
    pub(crate) async fn close(&self) -> Option<State> {
        let _turn = self.turn.acquire().await;
        self.take(None).await.ok()
    }

    /// Takes the state when no request uses it any more. After the deadline, requests use it again.
    async fn take(&self, deadline: Option<Instant>) -> Result<State, DataError> {
        let mut state = match self.phase.send_replace(Phase::Replacing) {
            Phase::Serving(state, router) => {
                // The routes have the state, too.
                drop(router);
                state
            }
            Phase::Failed(reason) => {
                self.phase.send_replace(Phase::Failed(Arc::clone(&reason)));
                return Err(DataError::Failed(reason.to_string()));
            }
            Phase::Replacing => unreachable!("one change has the turn"),
        };
        loop {
            state = match Arc::try_unwrap(state) {
                Ok(state) => return Ok(state),
                Err(shared) => shared,
            };
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.phase.send_replace(Phase::shared(state));
                return Err(DataError::Busy(self.stop_timeout));
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl Phase {
    fn serving(state: State) -> Self {
        Self::shared(Arc::new(state))
    }

    fn shared(state: Arc<State>) -> Self {
        let router = routes::router(Arc::clone(&state));
        Self::Serving(state, router)
    }

    fn failed(error: &dyn Display) -> (Self, Result<(), DataError>) {
        tracing::error!(%error, "cannot open the data again; restart the server");
        let reason = format!("The data could not be opened again: {error}. Restart the server.");
        (Self::Failed(reason.as_str().into()), Err(DataError::Failed(reason)))
    }
}

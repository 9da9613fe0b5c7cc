//! Changes of all data at once: reset, snapshot and restore.

use std::time::Duration;

use aws::ClockPosition;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::StartError;
use crate::snapshots::{self, SnapshotName};
use crate::state::State;

/// A change of all data.
#[derive(Clone, Debug)]
pub(crate) enum DataChange {
    /// Removes all data.
    Reset,
    /// Saves all data under a name.
    Snapshot(SnapshotName),
    /// Replaces all data by those that were saved under a name.
    Restore(SnapshotName),
}

/// The reason why data could not be reset, saved or restored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DataError {
    /// The name cannot be that of a snapshot.
    #[error("{0}")]
    InvalidName(String),
    /// There is no snapshot of the name.
    #[error("There is no snapshot '{0}'. Take one with POST /_local/snapshots/{0}.")]
    NoSnapshot(String),
    /// Requests still ran after this time; nothing was changed.
    #[error(
        "Requests were still running after {0:?}, so nothing was changed. End them and try again, or give them more time with --stop-timeout."
    )]
    Busy(Duration),
    /// Snapshots need a database in the data folder.
    #[error(
        "Snapshots are not possible with a database on a server. Reset the data with POST /_local/reset, or save the schema of the database with pg_dump and the data folder with it."
    )]
    NoSnapshots,
    /// Another failure.
    #[error("{0}")]
    Failed(String),
}

impl DataChange {
    /// Returns the request for this change as a response: the connection makes the change when nothing uses the data any more,
    /// and then responds itself.
    pub(crate) fn requested(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(self);
        response
    }

    /// Changes the data of a state that nothing else uses; `start` is the position of a fixed clock after the start.
    ///
    /// Returns the state of the changed data, or of the unchanged ones if the change failed; an error if none can be opened.
    pub(crate) fn apply(
        self,
        state: State,
        start: Option<ClockPosition>,
    ) -> (Result<State, StartError>, Result<(), DataError>) {
        match self {
            Self::Reset => {
                let reset = state.reset().map_err(DataError::Failed);
                if let Some(position) = start {
                    state.clock.set_position(position);
                }
                (Ok(state), reset)
            }
            Self::Snapshot(_) | Self::Restore(_) if state.store.is_remote() => (Ok(state), Err(DataError::NoSnapshots)),
            Self::Snapshot(name) => take_snapshot(&name, state),
            Self::Restore(name) => restore(&name, state),
        }
    }
}

fn take_snapshot(name: &SnapshotName, state: State) -> (Result<State, StartError>, Result<(), DataError>) {
    let log_folders = match state.trail.log_folders() {
        Ok(log_folders) => log_folders,
        Err(error) => return (Ok(state), failed(error)),
    };
    let position = state.clock.position();
    let foundation = state.close();
    let created = foundation.clock.machine_time().iso();
    let taken = snapshots::take(name, &foundation.folders, &foundation.settings, log_folders, position, created);
    let state = State::open_again(foundation);
    if let (Ok(state), Some(position)) = (&state, position) {
        state.clock.set_position(position);
    }
    (state, taken.or_else(failed))
}

fn restore(name: &SnapshotName, state: State) -> (Result<State, StartError>, Result<(), DataError>) {
    let prepared = match state.trail.log_folders() {
        Ok(current) => snapshots::prepare_restore(name, &state.folders, &state.settings, current),
        Err(error) => return (Ok(state), failed(error)),
    };
    let prepared = match prepared {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return (Ok(state), Err(DataError::NoSnapshot(name.as_str().to_owned()))),
        Err(error) => return (Ok(state), failed(error)),
    };
    let foundation = state.close();
    let begun = prepared.begin();
    let state = State::open_again(foundation);
    if let (Ok(()), Ok(state)) = (&begun, &state) {
        state.failures.reset();
        if let Some(position) = prepared.clock {
            state.clock.set_position(position);
        }
    }
    (state, begun.or_else(failed))
}

fn failed(error: impl std::fmt::Display) -> Result<(), DataError> {
    Err(DataError::Failed(error.to_string()))
}

impl DataError {
    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidName(_) => StatusCode::BAD_REQUEST,
            Self::NoSnapshot(_) => StatusCode::NOT_FOUND,
            Self::NoSnapshots => StatusCode::NOT_IMPLEMENTED,
            Self::Busy(_) => StatusCode::CONFLICT,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for DataError {
    fn into_response(self) -> Response {
        tracing::warn!(error = %self, "cannot reset, save or restore the data");
        (self.status(), Json(json!({ "message": self.to_string() }))).into_response()
    }
}

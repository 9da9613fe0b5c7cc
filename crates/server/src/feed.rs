//! The feed: records as they are committed, as lines or server-sent events, for readers that wait for them.
//!
//! **Invariant:** a reader holds the state only while it reads one page. Data can be replaced while readers wait, which ends them, and
//! the server can stop. What a slow reader has not read stays in the store.

mod live;
mod reader;
mod reply;

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::{Mutex, broadcast, watch};
use trail::RecordPage;

use self::live::Batch;
use crate::feed_query::{FeedQuery, Form, Start};
use crate::running::{Changes, Running};
use crate::state::State;

/// Records in one page.
const PAGE_RECORDS: u32 = 100;

/// The feed of a server.
pub(crate) struct Feed {
    running: Arc<Running>,
    /// Its sender is dropped when the server stops.
    stopped: watch::Receiver<()>,
    /// The new records, while there are readers that wait for them.
    live: Mutex<Option<broadcast::Sender<Batch>>>,
}

/// The end of the time in which a reader can read: the data are replaced, or the server stops.
struct End {
    changes: Changes,
    stopped: watch::Receiver<()>,
}

impl Feed {
    pub(crate) fn new(running: Arc<Running>, stopped: watch::Receiver<()>) -> Self {
        Self { running, stopped, live: Mutex::default() }
    }

    /// Serves a request, for which nothing may hold the state.
    pub(crate) async fn serve(self: Arc<Self>, query: FeedQuery) -> Response {
        match query.form {
            Form::Lines { wait } => reply::lines(self, query, wait).await,
            Form::Events { lifetime } => reply::events(self, query, lifetime),
        }
    }

    /// Reads the records after a cursor; `None` if that fails.
    async fn page(&self, cursor: &str) -> Option<RecordPage> {
        let cursor = cursor.to_owned();
        self.read(move |state| state.trail.records_after(&cursor, PAGE_RECORDS)).await
    }

    /// Returns the cursor at which a reader starts.
    async fn start(&self, start: &Start) -> Option<String> {
        match start {
            Start::After(cursor) => Some(cursor.clone()),
            Start::Since(time) => {
                let time = *time;
                self.read(move |state| state.trail.cursor_before(time)).await
            }
            Start::Last(count) => {
                let count = *count;
                self.read(move |state| state.trail.cursor_before_last(count)).await
            }
        }
    }

    /// Reads from the current data, and waits while they are replaced; `None` if that fails.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> Result<T, store::Error> + Send + 'static,
    ) -> Option<T> {
        let state = self.running.state().await.ok()?;
        match tokio::task::spawn_blocking(move || read(&state)).await {
            Ok(Ok(value)) => Some(value),
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot read records for the feed");
                None
            }
            Err(error) => {
                tracing::error!(%error, "cannot read records for the feed");
                None
            }
        }
    }

    fn end(&self) -> End {
        End { changes: self.running.changes(), stopped: self.stopped.clone() }
    }
}

impl End {
    /// Waits for the end.
    async fn reached(&mut self) {
        tokio::select! {
            () = self.changes.next() => {}
            // Nothing is ever sent: this is the drop of the sender.
            _ = self.stopped.changed() => {}
        }
    }
}

/// The response if the records cannot be read.
fn unavailable() -> Response {
    let message = "The records cannot be read. The server's log has details.";
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "message": message }))).into_response()
}

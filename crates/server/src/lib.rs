//! The server: sockets, routes, and the wiring of everything else.
//!
//! [`Server::start`] runs it inside another program, a test for instance:
//!
//! ```no_run
//! # async fn example() -> Result<(), server::StartError> {
//! let server = server::Server::start(server::Settings::ephemeral()).await?;
//! println!("{}", server.endpoint());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant:** there are no business rules here.

#![warn(unreachable_pub)]

mod api;
mod archives;
mod authenticate;
mod blocking;
mod body;
mod call_log;
mod clock;
mod connection;
mod data_folder;
mod disconnect;
mod eviction;
mod folders;
mod git_http;
mod headers;
mod listen;
mod local;
mod maintenance;
mod messages;
mod notifications;
mod origin;
mod outbox;
mod protocol;
mod push_permits;
mod routes;
mod s3;
mod services;
pub mod settings;
mod spool;
mod start_error;
mod state;
mod triggers;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws::{AccountId, Clock, Region, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use folders::Overlap;
pub use settings::Settings;
pub use start_error::StartError;

use crate::state::State;

/// A running server; it stops when it is told to, or dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<()>>,
}

/// How often it is looked whether requests that were cut off have ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

impl Server {
    /// Starts a server on the machine's clock.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_with_clock(settings, Arc::new(SystemClock)).await
    }

    /// Starts a server whose time and ids come from the given clock.
    pub async fn start_with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let state = Arc::new(State::open(settings, address, clock)?);
        let (stop, stopped) = oneshot::channel::<()>();
        let (patience, stop_timeout) = (state.settings.git.timeout, state.settings.stop_timeout);
        let router = routes::router(Arc::clone(&state));
        let served = tokio::spawn(listen::serve(listener, router, patience, stop_timeout, async {
            // A sender that is gone means the same.
            drop(stopped.await);
        }));
        Ok(Self { address, state, stop: Some(stop), served })
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL that clients are given as `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Reads the identities file again, for all calls that begin from now on; if it cannot be used, the identities stay as they are.
    pub fn reload_identities(&self) -> Result<(), identity::Error> {
        self.state.reload_identities()
    }

    /// Returns the account of callers that name none.
    pub fn account(&self) -> &AccountId {
        &self.state.settings.account
    }

    /// Returns the region of requests that name none.
    pub fn region(&self) -> &Region {
        &self.state.settings.region
    }

    /// Returns the folder that holds the repositories and the database.
    pub fn data_folder(&self) -> &Path {
        self.state.data_folder()
    }

    /// Returns the folder that holds the trail.
    pub fn trail_folder(&self) -> &Path {
        self.state.trail_folder()
    }

    /// Returns the database, for tests.
    #[doc(hidden)]
    pub fn store(&self) -> &Arc<store::Store> {
        &self.state.store
    }

    /// Stops accepting, lets the requests that run finish within [`Settings::stop_timeout`], cuts off the others, and delivers
    /// what was recorded.
    ///
    /// It returns when everything is closed. A request that was cut off while it computes can take longer than the timeout; log files
    /// are delivered before it is waited for.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        match (&mut self.served).await {
            Ok(Ok(())) => {}
            failed => tracing::error!(?failed, "the server did not stop in order"),
        }
        let mut state = self.state;
        // Writing log files and closing the trail and the store blocks.
        let trail = Arc::clone(&state);
        let delivered = tokio::task::spawn_blocking(move || trail.trail.flush()).await;
        if let Ok(Err(error)) = delivered {
            tracing::error!(%error, "log files cannot be delivered; the next start delivers them");
        }
        let state = loop {
            match Arc::try_unwrap(state) {
                Ok(state) => break state,
                Err(shared) => state = shared,
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        };
        drop(tokio::task::spawn_blocking(move || drop(state)).await);
    }
}

//! The server: sockets, routes, background work, and the wiring of the services.
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
mod checkpoints;
mod client_address;
mod clock;
mod connection;
mod data_folder;
mod disconnect;
mod eviction;
mod folders;
mod git_http;
mod git_serving;
mod handshake;
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
mod query_service;
mod repository_path;
mod routes;
mod s3;
mod services;
pub mod settings;
mod spool;
mod ssh;
mod start_error;
mod state;
mod tls;
mod triggers;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws::{AccountId, Clock, Region, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use folders::Overlap;
pub use settings::Settings;
pub use start_error::StartError;
pub use tls::client::client_tls;

use crate::settings::TlsMode;
use crate::ssh::SshEndpoint;
use crate::state::State;

/// A running server; it stops when it is stopped or dropped.
pub struct Server {
    addresses: Vec<SocketAddr>,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<()>>,
    ssh: Option<RunningSsh>,
}

/// The listener of SSH.
struct RunningSsh {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

/// Time between checks whether interrupted requests have ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

impl Server {
    /// Starts a server on the system's clock.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_with_clock(settings, Arc::new(SystemClock)).await
    }

    /// Starts a server whose time and ids come from the given clock.
    pub async fn start_with_clock(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
        for &address in &settings.listen {
            let failed = |source| StartError::Listen { address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            addresses.push(listener.local_addr().map_err(failed)?);
            listeners.push(listener);
        }
        let first = *addresses.first().ok_or(StartError::NoAddress)?;
        let ssh = match settings.ssh_listen {
            Some(address) => {
                let failed = |source| StartError::ListenSsh { address, source };
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                Some((listener.local_addr().map_err(failed)?, listener))
            }
            None => None,
        };
        let ssh_address = ssh.as_ref().map(|(address, _)| *address);
        let state = Arc::new(State::open(settings, first, ssh_address, clock)?);
        let (stop, stopped) = oneshot::channel::<()>();
        let (idle_timeout, stop_timeout) = (state.settings.git.timeout, state.settings.stop_timeout);
        let certificates = Arc::clone(&state.certificates);
        let router = routes::router(Arc::clone(&state));
        let served = tokio::spawn(listen::serve(listeners, certificates, router, idle_timeout, stop_timeout, async {
            // A dropped sender stops the server, too.
            drop(stopped.await);
        }));
        let ssh = ssh.map(|(_, listener)| {
            let (stop, stopped) = oneshot::channel::<()>();
            let served = tokio::spawn(ssh::serve(listener, Arc::clone(&state), async { drop(stopped.await) }));
            RunningSsh { stop, served }
        });
        Ok(Self { addresses, state, stop: Some(stop), served, ssh })
    }

    /// Returns the first address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Returns all addresses that the server listens on, in the order of the settings.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the URL for clients, such as the value of `AWS_ENDPOINT_URL_CODECOMMIT`; it is `https` if TLS is required.
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.state.settings.tls.mode.scheme(), self.address())
    }

    /// Returns the address of Git over SSH; `None` if it is off.
    pub fn ssh_address(&self) -> Option<SocketAddr> {
        self.state.ssh.as_ref().map(SshEndpoint::address)
    }

    /// Returns the line of a `known_hosts` file for a host name or address of this server; `None` if SSH is off.
    pub fn known_hosts(&self, host: &str) -> Option<String> {
        self.state.ssh.as_ref().map(|endpoint| endpoint.known_hosts(host))
    }

    /// Returns whether clients must use TLS.
    pub fn requires_tls(&self) -> bool {
        self.state.settings.tls.mode == TlsMode::Require
    }

    /// Returns the file with the certificate of the local certificate authority, which signs the server's certificates.
    ///
    /// Returns `None` if TLS is off or has a certificate of its own.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.state.certificates.authority_pem().map(|_| self.data_folder().join(tls::AUTHORITY_FILE))
    }

    /// Reads the certificate of the settings again, for new connections; if it cannot be used, the former one stays.
    pub fn reload_certificate(&self) -> Result<(), StartError> {
        self.state.certificates.reload()
    }

    /// Reads the identities file again, for all later calls; if it cannot be used, the identities stay as they are.
    pub fn reload_identities(&self) -> Result<(), StartError> {
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

    /// Returns whether credentials are verified.
    pub fn access(&self) -> settings::Access {
        self.state.settings.access
    }

    /// Returns the access key of the administrator if this start created it; nothing shows its secret later.
    pub fn new_administrator_key(&self) -> Option<&settings::AccessKey> {
        self.state
            .sts
            .administrator()
            .filter(|administrator| administrator.is_new)
            .map(|administrator| &administrator.key)
    }

    /// Returns the database, for tests.
    #[doc(hidden)]
    pub fn store(&self) -> &Arc<store::Store> {
        &self.state.store
    }

    /// Stops accepting connections, lets running requests finish within [`Settings::stop_timeout`], interrupts the others, and
    /// delivers the log files.
    ///
    /// Returns when everything is closed. An interrupted request that is computing can take longer than the timeout; log files are
    /// delivered before the server waits for it.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(RunningSsh { stop, served }) = self.ssh.take() {
            drop(stop);
            if let Err(error) = served.await {
                tracing::error!(%error, "the listener of SSH failed");
            }
        }
        match (&mut self.served).await {
            Ok(Ok(())) => {}
            failed => tracing::error!(?failed, "the listener failed"),
        }
        let mut state = self.state;
        // Writing log files and closing the parts blocks.
        let trail = Arc::clone(&state);
        let delivered = tokio::task::spawn_blocking(move || trail.trail.flush()).await;
        if let Ok(Err(error)) = delivered {
            tracing::error!(%error, "cannot deliver log files; the next start delivers them");
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

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
mod client_address;
mod clock;
mod connection;
mod console_http;
mod data_change;
mod data_folder;
mod database_maintenance;
mod disconnect;
mod event_bridge;
mod eviction;
mod failures;
mod feed;
mod feed_query;
mod folders;
mod git_http;
mod git_serving;
mod handshake;
mod headers;
mod large_files;
mod lfs;
mod listen;
mod local;
mod maintenance;
mod messages;
mod migrations;
mod moving;
mod notifications;
mod origin;
mod outbox;
mod protocol;
mod proxy_header;
mod push_permits;
mod query_service;
mod record_signal;
mod repository_path;
mod roles;
mod routes;
mod running;
mod s3;
mod services;
pub mod settings;
mod snapshots;
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

use aws::{AccountId, Clock, FixedClock, FixedClockSettings, Region, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use codecommit::moving::MovedObjects;
pub use data_change::DataError;
pub use folders::Overlap;
pub use moving::{MoveError, Moved, move_to_file, move_to_server};
pub use settings::Settings;
pub use start_error::StartError;
pub use tls::client::client_tls;

use crate::data_change::DataChange;
use crate::running::Running;
use crate::settings::TlsMode;
use crate::ssh::SshEndpoint;
use crate::state::State;
use crate::tls::Certificates;

/// A running server; it stops when it is stopped or dropped.
pub struct Server {
    addresses: Vec<SocketAddr>,
    running: Arc<Running>,
    facts: Facts,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<io::Result<()>>,
    ssh: Option<RunningSsh>,
}

/// What stays the same while a server runs.
struct Facts {
    tls_mode: TlsMode,
    certificates: Arc<Certificates>,
    ssh: Option<Arc<SshEndpoint>>,
    account: AccountId,
    region: Region,
    access: settings::Access,
    data_folder: PathBuf,
    trail_folder: PathBuf,
    new_administrator_key: Option<settings::AccessKey>,
}

/// The listener of SSH.
struct RunningSsh {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Server {
    /// Starts a server on the clock of the settings, which is the system's by default.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = match settings.clock.clone() {
            FixedClockSettings { start: None, id_seed: None, .. } => Arc::new(SystemClock),
            fixed => Arc::new(FixedClock::new(fixed)),
        };
        Self::start_with_clock(settings, clock).await
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
        let state = State::open(settings, first, ssh_address, clock)?;
        let facts = Facts::of(&state);
        let (idle_timeout, stop_timeout) = (state.settings.git.timeout, state.settings.stop_timeout);
        let running = Arc::new(Running::new(state));
        let (stop, stopped) = oneshot::channel::<()>();
        let (certificates, served) = (Arc::clone(&facts.certificates), Arc::clone(&running));
        let served = tokio::spawn(listen::serve(listeners, certificates, served, idle_timeout, stop_timeout, async {
            // A dropped sender stops the server, too.
            drop(stopped.await);
        }));
        let ssh = ssh.zip(facts.ssh.clone()).map(|((_, listener), endpoint)| {
            let (stop, stopped) = oneshot::channel::<()>();
            let timeouts = ssh::Timeouts { idle: idle_timeout, stop: stop_timeout };
            let served = ssh::serve(listener, endpoint, Arc::clone(&running), timeouts, async { drop(stopped.await) });
            RunningSsh { stop, served: tokio::spawn(served) }
        });
        Ok(Self { addresses, running, facts, stop: Some(stop), served, ssh })
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
        format!("{}://{}", self.facts.tls_mode.scheme(), self.address())
    }

    /// Returns the address of Git over SSH; `None` if it is off.
    pub fn ssh_address(&self) -> Option<SocketAddr> {
        self.facts.ssh.as_ref().map(|endpoint| endpoint.address())
    }

    /// Returns the line of a `known_hosts` file for a host name or address of this server; `None` if SSH is off.
    pub fn known_hosts(&self, host: &str) -> Option<String> {
        self.facts.ssh.as_ref().map(|endpoint| endpoint.known_hosts(host))
    }

    /// Returns whether clients must use TLS.
    pub fn requires_tls(&self) -> bool {
        self.facts.tls_mode == TlsMode::Require
    }

    /// Returns the file with the certificate of the local certificate authority, which signs the server's certificates.
    ///
    /// Returns `None` if TLS is off or has a certificate of its own.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.facts.certificates.authority_pem().map(|_| self.data_folder().join(tls::AUTHORITY_FILE))
    }

    /// Reads the certificate of the settings again, for new connections; if it cannot be used, the former one stays.
    pub fn reload_certificate(&self) -> Result<(), StartError> {
        self.facts.certificates.reload()
    }

    /// Reads the identities file again, for all later calls; if it cannot be used, the identities stay as they are.
    pub fn reload_identities(&self) -> Result<(), StartError> {
        // A state that is opened now reads the file by itself.
        self.running.current().map_or(Ok(()), |state| state.reload_identities())
    }

    /// Returns the account of callers that name none.
    pub fn account(&self) -> &AccountId {
        &self.facts.account
    }

    /// Returns the region of requests that name none.
    pub fn region(&self) -> &Region {
        &self.facts.region
    }

    /// Returns the folder that holds the repositories and the database.
    pub fn data_folder(&self) -> &Path {
        &self.facts.data_folder
    }

    /// Returns the folder that holds the trail.
    pub fn trail_folder(&self) -> &Path {
        &self.facts.trail_folder
    }

    /// Returns whether credentials are verified.
    pub fn access(&self) -> settings::Access {
        self.facts.access
    }

    /// Returns the access key of the administrator if this start created it; nothing shows its secret later.
    pub fn new_administrator_key(&self) -> Option<&settings::AccessKey> {
        self.facts.new_administrator_key.as_ref()
    }

    /// Removes all data, when no request runs.
    pub async fn reset(&self) -> Result<(), DataError> {
        self.running.change(DataChange::Reset).await
    }

    /// Saves all data under a name, when no request runs; a snapshot of the same name is replaced.
    pub async fn snapshot(&self, name: &str) -> Result<(), DataError> {
        self.running.change(DataChange::Snapshot(name.parse().map_err(DataError::InvalidName)?)).await
    }

    /// Replaces all data by those of a snapshot, when no request runs.
    pub async fn restore(&self, name: &str) -> Result<(), DataError> {
        self.running.change(DataChange::Restore(name.parse().map_err(DataError::InvalidName)?)).await
    }

    /// Returns the database, for tests.
    #[doc(hidden)]
    pub fn store(&self) -> Arc<store::Store> {
        Arc::clone(&self.running.current().expect("tests do not use it while data are replaced").store)
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
        // Writing log files and closing the parts blocks.
        if let Some(state) = self.running.current() {
            let delivered = tokio::task::spawn_blocking(move || state.trail.flush()).await;
            if let Ok(Err(error)) = delivered {
                tracing::error!(%error, "cannot deliver log files; the next start delivers them");
            }
        }
        let state = self.running.close().await;
        drop(tokio::task::spawn_blocking(move || drop(state)).await);
    }
}

impl Facts {
    fn of(state: &State) -> Self {
        let Settings { tls, account, region, access, .. } = &state.settings;
        let administrator = state.sts.administrator().filter(|administrator| administrator.is_new);
        Self {
            tls_mode: tls.mode,
            certificates: Arc::clone(&state.certificates),
            ssh: state.ssh.clone(),
            account: account.clone(),
            region: region.clone(),
            access: *access,
            data_folder: state.data_folder().to_owned(),
            trail_folder: state.trail_folder().to_owned(),
            new_administrator_key: administrator.map(|administrator| administrator.key.clone()),
        }
    }
}

//! Git over SSH: the listener, its host key, and how long its connections last.
//!
//! **Invariant:** the only things that a client can do are `git-upload-pack` and `git-receive-pack`; there are no shells, terminals,
//! forwarded ports or subsystems.

mod channel;
mod client;
mod connection;
mod host_key;
mod input;
mod session;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use russh::server::Config;
use russh::{MethodKind, MethodSet, SshId};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::running::Running;
use crate::ssh::connection::SshServer;
pub(crate) use crate::ssh::host_key::{DEFAULT_PORT, SshEndpoint, authority, migrate};

/// Pause after a connection could not be accepted, which is mostly because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The server's version in the protocol.
const SERVER_ID: &str = concat!("SSH-2.0-codecommit-local_", env!("CARGO_PKG_VERSION"));

/// Time limits of connections.
pub(crate) struct Timeouts {
    /// Time without a session, or without progress of one.
    pub(crate) idle: Duration,
    /// Time for running sessions when the server stops.
    pub(crate) stop: Duration,
}

/// Serves connections until `stop` completes; running sessions then have the stop timeout before their connections are closed.
pub(crate) async fn serve(
    listener: TcpListener,
    endpoint: Arc<SshEndpoint>,
    running: Arc<Running>,
    timeouts: Timeouts,
    stop: impl Future<Output = ()>,
) {
    let config = Arc::new(config(&endpoint));
    let Timeouts { idle: idle_timeout, stop: stop_timeout } = timeouts;
    // The senders are dropped when the server stops, and after the stop timeout.
    let (on_stop, stopped) = watch::channel(());
    let (on_timeout, timed_out) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let ssh = SshServer { config: Arc::clone(&config), running: Arc::clone(&running), idle_timeout };
                connections.spawn(connection::run(stream, peer, ssh, stopped.clone(), timed_out.clone()));
            }
            // The client disconnected before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept an SSH connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, on_stop, running));
    if timeout(stop_timeout, ended(&mut connections)).await.is_err() {
        tracing::warn!(
            ?stop_timeout,
            "closing the SSH connections of sessions that still run; give them more time with --stop-timeout"
        );
    }
    drop(on_timeout);
    ended(&mut connections).await;
}

/// Waits until all connections have ended.
async fn ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

fn config(endpoint: &SshEndpoint) -> Config {
    Config {
        server_id: SshId::Standard(SERVER_ID.into()),
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        // Public keys and their ids are no secrets that the time of a refusal could tell.
        auth_rejection_time: Duration::ZERO,
        keys: vec![endpoint.private_key()],
        // Idle connections are closed by `connection`, which knows whether a session runs.
        inactivity_timeout: None,
        ..Config::default()
    }
}

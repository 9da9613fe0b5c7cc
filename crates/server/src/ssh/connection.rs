//! One SSH connection, from its first byte to its end.
//!
//! **Invariant:** a connection without a running session ends after the idle timeout, or when the server stops. When it ends, work for
//! its client is interrupted.

use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use russh::Disconnect;
use russh::server::{Config, run_stream};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::disconnect::DisconnectGuard;
use crate::proxy_header::{self, Ends};
use crate::running::Running;
use crate::ssh::client::Client;

/// What the channels of a connection have in common.
pub(super) struct Shared {
    pub(super) server: Arc<Running>,
    pub(super) peer: SocketAddr,
    /// The address at which the client has reached the server.
    pub(super) local: SocketAddr,
    /// Time without a session, or without progress of one, after which the connection is closed.
    pub(super) idle_timeout: Duration,
    /// Set when the connection ends.
    pub(super) disconnected: Arc<AtomicBool>,
    /// Its sender is dropped when the connection ends.
    pub(super) connected: watch::Receiver<()>,
    /// The number of running sessions.
    running: watch::Sender<usize>,
    /// Closes the connection at once.
    pub(super) cut: Arc<Notify>,
}

/// What all connections have in common.
pub(super) struct SshServer {
    pub(super) config: Arc<Config>,
    pub(super) running: Arc<Running>,
    pub(super) idle_timeout: Duration,
}

/// A running session; it ends when this is dropped.
pub(super) struct RunningSession(Arc<Shared>);

impl RunningSession {
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        shared.running.send_modify(|count| *count += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for RunningSession {
    fn drop(&mut self) {
        self.0.running.send_modify(|count| *count -= 1);
    }
}

/// Serves a connection. The senders of `stopped` and `timed_out` are dropped when the server stops, and after the stop timeout.
pub(super) async fn run(
    mut stream: TcpStream,
    peer: SocketAddr,
    ssh: SshServer,
    mut stopped: watch::Receiver<()>,
    mut timed_out: watch::Receiver<()>,
) {
    let SshServer { config, running: server, idle_timeout } = ssh;
    let proxies = server.trusted_proxies();
    let ends = tokio::select! {
        ends = timeout(idle_timeout, proxy_header::read(&mut stream, peer, proxies)) => ends,
        _ = stopped.changed() => return,
    };
    let Ends { client: peer, local } = match ends {
        Ok(Ok(ends)) => ends,
        Ok(Err(error)) => return tracing::warn!(%error, %peer, "cannot serve an SSH connection"),
        Err(_) => return tracing::debug!(%peer, ?idle_timeout, "closed an idle SSH connection"),
    };
    // The transport belongs to a task that cannot be cancelled; the second handle closes its connection.
    let (socket, stream) = match second_handle(stream) {
        Ok(handles) => handles,
        Err(error) => return tracing::warn!(%error, %peer, "cannot serve an SSH connection"),
    };
    let guard = DisconnectGuard::new();
    let (running_sender, running) = watch::channel(0);
    let (connection, connected) = watch::channel(());
    let cut = Arc::new(Notify::new());
    let shared = Arc::new(Shared {
        server,
        peer,
        local,
        idle_timeout,
        disconnected: guard.flag(),
        connected,
        running: running_sender,
        cut: Arc::clone(&cut),
    });
    let client = Client::new(shared);
    let transport = Connection::new(stream, peer, idle_timeout);
    let serve = async {
        let mut session = run_stream(config, transport, client).await?;
        let handle = session.handle();
        tokio::select! {
            ended = &mut session => return ended,
            () = no_session_after(&mut stopped, running.clone()) => {}
        }
        // Follows what the last session has sent.
        let _ = handle.disconnect(Disconnect::ByApplication, "The server stops.".into(), "en".into()).await;
        session.await
    };
    tokio::select! {
        ended = serve => if let Err(error) = ended {
            tracing::debug!(%error, %peer, "SSH connection failed");
        },
        () = idle(running.clone(), idle_timeout) => tracing::debug!(%peer, ?idle_timeout, "closed an idle SSH connection"),
        _ = timed_out.changed() => {}
        () = cut.notified() => {}
    }
    drop((guard, connection));
    // The client may have closed it already.
    let _ = socket.shutdown(Shutdown::Both);
}

/// Returns a second handle of a connection, and the connection.
fn second_handle(stream: TcpStream) -> std::io::Result<(std::net::TcpStream, TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    Ok((stream.try_clone()?, TcpStream::from_std(stream)?))
}

/// Returns when no session has run for a time.
async fn idle(mut running: watch::Receiver<usize>, idle_timeout: Duration) {
    // The sender lives as long as the client; without it, the session has ended.
    while running.wait_for(|count| *count == 0).await.is_ok() {
        if timeout(idle_timeout, running.wait_for(|count| *count > 0)).await.is_err() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Returns when the server stops and no session runs.
async fn no_session_after(stopped: &mut watch::Receiver<()>, mut running: watch::Receiver<usize>) {
    let _ = stopped.changed().await;
    let _ = running.wait_for(|count| *count == 0).await;
}

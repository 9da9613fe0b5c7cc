//! Accepts connections, serves them with timeouts, and lets them finish when the server stops.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::connection::Peer;
use crate::handshake;
use crate::tls::Certificates;

/// Pause after a connection could not be accepted, which is mostly because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Largest head of a request, and size of a connection's buffer for a reply.
const BUFFER_BYTES: usize = 64 << 10;

/// What the connections have in common.
struct Connections {
    http: http1::Builder,
    router: TowerToHyperService<Router>,
    certificates: Arc<Certificates>,
    idle_timeout: Duration,
}

/// Serves connections until `stop` completes; running requests then have `stop_timeout` before their connections are closed.
///
/// A connection is closed if its client does not complete the handshake or the head of a request, or reads nothing of a reply, for
/// `idle_timeout`.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    certificates: Arc<Certificates>,
    router: Router,
    idle_timeout: Duration,
    stop_timeout: Duration,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    // The routes add the date to replies: hyper's own panics if the clock is before 1970 or after 9999.
    http.timer(TokioTimer::new()).header_read_timeout(idle_timeout).auto_date_header(false).max_buf_size(BUFFER_BYTES);
    let router = TowerToHyperService::new(router);
    let connections = Arc::new(Connections { http, router, certificates, idle_timeout });
    let running = GracefulShutdown::new();
    // The senders are dropped when the server stops, and after the stop timeout.
    let (on_stop, stopped) = watch::channel(());
    let (on_timeout, timed_out) = watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listeners) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, address)) => {
                let connections = Arc::clone(&connections);
                let (watcher, mut stopped, mut timed_out) = (running.watcher(), stopped.clone(), timed_out.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = connections.run(stream, address, watcher, &mut stopped) => {}
                        _ = timed_out.changed() => {}
                    }
                });
            }
            // The client disconnected before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listeners, on_stop, connections));
    if tokio::time::timeout(stop_timeout, running.shutdown()).await.is_err() {
        tracing::warn!(
            ?stop_timeout,
            "closing the connections of requests that still run; give them more time with --stop-timeout"
        );
    }
    drop(on_timeout);
    Ok(())
}

/// Accepts a connection on any of the listeners.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        let mut accepted = listeners.iter().map(|listener| listener.poll_accept(context));
        accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}

impl Connections {
    /// Opens a connection and serves its requests; one that is not open when the server stops is closed.
    async fn run(&self, stream: TcpStream, address: SocketAddr, watcher: Watcher, stopped: &mut watch::Receiver<()>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, peer = %address, "cannot turn off Nagle's algorithm; small packets are delayed");
        }
        let opened = tokio::select! {
            opened = handshake::open(stream, address, &self.certificates, self.idle_timeout) => opened,
            _ = stopped.changed() => return,
        };
        let (transport, peer) = match opened {
            Ok(opened) => opened,
            Err(error) => return tracing::debug!(%error, peer = %address, "cannot open a connection"),
        };
        let service = with_peer(self.router.clone(), peer);
        let connection = watcher.watch(self.http.serve_connection(TokioIo::new(transport), service));
        if let Err(error) = connection.await {
            tracing::debug!(%error, peer = %address, "connection failed");
        }
    }
}

/// Adds the client of the connection to each request.
fn with_peer(
    router: TowerToHyperService<Router>,
    peer: Peer,
) -> impl Service<Request<Incoming>, Response = axum::response::Response, Error = std::convert::Infallible, Future: Send>
{
    service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    })
}

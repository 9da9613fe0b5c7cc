//! Accepts connections, serves them with timeouts, and lets them finish when the server stops.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::connection::Connection;

/// Pause after a connection could not be accepted, which is mostly because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Largest head of a request, and size of a connection's buffer for a reply.
const BUFFER_BYTES: usize = 64 << 10;

/// Serves connections until `stop` completes; running requests then have `stop_timeout` before their connections are closed.
///
/// A connection is closed if its client does not complete the head of a request, or reads nothing of a reply, for `idle_timeout`.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    idle_timeout: Duration,
    stop_timeout: Duration,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    // The routes add the date to replies: hyper's own panics if the clock is before 1970 or after 9999.
    http.timer(TokioTimer::new()).header_read_timeout(idle_timeout).auto_date_header(false).max_buf_size(BUFFER_BYTES);
    let running = GracefulShutdown::new();
    let (on_timeout, timed_out) = watch::channel(());
    let router = TowerToHyperService::new(router);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = running
                    .watch(http.serve_connection(io_of(stream, peer, idle_timeout), with_peer(router.clone(), peer)));
                let mut timed_out = timed_out.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        ended = connection => if let Err(error) = ended {
                            tracing::debug!(%error, %peer, "connection failed");
                        },
                        // The sender was dropped after the stop timeout.
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
    drop(listener);
    if tokio::time::timeout(stop_timeout, running.shutdown()).await.is_err() {
        tracing::warn!(
            ?stop_timeout,
            "closing the connections of requests that still run; give them more time with --stop-timeout"
        );
    }
    drop(on_timeout);
    Ok(())
}

fn io_of(stream: TcpStream, peer: SocketAddr, idle_timeout: Duration) -> TokioIo<Connection> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "cannot turn off Nagle's algorithm; small packets are delayed");
    }
    TokioIo::new(Connection::new(stream, peer, idle_timeout))
}

/// Adds the client's address to each request.
fn with_peer(
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
) -> impl Service<Request<Incoming>, Response = axum::response::Response, Error = std::convert::Infallible, Future: Send>
{
    service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    })
}

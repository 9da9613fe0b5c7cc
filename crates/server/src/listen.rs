//! Connections: accepted, served with limits to a client's slowness, and let finish at the end.

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

/// How long no connection is accepted after one could not be, mostly because there are too many.
const PAUSE: Duration = Duration::from_secs(1);

/// The size of a request's head, and what a connection holds of a reply that its client does not take.
const BUFFER_BYTES: usize = 64 << 10;

/// Serves connections until `stop` ends, and then for at most `stop_timeout` the requests that run; what runs then is cut off.
///
/// A connection is closed on which for so long as `patience` says no request's head comes, or only a part of one, or
/// nothing of a reply is taken.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    stop_timeout: Duration,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    // Replies have a date of ours: hyper's panics where the clock is before 1970 or after 9999.
    http.timer(TokioTimer::new()).header_read_timeout(patience).auto_date_header(false).max_buf_size(BUFFER_BYTES);
    let running = GracefulShutdown::new();
    let (cut, is_cut) = watch::channel(());
    let router = TowerToHyperService::new(router);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection =
                    running.watch(http.serve_connection(io_of(stream, patience), with_peer(router.clone(), peer)));
                let mut is_cut = is_cut.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        ended = connection => if let Err(error) = ended {
                            tracing::debug!(%error, %peer, "a connection broke off");
                        },
                        // The sender is gone.
                        _ = is_cut.changed() => {}
                    }
                });
            }
            // The client gave up before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "a connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(stop_timeout, running.shutdown()).await.is_err() {
        tracing::warn!("requests that still run after {stop_timeout:?} are cut off; --stop-timeout gives them longer");
    }
    drop(cut);
    Ok(())
}

fn io_of(stream: TcpStream, patience: Duration) -> TokioIo<Connection> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small packets of this connection wait for one another");
    }
    TokioIo::new(Connection::new(stream, patience))
}

/// Tells the service with each request who sends it.
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

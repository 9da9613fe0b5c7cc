//! Accepts connections, serves them with timeouts, and lets them finish when the server stops.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::connection::{Cut, Delay, Peer};
use crate::data_change::DataChange;
use crate::handshake;
use crate::running::Running;
use crate::tls::Certificates;

/// Pause after a connection could not be accepted, which is mostly because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Largest head of a request, and size of a connection's buffer for a reply.
const BUFFER_BYTES: usize = 64 << 10;

/// What the connections have in common.
struct Connections {
    http: http1::Builder,
    running: Arc<Running>,
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
    running: Arc<Running>,
    idle_timeout: Duration,
    stop_timeout: Duration,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    // The routes add the date to replies: hyper's own panics if the clock is before 1970 or after 9999.
    http.timer(TokioTimer::new()).header_read_timeout(idle_timeout).auto_date_header(false).max_buf_size(BUFFER_BYTES);
    let connections = Arc::new(Connections { http, running, certificates, idle_timeout });
    let shutdown = GracefulShutdown::new();
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
                let (watcher, mut stopped, mut timed_out) = (shutdown.watcher(), stopped.clone(), timed_out.clone());
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
    if tokio::time::timeout(stop_timeout, shutdown.shutdown()).await.is_err() {
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
        let running = Arc::clone(&self.running);
        let service = service_fn(move |request| serve_request(Arc::clone(&running), peer, request));
        let connection = watcher.watch(self.http.serve_connection(TokioIo::new(transport), service));
        if let Err(error) = connection.await {
            tracing::debug!(%error, peer = %address, "connection failed");
        }
    }
}

/// Serves a request on the current data; makes the change of all data that it requests.
///
/// A response can be late, or fail, which closes the connection without it.
async fn serve_request(running: Arc<Running>, peer: Peer, request: Request<Incoming>) -> io::Result<Response> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let router = match running.router().await {
        Ok(router) => router,
        Err(reason) => return Ok((StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()),
    };
    let Ok(mut response) = TowerToHyperService::new(router).call(request).await;
    // Nothing of the request uses the data any more.
    if let Some(Delay(delay)) = response.extensions_mut().remove() {
        tokio::time::sleep(delay).await;
    }
    if response.extensions().get::<Cut>().is_some() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let Some(change) = response.extensions_mut().remove::<DataChange>() else { return Ok(response) };
    // The headers that the routes have added stay.
    let (head, _) = response.into_parts();
    let mut response = match running.change(change).await {
        Ok(()) => Json(json!({ "status": "done" })).into_response(),
        Err(error) => error.into_response(),
    };
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    Ok(response)
}

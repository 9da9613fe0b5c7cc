//! Accepts connections, serves them with timeouts, and lets them finish when the server stops.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
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
use crate::feed::Feed;
use crate::feed_query::{FeedQuery, Form};
use crate::running::Running;
use crate::tls::Certificates;
use crate::{handshake, headers};

/// Pause after a connection could not be accepted, which is mostly because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Largest head of a request, and size of a connection's buffer for a reply.
const BUFFER_BYTES: usize = 64 << 10;

/// Time for a client to read the rest of a stream of events when the server stops; the stream can be continued later.
const STREAM_END_TIME: Duration = Duration::from_millis(200);

/// What the connections have in common.
struct Connections {
    http: http1::Builder,
    running: Arc<Running>,
    feed: Arc<Feed>,
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
    let shutdown = GracefulShutdown::new();
    // The senders are dropped when the server stops, and after the stop timeout.
    let (on_stop, stopped) = watch::channel(());
    let feed = Arc::new(Feed::new(Arc::clone(&running), stopped.clone()));
    let connections = Arc::new(Connections { http, running, feed, certificates, idle_timeout });
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
        let proxies = self.running.trusted_proxies();
        let opened = tokio::select! {
            opened = handshake::open(stream, address, proxies, &self.certificates, self.idle_timeout) => opened,
            _ = stopped.changed() => return,
        };
        let (transport, peer) = match opened {
            Ok(opened) => opened,
            Err(error) => return tracing::debug!(%error, peer = %address, "cannot open a connection"),
        };
        let (running, feed) = (Arc::clone(&self.running), Arc::clone(&self.feed));
        let is_stream = Arc::new(AtomicBool::new(false));
        let has_stream = Arc::clone(&is_stream);
        let service = service_fn(move |request| {
            let serving = Serving { running: Arc::clone(&running), feed: Arc::clone(&feed), peer };
            serving.serve(request, Arc::clone(&has_stream))
        });
        let connection = watcher.watch(self.http.serve_connection(TokioIo::new(transport), service));
        let stream_end = async {
            // Its sender is dropped when the server stops.
            let _ = stopped.changed().await;
            if !is_stream.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(STREAM_END_TIME).await;
        };
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%error, peer = %address, "connection failed");
            },
            () = stream_end => tracing::debug!(peer = %address, "disconnected a client that does not read its stream"),
        }
    }
}

/// What a request of a connection is served with.
struct Serving {
    running: Arc<Running>,
    feed: Arc<Feed>,
    peer: Peer,
}

impl Serving {
    /// Serves a request on the current data; then serves the feed, or makes the change of all data, that it requests.
    ///
    /// A response can be late, or fail, which closes the connection without it. `has_stream` becomes true if it is a stream of events.
    async fn serve(self, request: Request<Incoming>, has_stream: Arc<AtomicBool>) -> io::Result<Response> {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let router = match self.running.router().await {
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
        if let Some(query) = response.extensions_mut().remove::<FeedQuery>() {
            has_stream.store(matches!(query.form, Form::Events { .. }), Ordering::Relaxed);
            let feed = self.feed.serve(query).await;
            return Ok(with_headers_of(&response, feed));
        }
        let Some(change) = response.extensions_mut().remove::<DataChange>() else { return Ok(response) };
        let changed = match self.running.change(change).await {
            Ok(()) => Json(json!({ "status": "done" })).into_response(),
            Err(error) => error.into_response(),
        };
        Ok(with_headers_of(&response, changed))
    }
}

/// Adds the headers that the routes have added to the response of a request to the one that replaces it.
fn with_headers_of(routed: &Response, mut response: Response) -> Response {
    headers::add_missing(response.headers_mut(), routed.headers());
    response
}

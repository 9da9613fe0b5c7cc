//! Replies of the feed: lines of JSON, and server-sent events.

use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::reader::{Next, Reader};
use super::{Feed, unavailable};
use crate::feed_query::FeedQuery;

/// Header with the cursor of the last record that a reply considers, which the next request sends as `after`.
const LAST_EVENT: &str = "codecommit-local-last-event";

/// Size in bytes after which a reply of lines ends.
const LINES_BYTES: usize = 8 << 20;

/// Time after which a reply of lines ends if the filters admit few records.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// Time between two pieces of a stream, so that either side notices a lost connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// First piece of a stream: the time in milliseconds after which a browser connects again.
const RETRY: &str = "retry: 500\n\n";

/// Replies with the records that a query admits, one per line, and waits for the first if there are none yet.
pub(super) async fn lines(feed: Arc<Feed>, query: FeedQuery, wait: Duration) -> Response {
    let begin = Instant::now();
    let Some(mut reader) = Reader::open(&feed, &query.start, !wait.is_zero()).await else { return unavailable() };
    let (mut text, mut count, mut is_caught_up) = (String::new(), 0, false);
    // Without records yet, the reply waits; while it searches in old ones, it ends after a time.
    while count < query.limit && text.len() < LINES_BYTES && !(is_caught_up && (count > 0 || wait.is_zero())) {
        let deadline = begin + if is_caught_up { wait } else { SEARCH_TIME.max(wait) };
        match timeout_at(deadline, reader.next()).await {
            Ok(Next::Batch(batch)) => {
                for record in &*batch {
                    if count == query.limit {
                        break;
                    }
                    if reader.take(record) && (query.admits_all() || query.admits(record.value())) {
                        count += 1;
                        text.push_str(&record.stored.json);
                        text.push('\n');
                    }
                }
            }
            Ok(Next::CaughtUp) => is_caught_up = true,
            Ok(Next::End) | Err(_) => break,
        }
    }
    ([(CONTENT_TYPE.as_str(), "application/x-ndjson"), (LAST_EVENT, reader.cursor())], text).into_response()
}

/// Replies with a stream of the records that a query admits.
pub(super) fn events(feed: Arc<Feed>, query: FeedQuery, lifetime: Option<Duration>) -> Response {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send_events(feed, query, lifetime, sender));
    let headers = [
        (CONTENT_TYPE.as_str(), "text/event-stream"),
        (CACHE_CONTROL.as_str(), "no-store"),
        ("x-accel-buffering", "no"),
    ];
    (headers, Body::from_stream(EventStream(receiver))).into_response()
}

/// Sends server-sent events until the client leaves or the reader ends; a slow client leaves the records in the store.
async fn send_events(feed: Arc<Feed>, query: FeedQuery, lifetime: Option<Duration>, sender: mpsc::Sender<Bytes>) {
    let last = lifetime.map(|lifetime| Instant::now() + lifetime);
    if sender.send(RETRY.into()).await.is_err() {
        return;
    }
    let Some(mut reader) = Reader::open(&feed, &query.start, true).await else { return };
    let mut left = query.limit;
    while left > 0 && last.is_none_or(|last| Instant::now() < last) {
        let permit = tokio::select! {
            permit = sender.reserve() => permit,
            () = reader.end() => return,
        };
        let Ok(permit) = permit else { return };
        let heartbeat = Instant::now() + HEARTBEAT;
        let deadline = last.map_or(heartbeat, |last| last.min(heartbeat));
        let next = tokio::select! {
            next = timeout_at(deadline, reader.next()) => next,
            () = sender.closed() => return,
        };
        let text = match next {
            Ok(Next::Batch(batch)) => {
                let mut text = String::new();
                for record in &*batch {
                    if left > 0 && reader.take(record) && (query.admits_all() || query.admits(record.value())) {
                        left -= 1;
                        let _ = write!(text, "id: {}\ndata: {}\n\n", record.stored.cursor, record.stored.json);
                    }
                }
                text
            }
            // An id without data moves the position from which the browser continues.
            Ok(Next::CaughtUp) => format!("id: {}\n\n", position(&reader)),
            Err(_) => format!(": heartbeat\nid: {}\n\n", position(&reader)),
            Ok(Next::End) => return,
        };
        if !text.is_empty() {
            permit.send(text.into());
        }
    }
}

/// Returns the cursor of a reader, which is never empty: a browser would not send it.
fn position(reader: &Reader) -> &str {
    if reader.cursor().is_empty() { "0:" } else { reader.cursor() }
}

/// The pieces of a stream.
struct EventStream(mpsc::Receiver<Bytes>);

impl Stream for EventStream {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}

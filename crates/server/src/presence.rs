//! Whether the client of a request still waits for its reply.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// The presence of a client: it goes with the future that serves the request, or with the reply's body.
///
/// **Invariant:** the flag is set as soon as the connection has ended, as both are dropped then. It is set after the reply is
/// sent, too, when nothing is left to be done for the request.
pub(crate) struct Presence(Arc<AtomicBool>);

impl Presence {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Gives the flag that is set when the client is gone.
    pub(crate) fn is_gone(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Goes with a reply's body from now on.
    pub(crate) fn with_body(self, body: Body) -> Body {
        Body::new(Attended { body, _presence: self })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A body that its client waits for.
struct Attended {
    body: Body,
    _presence: Presence,
}

impl HttpBody for Attended {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

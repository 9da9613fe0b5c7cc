//! Detection of clients that disconnect before their request is done.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// Sets a flag when it is dropped: with the future that serves a request, or with the reply's body.
///
/// **Invariant:** the flag is set as soon as the connection has ended, because hyper then drops both. It is also set after the
/// reply was sent, when no work is left for the request.
pub(crate) struct DisconnectGuard(Arc<AtomicBool>);

impl DisconnectGuard {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Returns the flag that is set when the client has disconnected.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Ties the guard to a reply's body, so that it is dropped with the body.
    pub(crate) fn attach_to(self, body: Body) -> Body {
        Body::new(GuardedBody { body, _guard: self })
    }
}

impl Drop for DisconnectGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A body with its guard.
struct GuardedBody {
    body: Body,
    _guard: DisconnectGuard,
}

impl HttpBody for GuardedBody {
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

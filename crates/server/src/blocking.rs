//! Runs blocking code from asynchronous code.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs code that blocks for a short time.
///
/// A multi-threaded runtime runs it on the thread that read the request, which saves two switches between threads; a
/// single-threaded runtime, as in tests, must not be blocked.
pub(crate) async fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return tokio::task::block_in_place(work);
    }
    run_apart(work).await
}

/// Runs code that can take long on another thread, so that a disconnected client is noticed meanwhile.
pub(crate) async fn run_apart<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.expect("the work catches its panics")
}

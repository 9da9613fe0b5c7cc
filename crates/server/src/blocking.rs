//! Where the sync core runs.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs something that blocks for a moment.
///
/// On a runtime of several threads it stays on the thread that read the request, which spares two hand-overs between threads; a
/// runtime of one thread, as tests have it, must not be blocked.
pub(crate) async fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return tokio::task::block_in_place(work);
    }
    run_apart(work).await
}

/// Runs something that can take long, on a thread of its own: meanwhile it is noticed if the client goes.
pub(crate) async fn run_apart<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.expect("what runs here catches its own panics")
}

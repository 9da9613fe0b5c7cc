//! Permits for pushes: a push keeps a thread busy while its client sends, so the number of concurrent pushes is limited.
//!
//! **Invariant:** while other pushes wait for a permit, a client that sends too slowly loses its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that a client must send in one window while others wait.
const BYTES_MIN: u64 = 40 << 10;

/// The permits for all pushes.
pub(crate) struct PushPermits {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Time after which the rate of a client is checked.
    window: Duration,
}

/// A permit, and the rate of its client.
pub(crate) struct PushPermit {
    permits: Arc<PushPermits>,
    _permit: OwnedSemaphorePermit,
    waited: Duration,
    received: u64,
}

/// Counts a push that waits for a permit, until it has one or its client has disconnected.
struct Waiting<'a>(&'a AtomicUsize);

impl PushPermits {
    /// Creates `count` permits, whose rates are checked once per `window`.
    pub(crate) fn new(count: usize, window: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(count)), waiting: AtomicUsize::new(0), window }
    }

    /// Waits for a permit.
    pub(crate) async fn acquire(self: Arc<Self>) -> PushPermit {
        let waiting = Waiting::new(&self.waiting);
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        drop(waiting);
        PushPermit { permits: self, _permit: permit, waited: Duration::ZERO, received: 0 }
    }
}

impl PushPermit {
    /// Returns the time until the rate of the client is checked.
    pub(crate) fn rest_of_window(&self) -> Duration {
        self.permits.window.saturating_sub(self.waited)
    }

    /// Adds bytes that the client sent in a time; fails at the end of a window if they are too few and others wait.
    pub(crate) fn check_rate(&mut self, waited: Duration, received: usize) -> io::Result<()> {
        self.waited += waited;
        self.received += received as u64;
        if self.waited < self.permits.window {
            return Ok(());
        }
        let received = std::mem::take(&mut self.received);
        let waited = std::mem::take(&mut self.waited);
        if received >= BYTES_MIN || self.permits.waiting.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let message = format!("the client sent {received} bytes in {waited:?} while other pushes waited; push again");
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    }
}

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Acquires a free permit.
    fn acquire(permits: &Arc<PushPermits>) -> PushPermit {
        let mut taken = pin!(Arc::clone(permits).acquire());
        match taken.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(permit) => permit,
            std::task::Poll::Pending => panic!("no permit is free"),
        }
    }

    #[test]
    fn a_slow_client_loses_its_permit_only_while_others_wait() {
        let permits = Arc::new(PushPermits::new(1, 10 * SECOND));
        let mut slow = acquire(&permits);
        for _ in 0..20 {
            slow.check_rate(SECOND, 1).expect("no other push waits");
        }
        let mut other = Box::pin(Arc::clone(&permits).acquire());
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for _ in 0..9 {
            slow.check_rate(SECOND, 1).expect("the rate is checked after ten seconds");
        }
        let message = slow.check_rate(SECOND, 1).expect_err("another push waits").to_string();
        assert!(message.starts_with("the client sent 10 bytes in 10s while other pushes waited"), "{message}");
        drop(slow);
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    #[test]
    fn a_fast_client_keeps_its_permit_and_a_disconnected_one_stops_waiting() {
        let permits = Arc::new(PushPermits::new(1, 10 * SECOND));
        let mut fast = acquire(&permits);
        let mut other = Box::pin(Arc::clone(&permits).acquire());
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for _ in 0..20 {
            fast.check_rate(SECOND, 1 << 20).expect("the client sends enough");
        }
        drop(other);
        for _ in 0..20 {
            fast.check_rate(SECOND, 0).expect("no other push waits");
        }
    }
}

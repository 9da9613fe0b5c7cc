//! Turns of pushes: a push keeps a thread busy for as long as its client sends, so that only so many are taken in at once.
//!
//! **Invariant:** whoever has a turn sends; a client that hardly does is let go while others wait for a turn.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much a client sends at least, while others wait, in the time after which its pace is looked at.
const BYTES_MIN: u64 = 40 << 10;

/// All turns.
pub(crate) struct PushPermits {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// How long a client is waited for before its pace is looked at.
    window: Duration,
}

/// One turn, and how fast its client sends.
pub(crate) struct PushPermit {
    turns: Arc<PushPermits>,
    _permit: OwnedSemaphorePermit,
    waited: Duration,
    received: u64,
}

/// Counts one that waits for a turn, until it has one or its client is gone.
struct Waiting<'a>(&'a AtomicUsize);

impl PushPermits {
    /// Makes so many turns.
    pub(crate) fn new(count: usize, window: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(count)), waiting: AtomicUsize::new(0), window }
    }

    /// Waits for a turn.
    pub(crate) async fn take(self: Arc<Self>) -> PushPermit {
        let waiting = Waiting::new(&self.waiting);
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("nobody closes it");
        drop(waiting);
        PushPermit { turns: self, _permit: permit, waited: Duration::ZERO, received: 0 }
    }
}

impl PushPermit {
    /// How long the client is waited for before it is looked at how much it sent.
    pub(crate) fn rest_of_window(&self) -> Duration {
        self.turns.window.saturating_sub(self.waited)
    }

    /// Notes how much the client sent while it was waited for; fails if that is too little and others wait.
    pub(crate) fn note(&mut self, waited: Duration, received: usize) -> io::Result<()> {
        self.waited += waited;
        self.received += received as u64;
        if self.waited < self.turns.window {
            return Ok(());
        }
        let received = std::mem::take(&mut self.received);
        let waited = std::mem::take(&mut self.waited);
        if received >= BYTES_MIN || self.turns.waiting.load(Ordering::Relaxed) == 0 {
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

    /// Takes a turn that is free.
    fn take(turns: &Arc<PushPermits>) -> PushPermit {
        let mut taken = pin!(Arc::clone(turns).take());
        match taken.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(turn) => turn,
            std::task::Poll::Pending => panic!("no turn is free"),
        }
    }

    #[test]
    fn a_slow_client_loses_its_turn_only_to_those_who_wait() {
        let turns = Arc::new(PushPermits::new(1, 10 * SECOND));
        let mut slow = take(&turns);
        for _ in 0..20 {
            slow.note(SECOND, 1).expect("nobody waits");
        }
        let mut other = Box::pin(Arc::clone(&turns).take());
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for _ in 0..9 {
            slow.note(SECOND, 1).expect("it is looked at after ten seconds");
        }
        let message = slow.note(SECOND, 1).expect_err("another one waits").to_string();
        assert!(message.starts_with("the client sent 10 bytes in 10s while other pushes waited"), "{message}");
        drop(slow);
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }

    #[test]
    fn a_client_that_sends_keeps_its_turn_and_who_leaves_waits_no_more() {
        let turns = Arc::new(PushPermits::new(1, 10 * SECOND));
        let mut fast = take(&turns);
        let mut other = Box::pin(Arc::clone(&turns).take());
        assert!(other.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for _ in 0..20 {
            fast.note(SECOND, 1 << 20).expect("it sends enough");
        }
        drop(other);
        for _ in 0..20 {
            fast.note(SECOND, 0).expect("nobody waits any more");
        }
    }
}

//! Sending and receiving on a connection, by the thread that waits for an answer.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::socket::Socket;

/// What sends the messages of a connection, and receives the answers; it ends with the connection.
pub(super) type Traffic = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// Polls the traffic of a connection. Nothing is sent or received otherwise.
pub(super) struct Driver {
    socket: Socket,
    /// `None` once the connection has ended.
    traffic: Option<Traffic>,
    woken: Arc<Woken>,
    waker: Waker,
}

/// Whether a future that waits for something else than the socket can go on.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Driver {
    /// Drives a connection that is about to be made.
    pub(super) fn new(socket: Socket) -> Self {
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        Self { socket, traffic: None, woken, waker }
    }

    /// Sets the traffic of the connection that was made.
    pub(super) fn set(&mut self, traffic: Traffic) {
        self.traffic = Some(traffic);
    }

    /// Sends what waits to be sent, as far as the system takes it, and returns whether the server has not ended the connection.
    pub(super) fn advance(&mut self) -> bool {
        let Some(traffic) = &mut self.traffic else { return false };
        if traffic.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready() {
            self.traffic = None;
        }
        self.traffic.is_some()
    }

    /// Blocks the thread until the future is ready; returns `None` if it is not within the time.
    pub(super) fn wait<F: Future>(&mut self, future: F, time: Duration) -> Option<F::Output> {
        let mut future = pin!(future);
        let deadline = Instant::now() + time;
        loop {
            self.advance();
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                return Some(output);
            }
            if self.woken.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.socket.wait(left).is_err() {
                return None;
            }
        }
    }
}

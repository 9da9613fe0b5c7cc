//! Outboxes: what waits in the store is sent in the background, and never in a request's way.
//!
//! **Invariant:** an outbox has one thread, which ends before the store is closed; what it has not sent by then waits in the store.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use aws::Timestamp;

/// How long until the store is asked again where it failed.
const RESPITE: Duration = Duration::from_secs(10);

/// What waits to be sent.
pub(crate) trait Waiting: Send + 'static {
    /// Why it cannot be read or settled.
    type Error: Display;

    /// Sends the next thing that is due, or gives it up for now once `stop` is set; returns whether there was one.
    fn send_next(&self, stop: &AtomicBool) -> Result<bool, Self::Error>;

    /// Returns when the next thing is due that is not due now.
    fn next(&self) -> Result<Option<Timestamp>, Self::Error>;
}

/// Who is told that something waits.
#[derive(Clone)]
pub(crate) struct Bell(SyncSender<()>);

/// The thread that sends; ended by drop.
pub(crate) struct Outbox {
    bell: Bell,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bell {
    /// Makes it, and the end at which it is heard.
    pub(crate) fn new() -> (Self, Receiver<()>) {
        // One ring is enough for all that waits.
        let (ring, heard) = sync_channel(1);
        (Self(ring), heard)
    }

    pub(crate) fn ring(&self) {
        // A full channel has been told already, and without the thread nothing is delivered.
        let _ = self.0.try_send(());
    }
}

impl Outbox {
    /// Starts the thread, which begins with what an earlier run has left; its name says what it sends.
    pub(crate) fn start<W: Waiting>(
        name: &'static str,
        waiting: W,
        (bell, heard): (Bell, Receiver<()>),
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || run(name, &waiting, &heard, &stopped))?;
        Ok(Self { bell, stop, thread: Some(thread) })
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            drop(thread.join());
        }
    }
}

fn run(name: &str, waiting: &impl Waiting, heard: &Receiver<()>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let wait = send(waiting, stop).unwrap_or_else(|error| {
            tracing::error!(%error, outbox = name, "what waits cannot be read or settled; it stays");
            Some(RESPITE)
        });
        let ended = match wait {
            None => heard.recv().is_err(),
            Some(wait) => heard.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected),
        };
        if ended {
            return;
        }
    }
}

/// Sends all that is due, and tells how long it is until more is.
fn send<W: Waiting>(waiting: &W, stop: &AtomicBool) -> Result<Option<Duration>, W::Error> {
    while !stop.load(Ordering::Relaxed) && waiting.send_next(stop)? {}
    let until = |time: Timestamp| u64::try_from(time.millis() - Timestamp::now().millis()).unwrap_or(0);
    Ok(waiting.next()?.map(|time| Duration::from_millis(until(time))))
}

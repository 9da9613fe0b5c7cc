//! The delivery of what trails tell topics of their log files, in the background.
//!
//! **Invariant:** one thread delivers, and it ends before the store is closed; what it has not delivered by then waits in the store.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use aws::{Clock, Timestamp};
use serde_json::{Value, json};
use trail::{Notification, Notified, Notifier};

use crate::messages::{Message, Messenger, WAIT_MAX, until};

/// Who is told that notifications wait.
pub(crate) struct Bell(SyncSender<()>);

/// The thread that delivers; ended by drop.
pub(crate) struct Notifications {
    lines: PathBuf,
    bell: Arc<Bell>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Run {
    waiting: trail::Notifications,
    messenger: Arc<Messenger>,
    clock: Arc<dyn Clock>,
    lines: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Bell {
    /// Makes it with the end that hears it.
    pub(crate) fn new() -> (Arc<Self>, Receiver<()>) {
        // One call to wake is enough for all that waits.
        let (wake, woken) = sync_channel(1);
        (Arc::new(Self(wake)), woken)
    }
}

impl Notifier for Bell {
    fn wake(&self) {
        // A full channel has been told already, and without the thread nothing is delivered.
        let _ = self.0.try_send(());
    }
}

impl Notifications {
    /// Starts the thread, which begins with what an earlier run has left; `lines` is the file that tells what became of each.
    pub(crate) fn start(
        waiting: trail::Notifications,
        messenger: Arc<Messenger>,
        clock: Arc<dyn Clock>,
        lines: PathBuf,
        (bell, woken): (Arc<Bell>, Receiver<()>),
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let run = Run { waiting, messenger, clock, lines: lines.clone(), stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new().name("notifications".to_owned()).spawn(move || run.all(&woken))?;
        Ok(Self { lines, bell, stop, thread: Some(thread) })
    }

    /// Forgets the lines that were written.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match File::options().write(true).open(&self.lines) {
            Ok(file) => file.set_len(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.wake();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Run {
    fn all(&self, woken: &Receiver<()>) {
        while !self.stop.load(Ordering::Relaxed) {
            let wait = self.due().unwrap_or_else(|error| {
                tracing::error!(%error, "notifications of trails cannot be read or settled; they wait");
                Some(WAIT_MAX)
            });
            let ended = match wait {
                None => woken.recv().is_err(),
                Some(wait) => woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected),
            };
            if ended {
                return;
            }
        }
    }

    /// Delivers all that is due, and tells how long it is until the next one is.
    fn due(&self) -> Result<Option<Duration>, store::Error> {
        while let Some(notification) = self.waiting.due(Timestamp::now())? {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let notified = self.one(&notification);
            self.waiting.settle(notification.id, notified, self.clock.now())?;
        }
        Ok(self.waiting.next()?.map(until))
    }

    fn one(&self, notification: &Notification) -> Notified {
        let Notification { topic, message, attempts, .. } = notification;
        let attempts = attempts + 1;
        let outcome = self.messenger.attempt(Message { destination: topic, subject: None, text: message });
        if let Err(reason) = &outcome {
            if let Some(time) = self.messenger.again(attempts) {
                tracing::debug!(topic, attempts, reason, "a notification of a trail is tried again later");
                return Notified::Again(reason.clone(), time);
            }
            tracing::warn!(topic, attempts, reason, "a notification of a trail is given up");
        }
        let line = json!({
            "topicArn": topic,
            "destination": self.messenger.url(topic),
            "outcome": self.messenger.outcome(topic, &outcome),
            "attempts": attempts,
            "reason": outcome.as_ref().err(),
            "message": serde_json::from_str(message).unwrap_or_else(|_| Value::from(message.as_str())),
        });
        if let Err(error) = self.append(&format!("{line}\n")) {
            tracing::error!(%error, topic, "notifications.ndjson cannot be written");
        }
        outcome.map_or_else(Notified::GivenUp, |()| Notified::Done)
    }

    fn append(&self, line: &str) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(&self.lines)?.write_all(line.as_bytes())
    }
}

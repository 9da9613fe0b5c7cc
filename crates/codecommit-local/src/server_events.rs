//! The records of a server that a program with tokio embeds.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::records::POLL_INTERVAL;
use crate::{Records, Server};

/// Records of an embedded [`Server`]; the methods are those of [`blocking::Server`](crate::blocking::Server).
pub trait ServerEvents {
    /// Returns the records of all calls so far; a call is recorded before its reply is sent.
    fn events(&self) -> io::Result<Records>;

    /// Waits for the record of an event, such as `GitPush`, and returns the first one.
    ///
    /// Fails after the timeout, with the names of the events that there are.
    fn wait_for(&self, name: &str, timeout: Duration) -> impl Future<Output = io::Result<Value>> + Send;
}

impl ServerEvents for Server {
    fn events(&self) -> io::Result<Records> {
        Records::read(self.trail_folder())
    }

    async fn wait_for(&self, name: &str, timeout: Duration) -> io::Result<Value> {
        let end = Instant::now() + timeout;
        loop {
            let events = self.events()?;
            if let Some(record) = events.first_of(name) {
                return Ok(record.clone());
            }
            if Instant::now() >= end {
                return Err(io::Error::new(io::ErrorKind::TimedOut, events.without(name, timeout)));
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

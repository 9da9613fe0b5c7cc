//! The data that a client sends on a channel, for blocking code.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::push_permits::PushPermit;

/// Reads a channel in blocking code; reading fails once the client sends nothing for the idle timeout.
pub(super) struct Input {
    reading: ChannelReadHalf,
    runtime: Handle,
    idle_timeout: Duration,
    received: VecDeque<Bytes>,
    has_ended: bool,
    permit: Option<PushPermit>,
}

impl Input {
    /// Reads what was received already, and then the channel.
    pub(super) fn new(reading: ChannelReadHalf, received: Vec<Bytes>, idle_timeout: Duration) -> Self {
        let received = received.into_iter().filter(|data| !data.is_empty()).collect();
        Self { reading, runtime: Handle::current(), idle_timeout, received, has_ended: false, permit: None }
    }

    /// Waits until the client has sent something, so that one that does not takes no thread; returns whether it has.
    pub(super) async fn begin(&mut self) -> io::Result<bool> {
        while self.received.is_empty() && !self.has_ended {
            let message = timeout(self.idle_timeout, self.reading.wait()).await;
            self.add(message.map_err(|_| self.idle_error())?);
        }
        Ok(!self.received.is_empty())
    }

    /// Holds a permit while the channel is read.
    pub(super) fn with_permit(self, permit: PushPermit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Waits until something is received, or the client sends no more.
    fn receive(&mut self) -> io::Result<()> {
        let mut waited = Duration::ZERO;
        while self.received.is_empty() && !self.has_ended {
            let rest = self.idle_timeout.saturating_sub(waited);
            let step = self.permit.as_ref().map_or(rest, |permit| permit.rest_of_window().min(rest));
            let begun = Instant::now();
            let message = self.runtime.block_on(async { timeout(step, self.reading.wait()).await });
            let elapsed = begun.elapsed();
            waited += elapsed;
            let bytes = match message {
                Ok(message) => self.add(message),
                Err(_) if waited >= self.idle_timeout => return Err(self.idle_error()),
                Err(_) => 0,
            };
            if let Some(permit) = &mut self.permit {
                permit.check_rate(elapsed, bytes)?;
            }
        }
        Ok(())
    }

    /// Adds a message, or the end of the channel; returns the number of bytes.
    fn add(&mut self, message: Option<ChannelMsg>) -> usize {
        match message {
            Some(ChannelMsg::Data { data }) if !data.is_empty() => {
                let bytes = data.len();
                self.received.push_back(data);
                return bytes;
            }
            None | Some(ChannelMsg::Eof | ChannelMsg::Close) => self.has_ended = true,
            Some(_) => {}
        }
        0
    }

    fn idle_error(&self) -> io::Error {
        let message = format!("the client sent nothing for {:?}", self.idle_timeout);
        io::Error::new(io::ErrorKind::TimedOut, message)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive()?;
        let Some(data) = self.received.front_mut() else { return Ok(0) };
        let count = data.len().min(buffer.len());
        data.copy_to_slice(&mut buffer[..count]);
        if data.is_empty() {
            self.received.pop_front();
        }
        Ok(count)
    }
}

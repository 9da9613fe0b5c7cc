//! TCP connections with a write timeout, so that stalled clients are disconnected.
//!
//! **Invariant:** the buffers of a reply are released no later than the write timeout.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// The first bytes of a TLS record with a handshake message (RFC 8446, 5.1).
const TLS_HANDSHAKE: [u8; 2] = [22, 3];

/// A connection on which a write fails if the client reads nothing for too long.
pub(crate) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    write_timeout: Duration,
    /// Runs while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
    has_read: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr, write_timeout: Duration) -> Self {
        Self { stream, peer, write_timeout, timer: None, has_read: false }
    }

    /// Fails a write that waits for too long.
    fn check_timeout(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let write_timeout = self.write_timeout;
        ready!(self.timer.get_or_insert_with(|| Box::pin(sleep(write_timeout))).as_mut().poll(context));
        tracing::warn!(peer = %self.peer, ?write_timeout, "disconnected a client that read nothing");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if !self.has_read {
            self.has_read = true;
            if buffer.filled().get(filled..).is_some_and(|bytes| bytes.starts_with(&TLS_HANDSHAKE)) {
                tracing::warn!(peer = %self.peer, "received a TLS handshake; this server speaks plain HTTP: use an http:// URL");
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check_timeout(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.check_timeout(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

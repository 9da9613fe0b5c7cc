//! Bodies between the async shell and the sync core.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws::Failure;
use axum::body::Body;
use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How much of a body that is too large is read to its end, so that the client sees the reply and not a broken connection.
const OVERRUN_BYTES_MAX: u64 = 64 << 20;

/// How many pieces of a reply wait for a slow client.
const PIECES_WAITING: usize = 4;

/// The size of a piece.
const PIECE_BYTES: usize = 128 << 10;

/// Reads a body that must not be larger than a limit, from a client that must not be silent for too long.
pub(crate) async fn whole(mut body: Body, bytes_max: u64, patience: Duration) -> Result<Bytes, Failure> {
    let mut whole = BytesMut::new();
    let mut read = 0_u64;
    loop {
        let next = timeout(patience, body.frame()).await;
        let next = next.map_err(|_| Failure::serialization(&silent(patience).to_string()))?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|error| Failure::serialization(&format!("The body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        read += data.len() as u64;
        if read <= bytes_max {
            whole.extend_from_slice(&data);
        } else if read > bytes_max + OVERRUN_BYTES_MAX {
            break;
        } else {
            whole.clear();
        }
    }
    if read <= bytes_max {
        return Ok(whole.freeze());
    }
    let message =
        format!("The request's body is larger than {bytes_max} bytes; start the server with a larger --max-body.");
    Err(Failure { name: "RequestEntityTooLargeException".to_owned(), message, status: 413 })
}

/// A body as blocking code reads it.
pub(crate) struct Reader {
    body: Body,
    runtime: Handle,
    patience: Duration,
    piece: Bytes,
}

impl Reader {
    /// Wraps a body; reading blocks, so it must happen on the blocking pool, and fails if nothing comes for too long.
    pub(crate) fn new(body: Body, patience: Duration) -> Self {
        Self { body, runtime: Handle::current(), patience, piece: Bytes::new() }
    }

    /// Reads away what a refused request still has, so that the client sees the reply and not a broken connection.
    pub(crate) fn drain(self) {
        // A client that breaks off sees what it wants to see.
        let _ = io::copy(&mut self.take(OVERRUN_BYTES_MAX), &mut io::sink());
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let next = async { timeout(self.patience, self.body.frame()).await };
            let next = self.runtime.block_on(next).map_err(|_| silent(self.patience))?;
            let Some(frame) = next else { return Ok(0) };
            let frame = frame.map_err(io::Error::other)?;
            if let Ok(data) = frame.into_data() {
                self.piece = data;
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// The far end of a body that blocking code writes.
pub(crate) struct Writer {
    pieces: mpsc::Sender<Bytes>,
    waiting: BytesMut,
}

/// Makes a body and the writer that fills it; it ends when the writer is dropped.
///
/// Writing blocks while the client is slow, so it must happen on the blocking pool, and fails once the connection has ended.
pub(crate) fn channel() -> (Writer, Body) {
    let (writer, pieces) = pieces();
    (writer, Body::from_stream(pieces))
}

/// As [`channel`], for whoever makes a body of the pieces.
pub(crate) fn pieces() -> (Writer, Pieces) {
    let (pieces, received) = mpsc::channel(PIECES_WAITING);
    (Writer { pieces, waiting: BytesMut::new() }, Pieces(received))
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = self.waiting.split().freeze();
        self.pieces.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn silent(patience: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client sent nothing for {patience:?}"))
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A client that is gone misses nothing.
        let _ = self.flush();
    }
}

/// What a writer writes, piece by piece.
pub(crate) struct Pieces(mpsc::Receiver<Bytes>);

impl Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}

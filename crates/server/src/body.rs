//! Bodies between the async shell and the sync core.

mod reply_queue;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use aws::Failure;
use axum::body::Body;
use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use git::{FilePart, Output};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::push_permits::PushPermit;
use crate::spool::Spool;
use reply_queue::ReplyQueue;
pub(crate) use reply_queue::{SPILL_BYTES_MAX, SpillSpace};

/// How much of a body that is too large is read to its end, so that the client sees the reply and not a broken connection.
const OVERRUN_BYTES_MAX: u64 = 64 << 20;

/// How much of a push is received before a thread is taken for it.
const BEGINNING_BYTES: usize = 64 << 10;

/// The size of a piece of a reply.
const PIECE_BYTES: usize = 64 << 10;

/// Receives a body that must not be larger than a limit, from a client that must not be silent for too long.
pub(crate) async fn whole(
    mut body: Body,
    bytes_max: u64,
    patience: Duration,
    mut spool: Spool,
) -> Result<Spool, Failure> {
    let mut read = 0_u64;
    loop {
        let next = timeout(patience, body.frame()).await;
        let next = next.map_err(|_| Failure::serialization(&silent(patience).to_string()))?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|error| Failure::serialization(&format!("The body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        read += data.len() as u64;
        if read <= bytes_max {
            spool.add(&data).map_err(|error| {
                tracing::error!(%error, "a request's body cannot be kept in a file of the data folder");
                Failure::internal()
            })?;
        } else if read > bytes_max + OVERRUN_BYTES_MAX {
            break;
        }
    }
    if read <= bytes_max {
        return Ok(spool);
    }
    let message = format!(
        "The request's body is larger than {bytes_max} bytes. JSON can be as large as --max-body says, a form of AWS STS has {} bytes at most.",
        aws::query::FORM_BYTES_MAX
    );
    Err(Failure { name: "RequestEntityTooLargeException".to_owned(), message, status: 413 })
}

/// Receives the body of a request that is refused, so that the client sees the reply and not a broken connection.
pub(crate) async fn discard(body: Body, patience: Duration) {
    // Nothing of it is kept.
    drop(whole(body, 0, patience, Spool::default()).await);
}

/// A body as blocking code reads it.
pub(crate) struct Reader {
    body: Body,
    runtime: Handle,
    patience: Duration,
    /// What was received and not read yet.
    received: Received,
    turn: Option<PushPermit>,
}

/// The pieces of a body that were received before they are read.
struct Received {
    pieces: VecDeque<Bytes>,
    /// How the body ended, if it has.
    end: Option<io::Result<()>>,
}

impl Reader {
    /// Wraps a body and receives its beginning, or all of a small one; it fails once nothing comes for longer than `patience`.
    ///
    /// So a client that sends next to nothing costs neither a thread nor a turn.
    pub(crate) async fn begin(mut body: Body, patience: Duration) -> Self {
        let mut received = Received { pieces: VecDeque::new(), end: None };
        let mut bytes = 0;
        while received.end.is_none() && bytes < BEGINNING_BYTES {
            match timeout(patience, body.frame()).await {
                Ok(frame) => bytes += received.take(frame),
                Err(_) => received.end = Some(Err(silent(patience))),
            }
        }
        Self { body, runtime: Handle::current(), patience, received, turn: None }
    }

    /// Goes on in a turn, as which it ends; reading blocks, so it must happen on the blocking pool.
    pub(crate) fn with_turn(self, turn: PushPermit) -> Self {
        Self { turn: Some(turn), ..self }
    }

    /// Reads away what a refused request still has, so that the client sees the reply and not a broken connection.
    pub(crate) fn drain(self) {
        // A client that breaks off sees what it wants to see.
        let _ = io::copy(&mut self.take(OVERRUN_BYTES_MAX), &mut io::sink());
    }

    /// Waits until something is received, or the body ends.
    fn receive(&mut self) -> io::Result<()> {
        let mut waited = Duration::ZERO;
        while self.received.pieces.is_empty() && self.received.end.is_none() {
            let rest = self.patience.saturating_sub(waited);
            let step = self.turn.as_ref().map_or(rest, |turn| turn.rest_of_window().min(rest));
            let begun = Instant::now();
            let next = async { timeout(step, self.body.frame()).await };
            let next = self.runtime.block_on(next);
            let elapsed = begun.elapsed();
            waited += elapsed;
            let bytes = match next {
                Ok(frame) => self.received.take(frame),
                Err(_) if waited >= self.patience => return Err(silent(self.patience)),
                Err(_) => 0,
            };
            if let Some(turn) = &mut self.turn {
                turn.note(elapsed, bytes)?;
            }
        }
        Ok(())
    }
}

impl Received {
    /// Takes a frame, or the end of the body; returns how many bytes came.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, axum::Error>>) -> usize {
        match frame {
            None => self.end = Some(Ok(())),
            Some(Err(error)) => self.end = Some(Err(io::Error::other(error))),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data()
                    && !data.is_empty()
                {
                    let bytes = data.len();
                    self.pieces.push_back(data);
                    return bytes;
                }
            }
        }
        0
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive()?;
        let Some(piece) = self.received.pieces.front_mut() else {
            // A failure is told once; whoever reads on hears that there is no more.
            return self.received.end.replace(Ok(())).unwrap_or(Ok(())).map(|()| 0);
        };
        let count = piece.len().min(buffer.len());
        piece.copy_to_slice(&mut buffer[..count]);
        if piece.is_empty() {
            self.received.pieces.pop_front();
        }
        Ok(count)
    }
}

/// The far end of a body that blocking code writes.
pub(crate) struct Writer {
    queue: Arc<ReplyQueue>,
    waiting: BytesMut,
}

/// Makes a body and the writer that fills it; it ends when the writer is dropped.
///
/// What a slow client does not take waits in `spill`. Writing blocks only if there is no room, so it must happen on the
/// blocking pool, and fails once the connection has ended.
pub(crate) fn channel(spill: &SpillSpace) -> (Writer, Body) {
    let queue = Arc::new(ReplyQueue::new(spill));
    (Writer { queue: Arc::clone(&queue), waiting: BytesMut::new() }, Body::from_stream(Pieces(queue)))
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
        self.queue.push(piece)
    }
}

impl Output for Writer {
    fn part(&mut self, part: FilePart) -> io::Result<()> {
        self.flush()?;
        self.queue.part(part)
    }
}

fn silent(patience: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client sent nothing for {patience:?}"))
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A client that is gone misses nothing.
        let _ = self.flush();
        self.queue.end();
    }
}

/// What a writer writes, piece by piece.
struct Pieces(Arc<ReplyQueue>);

impl Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll(context)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A part of a file as a body, read as the client takes it.
pub(crate) struct FileBody(pub(crate) FilePart);

impl Stream for FileBody {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.read_next().map(|piece| piece.map(Bytes::from)).transpose())
    }
}

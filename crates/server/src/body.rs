//! Request and reply bodies between asynchronous connections and blocking code.

mod reply_queue;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::path::Path;
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

/// Bytes of a rejected body that are read and dropped, so that the client sees the reply instead of a broken connection.
const OVERRUN_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a push that are received before a thread is taken for it.
const BEGINNING_BYTES: usize = 64 << 10;

/// The size of a piece of a reply.
const PIECE_BYTES: usize = 64 << 10;

/// Receives a whole body of at most `bytes_max` bytes; fails if the client sends nothing for `idle_timeout`.
pub(crate) async fn receive(
    mut body: Body,
    bytes_max: u64,
    idle_timeout: Duration,
    mut spool: Spool,
) -> Result<Spool, Failure> {
    let mut read = 0_u64;
    loop {
        let next = timeout(idle_timeout, body.frame()).await;
        let next = next.map_err(|_| Failure::serialization(&idle_error(idle_timeout).to_string()))?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|error| Failure::serialization(&format!("The body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        read += data.len() as u64;
        if read <= bytes_max {
            spool.append(&data).map_err(|error| {
                tracing::error!(%error, "cannot write a request's body to a file in the data directory");
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
    Err(Failure::new("RequestEntityTooLargeException", message, 413))
}

/// Drains the body of a rejected request, so that the client sees the reply instead of a broken connection.
pub(crate) async fn discard(body: Body, idle_timeout: Duration) {
    // With a limit of no bytes, nothing is written to a file.
    drop(receive(body, 0, idle_timeout, Spool::new(Path::new(""))).await);
}

/// Reads a body in blocking code.
pub(crate) struct Reader {
    body: Body,
    runtime: Handle,
    idle_timeout: Duration,
    /// What was received and is not read yet.
    received: Received,
    permit: Option<PushPermit>,
}

/// The pieces of a body that were received before they are read.
struct Received {
    pieces: VecDeque<Bytes>,
    /// How the body ended, if it has.
    end: Option<io::Result<()>>,
}

impl Reader {
    /// Receives the beginning of a body, or all of a small one; reading fails once the client sends nothing for `idle_timeout`.
    ///
    /// A client that hardly sends anything thus takes neither a thread nor a permit.
    pub(crate) async fn begin(mut body: Body, idle_timeout: Duration) -> Self {
        let mut received = Received { pieces: VecDeque::new(), end: None };
        let mut bytes = 0;
        while received.end.is_none() && bytes < BEGINNING_BYTES {
            match timeout(idle_timeout, body.frame()).await {
                Ok(frame) => bytes += received.add(frame),
                Err(_) => received.end = Some(Err(idle_error(idle_timeout))),
            }
        }
        Self { body, runtime: Handle::current(), idle_timeout, received, permit: None }
    }

    /// Holds a permit while the body is read; reading blocks, so it must happen on the blocking pool.
    pub(crate) fn with_permit(self, permit: PushPermit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Drains the rest of a rejected request, so that the client sees the reply instead of a broken connection.
    pub(crate) fn drain(self) {
        // A client that breaks off needs no reply.
        let _ = io::copy(&mut self.take(OVERRUN_BYTES_MAX), &mut io::sink());
    }

    /// Waits until something is received, or the body ends.
    fn receive(&mut self) -> io::Result<()> {
        let mut waited = Duration::ZERO;
        while self.received.pieces.is_empty() && self.received.end.is_none() {
            let rest = self.idle_timeout.saturating_sub(waited);
            let step = self.permit.as_ref().map_or(rest, |permit| permit.rest_of_window().min(rest));
            let begun = Instant::now();
            let next = async { timeout(step, self.body.frame()).await };
            let next = self.runtime.block_on(next);
            let elapsed = begun.elapsed();
            waited += elapsed;
            let bytes = match next {
                Ok(frame) => self.received.add(frame),
                Err(_) if waited >= self.idle_timeout => return Err(idle_error(self.idle_timeout)),
                Err(_) => 0,
            };
            if let Some(permit) = &mut self.permit {
                permit.check_rate(elapsed, bytes)?;
            }
        }
        Ok(())
    }
}

impl Received {
    /// Adds a frame, or the end of the body; returns the number of bytes.
    fn add(&mut self, frame: Option<Result<Frame<Bytes>, axum::Error>>) -> usize {
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
            // An error is returned once; later reads see the end of the body.
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

/// Writes a reply's body in blocking code.
pub(crate) struct Writer {
    queue: Arc<ReplyQueue>,
    buffer: BytesMut,
}

/// Makes a reply late, or cuts it, while another part of the program writes it.
#[derive(Clone)]
pub(crate) struct ReplyControl(Arc<ReplyQueue>);

impl ReplyControl {
    /// Delays the rest of the reply; no thread waits.
    pub(crate) fn pause(&self, duration: Duration) {
        self.0.pause(duration);
    }

    /// Cuts the reply after further bytes, and closes its connection.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.0.cut_after(bytes);
    }
}

impl Writer {
    /// Returns the control of the reply.
    pub(crate) fn control(&self) -> ReplyControl {
        ReplyControl(Arc::clone(&self.queue))
    }
}

/// Creates a body and its writer; the body ends when the writer is dropped.
///
/// Parts that a slow client does not read move to files in `spill`. Writing blocks if these are full, so it must happen on the
/// blocking pool; it fails once the connection has ended.
pub(crate) fn channel(spill: &SpillSpace) -> (Writer, Body) {
    let queue = Arc::new(ReplyQueue::new(spill));
    (Writer { queue: Arc::clone(&queue), buffer: BytesMut::new() }, Body::from_stream(QueueStream(queue)))
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = self.buffer.split().freeze();
        self.queue.push(piece)
    }
}

impl Output for Writer {
    fn part(&mut self, part: FilePart) -> io::Result<()> {
        self.flush()?;
        self.queue.part(part)
    }
}

fn idle_error(idle_timeout: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client sent nothing for {idle_timeout:?}"))
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A client that has disconnected needs no reply.
        let _ = self.flush();
        self.queue.end();
    }
}

/// The stream of a reply's pieces.
struct QueueStream(Arc<ReplyQueue>);

impl Stream for QueueStream {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll(context)
    }
}

impl Drop for QueueStream {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A part of a file as a body, read at the client's pace.
pub(crate) struct FileBody(pub(crate) FilePart);

impl Stream for FileBody {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.read_next().map(|piece| piece.map(Bytes::from)).transpose())
    }
}

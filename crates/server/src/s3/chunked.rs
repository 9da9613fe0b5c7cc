//! Bodies in chunks, as SDKs stream them: `aws-chunked`, with or without signatures, and with checksums in trailers.
//!
//! Each chunk is its size in hexadecimal, possibly a signature, and its bytes; one of no bytes ends the body, and trailers may follow it.
//!
//! **Invariant:** if the signatures of chunks are verified, the content ends without an error only if each chunk, and the trailers, have theirs.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures_core::Stream;
use identity::signature::{ChunkSignatures, SignatureError};
use parking_lot::Mutex;

/// Limit of the line before a chunk, and of all trailers, in bytes.
const LINE_BYTES_MAX: usize = 16 << 10;

/// What the line before a chunk has before the signature.
const SIGNATURE: &str = "chunk-signature=";

/// The trailer with the signature of the others.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// The trailers of a body, which are known once it was read to its end; names are in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Trailers(Arc<Mutex<BTreeMap<String, String>>>);

impl Trailers {
    /// Returns the value of a trailer.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.lock().get(name).cloned()
    }
}

/// What comes next in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The line before a chunk.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The end of the line after a chunk.
    LineEnd,
    /// Trailers, a line each.
    Trailer,
    End,
}

/// The content of a body in chunks.
pub(super) struct Chunked {
    body: Body,
    received: Bytes,
    next: Next,
    line: Vec<u8>,
    trailers: Trailers,
    /// Verifies signatures; `None` takes them as they are.
    signatures: Option<ChunkSignatures>,
    /// The signature of the chunk that is being read.
    signature: String,
}

impl Chunked {
    /// Reads a body; its trailers are in `trailers` at the end.
    pub(super) fn new(body: Body, trailers: Trailers, signatures: Option<ChunkSignatures>) -> Self {
        let (received, line, signature) = (Bytes::new(), Vec::new(), String::new());
        Self { body, received, next: Next::Size, line, trailers, signatures, signature }
    }

    /// Takes bytes of the chunk from what was received, or reads a line of it; returns content if there is any.
    fn advance(&mut self) -> io::Result<Option<Bytes>> {
        if let Next::Data(left) = self.next {
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(self.received.len());
            let left = left - taken as u64;
            self.next = if left == 0 { Next::LineEnd } else { Next::Data(left) };
            let content = self.received.split_to(taken);
            if let Some(signatures) = &mut self.signatures {
                signatures.update(&content);
            }
            if left == 0 {
                self.verify_chunk()?;
            }
            return Ok(Some(content));
        }
        let end = self.received.iter().position(|byte| *byte == b'\n');
        let taken = self.received.split_to(end.map_or(self.received.len(), |end| end + 1));
        self.line.extend_from_slice(&taken);
        if self.line.len() > LINE_BYTES_MAX {
            return Err(malformed("a line is too long"));
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.next = self.after(line.trim_ascii())?;
        }
        Ok(None)
    }

    /// Reads a line, and returns what comes after it.
    fn after(&mut self, line: &[u8]) -> io::Result<Next> {
        let line = str::from_utf8(line).map_err(|_| malformed("a line is no text"))?;
        match self.next {
            Next::Size => {
                let (size, extension) = line.split_once(';').unwrap_or((line, ""));
                let size = u64::from_str_radix(size, 16).map_err(|_| malformed("the size of a chunk is no number"))?;
                extension.strip_prefix(SIGNATURE).unwrap_or_default().clone_into(&mut self.signature);
                if size > 0 {
                    return Ok(Next::Data(size));
                }
                self.verify_chunk()?;
                Ok(Next::Trailer)
            }
            Next::LineEnd if line.is_empty() => Ok(Next::Size),
            Next::LineEnd => Err(malformed("a chunk is longer than its size")),
            Next::Trailer => {
                if let Some((name, value)) = line.split_once(':') {
                    self.trailers.0.lock().insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
                }
                Ok(Next::Trailer)
            }
            next @ (Next::Data(_) | Next::End) => Ok(next),
        }
    }

    fn verify_chunk(&mut self) -> io::Result<()> {
        let Some(signatures) = &mut self.signatures else { return Ok(()) };
        signatures.verify_chunk(&self.signature).map_err(unverified)
    }

    /// Reads the last line, which may have no end, and verifies the trailers.
    fn finish(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.after(line.trim_ascii())?;
        self.next = Next::End;
        let Some(signatures) = &mut self.signatures else { return Ok(()) };
        let trailers = self.trailers.0.lock();
        let signed = trailers.iter().filter(|(name, _)| *name != TRAILER_SIGNATURE);
        let signed = signed.map(|(name, value)| (name.as_str(), value.as_str()));
        let signature = trailers.get(TRAILER_SIGNATURE).map(String::as_str);
        signatures.verify_trailers(signed, signature).map_err(unverified)
    }
}

impl Stream for Chunked {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.received.is_empty() {
                match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                    Some(Ok(frame)) => self.received = frame.into_data().unwrap_or_default(),
                    Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                    None if self.next == Next::End => return Poll::Ready(None),
                    None if self.next == Next::Trailer => return Poll::Ready(self.finish().err().map(Err)),
                    None => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                }
                continue;
            }
            match self.advance() {
                Ok(None) => {}
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

fn unverified(error: SignatureError) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, error)
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the body is not in the form aws-chunked: {reason}"))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// Reads a body that arrives in pieces of a size.
    async fn read(body: &str, piece_bytes: usize) -> (Result<Vec<u8>, axum::Error>, Trailers) {
        let pieces: Vec<io::Result<Bytes>> =
            body.as_bytes().chunks(piece_bytes).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let trailers = Trailers::default();
        let chunked = Chunked::new(Body::from_stream(Pieces(pieces.into_iter())), trailers.clone(), None);
        let content = Body::from_stream(chunked).collect().await;
        (content.map(|content| content.to_bytes().to_vec()), trailers)
    }

    struct Pieces(std::vec::IntoIter<io::Result<Bytes>>);

    impl Stream for Pieces {
        type Item = io::Result<Bytes>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.next())
        }
    }

    #[tokio::test]
    async fn content_and_trailers_are_read_however_they_arrive() {
        let signature = "0".repeat(64);
        let signed =
            format!("5;chunk-signature={signature}\r\nhello\r\n1\r\n!\r\n0;chunk-signature={signature}\r\n\r\n");
        let trailed = "6\r\nhello!\r\n0\r\nX-Amz-Checksum-Crc32: abc=\r\nx-amz-trailer-signature:00\r\n\r\n";
        for (body, trailer) in [(signed.as_str(), None), (trailed, Some("abc="))] {
            for piece_bytes in [1, 2, 3, 7, 1000] {
                let (content, trailers) = read(body, piece_bytes).await;
                assert_eq!(content.expect("the body is well-formed"), b"hello!");
                assert_eq!(trailers.get("x-amz-checksum-crc32").as_deref(), trailer);
            }
        }
        assert_eq!(read("0\r\n", 1).await.0.expect("the body is well-formed"), b"");
    }

    #[tokio::test]
    async fn a_body_that_ends_early_or_has_another_form_fails() {
        for body in ["", "5\r\nhell", "5\r\nhello\r\n", "x\r\n", "2\r\nhello\r\n0\r\n\r\n", &"1".repeat(20_000)] {
            for piece_bytes in [1, 1000] {
                assert!(read(body, piece_bytes).await.0.is_err(), "{body:.20}");
            }
        }
    }
}

//! HTTP replies with the headers of `git http-backend`.

use std::{
    io::{self, Write},
    net::TcpStream,
};

/// The size of a chunk, in bytes.
const CHUNK_BYTES: usize = 128 << 10;

/// The headers of replies that must not be cached.
pub const UNCACHED: &str = "Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\n\
                            Cache-Control: no-cache, max-age=0, must-revalidate\r\n";

/// The framing of content of unknown length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// No content: the method is HEAD.
    Head,
    Chunks,
    /// Up to the end of the connection.
    Bare,
}

/// The reply to one request.
pub struct Reply {
    output: TcpStream,
    form: Form,
    keeps: bool,
    begun: bool,
}

impl Reply {
    pub fn new(output: TcpStream, form: Form, keeps: bool) -> Self {
        Self { output, form, keeps, begun: false }
    }

    /// Returns whether the connection may stay open after the reply.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Returns whether a part of the reply was sent.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Closes the connection after this reply.
    pub fn close(&mut self) {
        self.keeps = false;
    }

    /// Sends a reply whose only content is a reason, which may be empty.
    pub fn status(&mut self, status: &str, reason: &str) -> io::Result<()> {
        let kind = if reason.is_empty() { "" } else { "Content-Type: text/plain\r\n" };
        self.send(status, &format!("{UNCACHED}{kind}"), reason.as_bytes())
    }

    /// Sends a reply with known content; `headers` are complete lines.
    pub fn send(&mut self, status: &str, headers: &str, content: &[u8]) -> io::Result<()> {
        let mut bytes = self.head(status, headers, &format!("Content-Length: {}\r\n", content.len()));
        if self.form != Form::Head {
            bytes.extend_from_slice(content);
        }
        self.output.write_all(&bytes)
    }

    /// Starts a reply of unknown length; [`Stream::finish`] ends it.
    pub fn stream(&mut self, headers: &str) -> Stream<'_> {
        let framing = if self.form == Form::Chunks { "Transfer-Encoding: chunked\r\n" } else { "" };
        self.keeps &= self.form != Form::Bare;
        let head = self.head("200 OK", headers, framing);
        Stream { reply: self, head, chunk: Vec::new() }
    }

    fn head(&mut self, status: &str, headers: &str, framing: &str) -> Vec<u8> {
        self.begun = true;
        let connection = if self.keeps { "" } else { "Connection: close\r\n" };
        format!("HTTP/1.1 {status}\r\n{headers}{framing}{connection}\r\n").into_bytes()
    }
}

/// A reply in chunks, or up to the end of the connection.
pub struct Stream<'a> {
    reply: &'a mut Reply,
    /// The head; it is sent with the first chunk.
    head: Vec<u8>,
    chunk: Vec<u8>,
}

impl Stream<'_> {
    /// Ends the reply. If it is dropped instead, the client sees that it is incomplete.
    pub fn finish(mut self) -> io::Result<()> {
        self.send(true)
    }

    /// Sends the buffered bytes, and the end after the `last` chunk.
    fn send(&mut self, last: bool) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.head);
        match self.reply.form {
            Form::Head => self.chunk.clear(),
            Form::Bare => bytes.append(&mut self.chunk),
            Form::Chunks => {
                if !self.chunk.is_empty() {
                    bytes.extend_from_slice(format!("{:x}\r\n", self.chunk.len()).as_bytes());
                    bytes.append(&mut self.chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                if last {
                    bytes.extend_from_slice(b"0\r\n\r\n");
                }
            }
        }
        self.reply.output.write_all(&bytes)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(buffer);
        if self.chunk.len() >= CHUNK_BYTES {
            self.send(false)?;
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send(false)
    }
}

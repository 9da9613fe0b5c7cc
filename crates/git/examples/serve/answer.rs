//! Answers, with the headers of `git http-backend`.

use std::{
    io::{self, Write},
    net::TcpStream,
};

/// How much of a chunk is gathered before it is sent, in bytes.
const CHUNK_BYTES: usize = 128 << 10;

/// Caches must not keep an answer that tells of references.
pub const UNCACHED: &str = "Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\n\
                            Cache-Control: no-cache, max-age=0, must-revalidate\r\n";

/// How a content whose length is not known is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Not at all: only the head is wanted.
    Head,
    Chunks,
    /// Up to the end of the connection.
    Bare,
}

/// The place for the answer to one request.
pub struct Answer {
    output: TcpStream,
    form: Form,
    keeps: bool,
    begun: bool,
}

impl Answer {
    pub fn new(output: TcpStream, form: Form, keeps: bool) -> Self {
        Self { output, form, keeps, begun: false }
    }

    /// Tells whether the connection may stay open after the answer.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Tells whether a part of the answer was sent.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Lets the connection end with this answer.
    pub fn close(&mut self) {
        self.keeps = false;
    }

    /// Answers without a content, but for a text that tells the reason.
    pub fn status(&mut self, status: &str, reason: &str) -> io::Result<()> {
        let kind = if reason.is_empty() { "" } else { "Content-Type: text/plain\r\n" };
        self.send(status, &format!("{UNCACHED}{kind}"), reason.as_bytes())
    }

    /// Answers with a content that is at hand; `headers` are whole lines.
    pub fn send(&mut self, status: &str, headers: &str, content: &[u8]) -> io::Result<()> {
        let mut bytes = self.head(status, headers, &format!("Content-Length: {}\r\n", content.len()));
        if self.form != Form::Head {
            bytes.extend_from_slice(content);
        }
        self.output.write_all(&bytes)
    }

    /// Begins an answer whose length is not known; [`Stream::finish`] ends it.
    pub fn stream(&mut self, headers: &str) -> Stream<'_> {
        let framing = if self.form == Form::Chunks { "Transfer-Encoding: chunked\r\n" } else { "" };
        self.keeps &= self.form != Form::Bare;
        let head = self.head("200 OK", headers, framing);
        Stream { answer: self, head, chunk: Vec::new() }
    }

    fn head(&mut self, status: &str, headers: &str, framing: &str) -> Vec<u8> {
        self.begun = true;
        let connection = if self.keeps { "" } else { "Connection: close\r\n" };
        format!("HTTP/1.1 {status}\r\n{headers}{framing}{connection}\r\n").into_bytes()
    }
}

/// An answer in chunks, or to the end of the connection.
pub struct Stream<'a> {
    answer: &'a mut Answer,
    /// The head, until it is sent with the first chunk.
    head: Vec<u8>,
    chunk: Vec<u8>,
}

impl Stream<'_> {
    /// Ends the answer. An answer that is dropped instead was cut off, and the client sees so.
    pub fn finish(mut self) -> io::Result<()> {
        self.send(true)
    }

    /// Sends what was gathered, and the end if this is the `last` chunk.
    fn send(&mut self, last: bool) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.head);
        match self.answer.form {
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
        self.answer.output.write_all(&bytes)
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

//! The body of a request: of known length, or in chunks.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
};

/// The maximum of an unread body that is discarded to keep the connection, in bytes.
const DRAIN_BYTES: u64 = 64 << 20;

/// The way to find the end of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A number of bytes.
    Length(u64),
    /// Chunks, up to the one of length zero.
    Chunks,
}

/// A request body, not decompressed.
pub struct Body<'c> {
    input: &'c mut BufReader<TcpStream>,
    framing: Framing,
    /// Whether the client waits for `100 Continue`.
    expects: bool,
    /// The rest of the chunk or of the body, in bytes.
    left: u64,
    begun: bool,
    ended: bool,
}

impl<'c> Body<'c> {
    pub fn new(input: &'c mut BufReader<TcpStream>, framing: Framing, expects: bool) -> Self {
        let left = if let Framing::Length(bytes) = framing { bytes } else { 0 };
        Self { input, framing, expects, left, begun: false, ended: framing == Framing::Length(0) }
    }

    /// Discards the rest; returns whether another request can follow.
    ///
    /// A client loses a reply if the connection is closed before its body was read.
    pub fn drain(mut self) -> bool {
        if self.expects && !self.begun && !self.ended {
            // The client may send the body or not, so the start of the next request is unknown.
            return false;
        }
        drop(io::copy(&mut (&mut self).take(DRAIN_BYTES), &mut io::sink()));
        self.ended
    }

    /// Reads the line that starts a chunk and, after the last chunk, the trailer.
    fn chunk(&mut self) -> io::Result<()> {
        if self.begun {
            self.line()?;
        }
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.left = u64::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        self.begun = true;
        if self.left == 0 {
            while !self.line()?.is_empty() {}
            self.ended = true;
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut *self.input).take(4 << 10).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        String::from_utf8(line).map(|line| line.trim_end().to_owned()).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        if self.expects {
            self.expects = false;
            self.input.get_ref().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if self.framing == Framing::Chunks && self.left == 0 {
            self.chunk()?;
            if self.ended {
                return Ok(0);
            }
        }
        let bytes = (&mut *self.input).take(self.left).read(buffer)?;
        if bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= bytes as u64;
        self.begun = true;
        self.ended = self.framing != Framing::Chunks && self.left == 0;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Sends bytes and reads them as a body; returns the body, and whether another request could follow.
    fn read(sent: &[u8], framing: Framing) -> io::Result<(Vec<u8>, bool)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let mut client = TcpStream::connect(listener.local_addr().expect("a bound port")).expect("a listening socket");
        client.write_all(sent).expect("a short text");
        client.shutdown(std::net::Shutdown::Write).expect("an open connection");
        let mut input = BufReader::new(listener.accept().expect("a client").0);
        let mut body = Body::new(&mut input, framing, false);
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes)?;
        Ok((bytes, body.drain()))
    }

    #[test]
    fn bodies_end_where_they_say() {
        assert_eq!(read(b"abcdef", Framing::Length(3)).expect("a body"), (b"abc".to_vec(), true));
        let chunks = b"3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
        assert_eq!(read(chunks, Framing::Chunks).expect("a body"), (b"abc0123456789".to_vec(), true));
        assert_eq!(read(b"0\r\n\r\n", Framing::Chunks).expect("a body"), (Vec::new(), true));
    }

    #[test]
    fn broken_bodies_are_errors() {
        assert!(read(b"ab", Framing::Length(3)).is_err());
        for chunks in ["", "3\r\nab", "3\r\nabc\r\n", "x\r\n", "-1\r\n", "\r\n", "11111111111111111\r\n", "0\r\n"] {
            assert!(read(chunks.as_bytes(), Framing::Chunks).is_err(), "{chunks:?}");
        }
    }
}

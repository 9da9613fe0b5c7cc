//! As much HTTP/1.1 as Git clients speak: one request to a connection, bodies of known length or in chunks.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    net::TcpStream,
};

use flate2::read::MultiGzDecoder;

/// A request whose body was not read yet.
pub struct Request {
    pub method: String,
    /// The part of the target before the question mark.
    pub path: String,
    /// The part of the target after the question mark.
    pub query: String,
    headers: Vec<(String, String)>,
    input: BufReader<TcpStream>,
}

impl Request {
    /// Reads the head of a request; nothing if the client closed the connection.
    pub fn read(stream: TcpStream) -> io::Result<Option<Self>> {
        let mut input = BufReader::new(stream);
        let mut line = String::new();
        input.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            input.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Some(Self { method, path, query, headers, input }))
    }

    /// Gives the answer's side of the connection.
    pub fn output(&self) -> io::Result<BufWriter<TcpStream>> {
        Ok(BufWriter::new(self.input.get_ref().try_clone()?))
    }

    /// Gives the body, without its transfer encoding and compression.
    pub fn body(&mut self) -> io::Result<Box<dyn Read + '_>> {
        if self.header("expect").eq_ignore_ascii_case("100-continue") {
            self.input.get_ref().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let zipped = self.header("content-encoding").contains("gzip");
        let chunked = self.header("transfer-encoding").eq_ignore_ascii_case("chunked");
        let bytes = self.header("content-length").parse().unwrap_or(0);
        let plain: Box<dyn Read> = if chunked {
            Box::new(Chunks { input: &mut self.input, left: 0, ended: false })
        } else {
            Box::new((&mut self.input).take(bytes))
        };
        Ok(if zipped { Box::new(MultiGzDecoder::new(plain)) } else { plain })
    }

    /// Gives a header's value, empty if there is none; `name` in small letters.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// A body that is sent in chunks.
struct Chunks<'c> {
    input: &'c mut BufReader<TcpStream>,
    left: u64,
    ended: bool,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            let mut line = String::new();
            // The line end of the chunk before.
            while line.trim().is_empty() {
                line.clear();
                if self.input.read_line(&mut line)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let digits = line.trim().split(';').next().unwrap_or_default();
            self.left = u64::from_str_radix(digits, 16).map_err(io::Error::other)?;
            if self.left == 0 {
                self.ended = true;
                self.input.read_line(&mut line)?;
            }
        }
        if self.ended {
            return Ok(0);
        }
        let bytes = (&mut *self.input).take(self.left).read(buffer)?;
        if bytes == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= bytes as u64;
        Ok(bytes)
    }
}

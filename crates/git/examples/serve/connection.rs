//! One connection of a client: HTTP/1.1 requests, one after the other.
//!
//! **Invariant:** a request is read only after the body and the reply of the previous one are complete.

use std::{
    io::{self, BufReader, Read},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{
    body::{Body, Framing},
    reply::{Form, Reply},
};

/// The maximum length of a line of a head, in bytes, and the maximum number of lines.
const LINE_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 100;

/// The timeout of a started head, and the idle timeout between requests.
const HEAD_TIME: Duration = Duration::from_secs(30);
const IDLE_TIME: Duration = Duration::from_secs(15);

/// The timeout of a read or write without progress.
const STALL_TIME: Duration = Duration::from_mins(1);

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub method: String,
    /// The target before the question mark, not decoded.
    pub path: String,
    /// The target after the question mark, not decoded.
    pub query: String,
    /// Whether the client uses HTTP/1.0, which has no chunks.
    old: bool,
    framing: Framing,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Head {
    /// Returns the value of a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether the client keeps the connection open.
    fn keeps(&self) -> bool {
        let options = self.header("connection").unwrap_or_default().to_ascii_lowercase();
        let has = |option: &str| options.split(',').any(|part| part.trim() == option);
        if self.old { has("keep-alive") } else { !has("close") }
    }
}

/// A request with a malformed head, and the status for the client.
#[derive(Debug)]
pub struct Malformed(pub &'static str);

/// An accepted connection.
pub struct Connection {
    input: BufReader<TcpStream>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(STALL_TIME))?;
        Ok(Self { input: BufReader::with_capacity(64 << 10, stream) })
    }

    /// Reads the head of the next request; `None` if the client has disconnected or is idle.
    pub fn next(&mut self) -> io::Result<Option<Result<Head, Malformed>>> {
        let Some(first) = self.first_line()? else { return Ok(None) };
        let deadline = Instant::now() + HEAD_TIME;
        let mut lines = vec![first];
        let head = loop {
            match self.line(deadline)? {
                None => break Err(Malformed("431 Request Header Fields Too Large")),
                Some(line) if line.is_empty() => break parse(&lines),
                Some(_) if lines.len() > HEADERS_MAX => break Err(Malformed("431 Request Header Fields Too Large")),
                Some(line) => lines.push(line),
            }
        };
        self.input.get_ref().set_read_timeout(Some(STALL_TIME))?;
        Ok(Some(head))
    }

    /// Returns the body of a request and its reply; `open` is whether the connection may stay open.
    pub fn exchange<'c>(&'c mut self, head: &Head, open: bool) -> io::Result<(Body<'c>, Reply)> {
        let stream = self.input.get_ref().try_clone()?;
        let expects = head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        let form = match (head.method.as_str(), head.old) {
            ("HEAD", _) => Form::Head,
            (_, false) => Form::Chunks,
            (_, true) => Form::Bare,
        };
        let reply = Reply::new(stream, form, open && head.keeps());
        Ok((Body::new(&mut self.input, head.framing, expects && !head.old), reply))
    }

    /// Returns the reply to a malformed request; the connection ends with it.
    pub fn refuse(&self) -> io::Result<Reply> {
        Ok(Reply::new(self.input.get_ref().try_clone()?, Form::Bare, false))
    }

    /// Ends the connection so that a client that is still sending can read the reply: closing it at once may reset it.
    pub fn end(mut self) {
        let stream = self.input.get_ref();
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(stream.set_read_timeout(Some(Duration::from_secs(2))));
        drop(io::copy(&mut self.input.by_ref().take(1 << 20), &mut io::sink()));
    }

    /// Reads the first line of a request after empty lines; `None` if the client is idle or has disconnected.
    fn first_line(&mut self) -> io::Result<Option<String>> {
        loop {
            match self.line(Instant::now() + IDLE_TIME) {
                Ok(Some(line)) if line.is_empty() => {}
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => return Ok(Some(String::new())),
                Err(error) if is_parting(error.kind()) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a line without its end; `None` if it is too long.
    fn line(&mut self, deadline: Instant) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.input.get_ref().set_read_timeout(Some(left))?;
            let found = io::BufRead::fill_buf(&mut self.input)?;
            if found.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = found.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(found.len(), |end| end + 1);
            line.extend_from_slice(&found[..taken]);
            io::BufRead::consume(&mut self.input, taken);
            if line.len() > LINE_BYTES_MAX {
                return Ok(None);
            }
            if end.is_some() {
                let line = line.trim_ascii_end();
                return Ok(Some(String::from_utf8_lossy(line).into_owned()));
            }
        }
    }
}

/// Returns whether an error means that the client has disconnected.
fn is_parting(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | TimedOut | UnexpectedEof | WouldBlock)
}

fn parse(lines: &[String]) -> Result<Head, Malformed> {
    const BAD: Malformed = Malformed("400 Bad Request");
    let (first, rest) = lines.split_first().ok_or(BAD)?;
    let words: Vec<_> = first.split(' ').collect();
    let [method, target, version] = words[..] else { return Err(BAD) };
    let old = match version {
        "HTTP/1.1" => false,
        "HTTP/1.0" => true,
        _ if version.starts_with("HTTP/") => return Err(Malformed("505 HTTP Version Not Supported")),
        _ => return Err(BAD),
    };
    if !target.starts_with('/') || method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(BAD);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Vec::with_capacity(rest.len());
    for line in rest {
        let (name, value) = line.split_once(':').ok_or(BAD)?;
        if name.is_empty() || name.contains([' ', '\t']) {
            return Err(BAD);
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let framing = framing(&headers)?;
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    Ok(Head { method, path, query, old, framing, headers })
}

/// Determines the end of the body. Ambiguous requests are rejected.
fn framing(headers: &[(String, String)]) -> Result<Framing, Malformed> {
    const BAD: Malformed = Malformed("400 Bad Request");
    let values = |name: &'static str| headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value);
    let mut length = None;
    for value in values("content-length") {
        let bytes = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten();
        let bytes: u64 = bytes.ok_or(BAD)?;
        if length.replace(bytes).is_some_and(|other| other != bytes) {
            return Err(BAD);
        }
    }
    let codings: Vec<_> = values("transfer-encoding").collect();
    match (codings.as_slice(), length) {
        ([], length) => Ok(Framing::Length(length.unwrap_or(0))),
        ([coding], None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunks),
        ([_], None) => Err(Malformed("501 Not Implemented")),
        _ => Err(BAD),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[&str]) -> Result<Head, &'static str> {
        let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        parse(&lines).map_err(|Malformed(status)| status)
    }

    #[test]
    fn a_head_is_read() {
        let head = head(&["GET /smart/r.git/info/refs?service=x HTTP/1.1", "Git-Protocol:  version=2 ", "X: y:z"]);
        let head = head.expect("a well-formed head");
        assert_eq!((head.path.as_str(), head.query.as_str()), ("/smart/r.git/info/refs", "service=x"));
        assert_eq!((head.header("git-protocol"), head.header("x")), (Some("version=2"), Some("y:z")));
        assert_eq!((head.framing, head.keeps()), (Framing::Length(0), true));
    }

    #[test]
    fn connections_stay_as_the_client_wants() {
        let keeps = |version: &str, line: &str| head(&[&format!("GET / {version}"), line]).expect("a head").keeps();
        assert!(keeps("HTTP/1.1", "x: y"));
        assert!(!keeps("HTTP/1.1", "Connection: Close"));
        assert!(!keeps("HTTP/1.0", "x: y"));
        assert!(keeps("HTTP/1.0", "connection: keep-alive, te"));
    }

    #[test]
    fn doubtful_heads_are_refused() {
        for (status, lines) in [
            ("400", &["GET /"][..]),
            ("400", &["GET  / HTTP/1.1"]),
            ("400", &["GET http://x/ HTTP/1.1"]),
            ("400", &["G\u{fc}T / HTTP/1.1"]),
            ("505", &["GET / HTTP/2.0"]),
            ("400", &["GET / HTTP/1.1", "no colon"]),
            ("400", &["GET / HTTP/1.1", "space before : x"]),
            ("400", &["POST / HTTP/1.1", "content-length: -1"]),
            ("400", &["POST / HTTP/1.1", "content-length: 1", "Content-Length: 2"]),
            ("400", &["POST / HTTP/1.1", "content-length: 1", "transfer-encoding: chunked"]),
            ("501", &["POST / HTTP/1.1", "transfer-encoding: gzip"]),
        ] {
            assert!(head(lines).expect_err("a malformed head").starts_with(status), "{lines:?}");
        }
    }
}

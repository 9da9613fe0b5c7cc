//! Requests to the paths below `/_local` of a server, over plain HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::Error;

/// Sends a request without a body, and returns the JSON of the reply.
pub(super) fn send(endpoint: &str, method: &str, path: &str) -> Result<Value, Error> {
    let failed = |reason: &dyn std::fmt::Display| Error::new(format!("{method} {endpoint}{path} failed: {reason}"));
    let Some(address) = endpoint.strip_prefix("http://") else {
        return Err(failed(&"the server requires TLS; start it without --tls require"));
    };
    let reply = exchange(address, method, path).map_err(|error| failed(&error))?;
    let Some((status, body)) = parse(&reply) else { return Err(failed(&"the reply is not one of HTTP")) };
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    if status == 200 {
        return Ok(body);
    }
    let message = body["message"].as_str().map_or_else(|| format!("status {status}"), str::to_owned);
    Err(failed(&message))
}

fn exchange(address: &str, method: &str, path: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )?;
    let mut reply = Vec::new();
    connection.read_to_end(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// Returns the status and the body of a reply that has no transfer encoding.
fn parse(reply: &str) -> Option<(u16, &str)> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body))
}

/// Escapes a text as a segment of a path.
pub(super) fn segment(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_paths() {
        assert_eq!(segment("clean-1.0_~"), "clean-1.0_~");
        assert_eq!(segment("a/b é?"), "a%2Fb%20%C3%A9%3F");
    }

    #[test]
    fn replies_are_split() {
        assert_eq!(parse("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"), Some((404, "{}")));
        assert_eq!(parse("SSH-2.0"), None);
    }
}

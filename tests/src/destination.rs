//! A destination of triggers inside the test: an HTTP server with given replies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::Value;

/// Maximum time that a test waits for a request.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A server on a free port that collects requests.
pub struct Destination {
    url: String,
    requests: Receiver<Received>,
}

/// A received request.
#[derive(Debug)]
pub struct Received {
    /// The request line and the headers, in lower case.
    pub head: String,
    /// Names, in lower case, and values of the headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Destination {
    /// Starts the server; it answers the first requests with these statuses and all others with 200.
    pub fn start(statuses: &[u16]) -> Self {
        let replies = statuses.iter().map(|status| (*status, "received\n".to_owned()));
        Self::start_with(replies.collect(), "received\n")
    }

    /// Starts the server; it answers the first requests with these statuses and bodies and all others with 200 and `last`.
    pub fn start_with(replies: Vec<(u16, String)>, last: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("the listener is bound"));
        let (sender, requests) = channel();
        std::thread::spawn(move || serve(&listener, replies, last, &sender));
        Self { url, requests }
    }

    /// Returns the URL of the destination.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the next request.
    pub fn next(&self) -> Received {
        self.requests.recv_timeout(REQUEST_TIMEOUT).expect("a request arrives")
    }

    /// Waits for the next request and returns its body, which is JSON.
    pub fn next_json(&self) -> Value {
        serde_json::from_str(&self.next().body).expect("the body is JSON")
    }

    /// Waits for the next request and returns the only record of its message.
    pub fn next_record(&self) -> Value {
        let message: Value = serde_json::from_str(&self.next().body).expect("a message is JSON");
        let records = message["Records"].as_array().expect("a message has records");
        assert_eq!(records.len(), 1);
        records[0].clone()
    }
}

fn serve(listener: &TcpListener, replies: Vec<(u16, String)>, last: &str, requests: &Sender<Received>) {
    let mut replies = replies.into_iter();
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream.expect("a connection can be accepted"));
        // A server that is killed leaves a part of a request.
        let Some(request) = read(&mut stream) else { continue };
        let (status, body) = replies.next().unwrap_or_else(|| (200, last.to_owned()));
        let head = format!("HTTP/1.1 {status} Test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        let reply = head + &body;
        // The client or the test may have ended already.
        let _ = stream.get_mut().write_all(reply.as_bytes());
        if requests.send(request).is_err() {
            return;
        }
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        stream.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Received { head, headers, body: String::from_utf8(body).expect("a message is text") })
}

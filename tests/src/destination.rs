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
    /// The body.
    pub body: String,
}

impl Destination {
    /// Starts the server; it answers the first requests with these statuses and all others with 200.
    pub fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("the listener is bound"));
        let (sender, requests) = channel();
        let statuses = statuses.to_vec();
        std::thread::spawn(move || serve(&listener, &statuses, &sender));
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

    /// Waits for the next request and returns the only record of its message.
    pub fn next_record(&self) -> Value {
        let message: Value = serde_json::from_str(&self.next().body).expect("a message is JSON");
        let records = message["Records"].as_array().expect("a message has records");
        assert_eq!(records.len(), 1);
        records[0].clone()
    }
}

fn serve(listener: &TcpListener, statuses: &[u16], requests: &Sender<Received>) {
    let mut statuses = statuses.iter();
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream.expect("a connection can be accepted"));
        let request = read(&mut stream);
        let status = statuses.next().copied().unwrap_or(200);
        let reply = format!("HTTP/1.1 {status} Test\r\nconnection: close\r\ncontent-length: 9\r\n\r\nreceived\n");
        // The client or the test may have ended already.
        let _ = stream.get_mut().write_all(reply.as_bytes());
        if requests.send(request).is_err() {
            return;
        }
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Received {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).expect("a head is text") > 0 {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the body has its declared length");
    Received { head, body: String::from_utf8(body).expect("a message is text") }
}

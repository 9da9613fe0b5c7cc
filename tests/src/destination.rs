//! A destination of triggers inside the test: it hears messages, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits before it fails.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Something that is listened to on a free port.
pub struct Destination {
    url: String,
    heard: Receiver<Heard>,
}

/// A request that arrived.
#[derive(Debug)]
pub struct Heard {
    /// The request's first line and its headers, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Destination {
    /// Starts to listen; the first requests are answered with these statuses, all others with 200.
    pub fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (sender, heard) = channel();
        let statuses = statuses.to_vec();
        std::thread::spawn(move || hear(&listener, &statuses, &sender));
        Self { url, heard }
    }

    /// The URL of the destination.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the next request.
    pub fn next(&self) -> Heard {
        self.heard.recv_timeout(REQUEST_TIMEOUT).expect("a request arrives")
    }

    /// Waits for the next request and reads its message's only record.
    pub fn next_record(&self) -> Value {
        let message: Value = serde_json::from_str(&self.next().body).expect("a message is JSON");
        let records = message["Records"].as_array().expect("it has records");
        assert_eq!(records.len(), 1);
        records[0].clone()
    }
}

fn hear(listener: &TcpListener, statuses: &[u16], heard: &Sender<Heard>) {
    let mut statuses = statuses.iter();
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream.expect("a connection can be taken"));
        let request = read(&mut stream);
        let status = statuses.next().copied().unwrap_or(200);
        let reply = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: 8\r\n\r\nas told\n");
        // The server may be gone already, and the test too.
        let _ = stream.get_mut().write_all(reply.as_bytes());
        if heard.send(request).is_err() {
            return;
        }
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Heard {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).expect("a head is text") > 0 {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the body is as long as it says");
    Heard { head, body: String::from_utf8(body).expect("a message is text") }
}

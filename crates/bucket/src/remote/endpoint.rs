//! An endpoint in tests, which sends replies that were written before.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::RemoteSettings;

/// Accepts one request for each reply, and sends the lower-case head and the body to the test.
pub(super) fn replying(listener: TcpListener, replies: Vec<String>) -> Receiver<(String, Vec<u8>)> {
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for reply in replies {
            let (stream, _) = listener.accept().expect("the client connects");
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).expect("the head is UTF-8") > 0 {}
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("the body has the length of its header");
            stream.get_mut().write_all(reply.as_bytes()).expect("the client reads the reply");
            sender.send((head, body)).expect("the test receives");
        }
    });
    requests
}

/// Writes a reply; each of `headers` has a line end.
pub(super) fn reply(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// Returns a free port, and the URL of an endpoint there.
pub(super) fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("the listener is bound"));
    (listener, url)
}

pub(super) fn settings(url: &str) -> RemoteSettings {
    RemoteSettings {
        endpoint: url.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: None,
        encryption: Some("AES256".to_owned()),
        kms_key_id: None,
    }
}

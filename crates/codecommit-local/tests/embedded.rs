//! The server embedded in tests, with tokio and without.

use std::io::{Read, Write};
use std::net::TcpStream;

use codecommit_local::{Server, Settings, blocking};

/// Creates a repository at an endpoint, and returns the reply's head and body.
fn create_repository(endpoint: &str) -> String {
    let address = endpoint.strip_prefix("http://").expect("the endpoint is a URL of http");
    let body = r#"{"repositoryName":"MyDemoRepo"}"#;
    let mut connection = TcpStream::connect(address).expect("the server listens");
    write!(
        connection,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Amz-Target: CodeCommit_20150413.CreateRepository\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the server reads");
    let mut reply = String::new();
    connection.read_to_string(&mut reply).expect("the server replies with text");
    reply
}

#[tokio::test]
async fn a_test_on_one_thread_embeds_the_server() {
    let server = Server::start(Settings::ephemeral()).await.expect("a port is free");
    let endpoint = server.endpoint();
    let reply =
        tokio::task::spawn_blocking(move || create_repository(&endpoint)).await.expect("the call does not panic");
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("MyDemoRepo"), "{reply}");
    let folder = server.data_folder().to_owned();
    assert!(server.trail_folder().join("events.ndjson").exists());
    server.stop().await;
    assert!(!folder.exists(), "temporary folders are removed");
}

#[test]
fn a_test_without_tokio_embeds_the_server() {
    let server = blocking::Server::start(Settings::ephemeral()).expect("a port is free");
    let reply = create_repository(&server.endpoint());
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("MyDemoRepo"), "{reply}");
    let events = std::fs::read_to_string(server.trail_folder().join("events.ndjson")).expect("the call is recorded");
    assert!(events.contains("\"CreateRepository\""), "{events}");
    let folder = server.data_folder().to_owned();
    drop(server);
    assert!(!folder.exists(), "temporary folders are removed");
}

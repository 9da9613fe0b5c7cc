//! Raw requests and replies.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};
use ureq::http::Request;

use crate::{World, model};

/// The reply to a raw request.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the body as JSON; `null` if it is empty.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("this is not JSON: {}", self.text()))
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns the name, message and status of an exception as one value.
    pub fn failure(&self) -> Value {
        json!({ "status": self.status, "__type": self.json()["__type"], "message": self.message() })
    }

    /// Returns the message of a failure; services differ in the name of the member.
    pub fn message(&self) -> Value {
        let body = self.json();
        body.get("message").or(body.get("Message")).cloned().unwrap_or_default()
    }
}

/// Creates the request for an operation of CodeCommit or CloudTrail, without credentials.
pub fn request(endpoint: &str, operation: &str, input: &Value) -> Request<Vec<u8>> {
    let request = Request::post(endpoint).header("x-amz-target", model::target(operation));
    request.body(input.to_string().into_bytes()).expect("the request is well formed")
}

/// Sends a call of CodeCommit without reading the reply.
pub fn begin(endpoint: &str, operation: &str, input: &Value) -> TcpStream {
    let body = input.to_string();
    let (address, target) = (endpoint.trim_start_matches("http://"), model::target(operation));
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nX-Amz-Target: {target}\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .expect("the server reads the request");
    stream
}

impl World {
    /// Calls an operation of CodeCommit or CloudTrail without credentials.
    pub fn call(&self, operation: &str, input: &Value) -> Reply {
        self.call_as(operation, input, &[])
    }

    /// Calls an operation of CodeCommit or CloudTrail with further headers.
    pub fn call_as(&self, operation: &str, input: &Value, headers: &[(&str, &str)]) -> Reply {
        let target = model::target(operation);
        let mut all = vec![("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        all.extend_from_slice(headers);
        self.send("POST", "/", &all, input.to_string().as_bytes())
    }

    /// Calls an operation and returns its output; fails the test if the call fails or the output violates the model.
    pub fn ok(&self, operation: &str, input: &Value) -> Value {
        let reply = self.call(operation, input);
        assert_eq!(reply.status, 200, "{operation} {input}: {}", reply.text());
        let output = reply.json();
        model::check(operation, &output).unwrap_or_else(|wrong| panic!("{wrong}"));
        output
    }

    /// Sends a request.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.endpoint()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request.body(body.to_vec()).expect("the request of the test is well formed"))
    }
}

/// Sends a request; a reply can have any status, and redirections are not followed.
pub fn send(request: Request<Vec<u8>>) -> Reply {
    try_send(request).expect("the server answers")
}

/// Sends a request to a server that may end before it answers.
pub fn try_send(request: Request<Vec<u8>>) -> Result<Reply, ureq::Error> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
    let agent: ureq::Agent = config.into();
    let mut reply = agent.run(request)?;
    let headers = reply
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let (status, headers) = (reply.status().as_u16(), headers.collect());
    let body = reply.body_mut().with_config().limit(u64::MAX).read_to_vec()?;
    Ok(Reply { status, headers, body })
}

/// Returns an `Authorization` header with an access key and a region; its signature is not valid, as nothing verifies it.
pub fn signed(access_key: &str, region: &str) -> String {
    let scope = format!("{access_key}/20161214/{region}/codecommit/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00")
}

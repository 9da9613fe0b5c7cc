//! The requests that a played service sends: signed in form only, as nobody checks what a signature proves.

use std::io::{self, Read};

use aws::percent::{self, UNRESERVED};
use aws::{Clock, Region, SystemClock, query, signature, xml};
use serde_json::Value;
use ureq::http::Request;
use ureq::http::request::Builder;
use ureq::{Agent, Body};

/// The largest reply that is read as a whole.
const REPLY_BYTES_MAX: u64 = 16 << 20;

/// A client of a running server.
pub(crate) struct Client {
    agent: Agent,
    endpoint: String,
    region: Region,
    user_agent: String,
    access_key: String,
    session_token: Option<String>,
}

impl Client {
    /// Makes the client that a service is before it has assumed a role; `service` is its DNS name.
    pub(crate) fn new(endpoint: &str, region: Region, service: &str) -> Self {
        Self {
            agent: Agent::config_builder().http_status_as_error(false).build().into(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region,
            user_agent: service.to_owned(),
            access_key: service.to_owned(),
            session_token: None,
        }
    }

    /// Assumes a role, whose credentials are used from then on.
    pub(crate) fn assume_role(&mut self, role: &str, session_name: &str) -> Result<(), String> {
        let members =
            [("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", session_name)];
        let request = self.request(Request::post(format!("{}/", self.endpoint)), "sts");
        let request = request.header("content-type", query::FORM);
        let (status, reply) = self.whole(request, query::encode(members))?;
        let reply = String::from_utf8_lossy(&reply);
        let told = |name: &str| xml::read(&reply, name);
        match (status, told("AccessKeyId"), told("SessionToken")) {
            (200, Some(access_key), Some(session_token)) => {
                (self.access_key, self.session_token) = (access_key, Some(session_token));
                Ok(())
            }
            _ => Err(refused("AssumeRole", status, told("Code").as_deref(), told("Message").as_deref())),
        }
    }

    /// Calls an operation of CodeCommit.
    pub(crate) fn call(&self, operation: &str, input: &Value) -> Result<Value, String> {
        let request = self.request(Request::post(format!("{}/", self.endpoint)), "codecommit");
        let request = request
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{}.{operation}", codecommit::TARGET_PREFIX));
        let (status, reply) = self.whole(request, input.to_string().into_bytes())?;
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        if status == 200 {
            return Ok(reply);
        }
        Err(refused(operation, status, reply["__type"].as_str(), reply["message"].as_str()))
    }

    /// Opens an object of a bucket.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<impl Read, String> {
        let key: Vec<_> = key.split('/').map(|part| percent::encode(part, UNRESERVED)).collect();
        let request = self.request(Request::get(format!("{}/{bucket}/{}", self.endpoint, key.join("/"))), "s3");
        let (status, mut body) = self.send(request, Vec::new())?;
        if status == 200 {
            return Ok(body.into_reader());
        }
        let reply = body.read_to_string().unwrap_or_default();
        let told = |name: &str| xml::read(&reply, name);
        Err(refused("GetObject", status, told("Code").as_deref(), told("Message").as_deref()))
    }

    fn request(&self, request: Builder, service: &str) -> Builder {
        let head = signature::formal(&self.access_key, &self.region, service, SystemClock.now());
        let request = request.header("authorization", head).header("user-agent", &self.user_agent);
        match &self.session_token {
            Some(token) => request.header("x-amz-security-token", token),
            None => request,
        }
    }

    fn whole(&self, request: Builder, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let (status, mut reply) = self.send(request, body)?;
        let reply = reply.with_config().limit(REPLY_BYTES_MAX).read_to_vec();
        Ok((status, reply.map_err(|error| self.silent(&io::Error::other(error)))?))
    }

    fn send(&self, request: Builder, body: Vec<u8>) -> Result<(u16, Body), String> {
        let wrong = |error| format!("'{}' is not an endpoint, or a name is wrong: {error}", self.endpoint);
        let request = request.body(body).map_err(wrong)?;
        let reply = self.agent.run(request).map_err(|error| self.silent(&error))?;
        Ok((reply.status().as_u16(), reply.into_body()))
    }

    fn silent(&self, error: &dyn std::error::Error) -> String {
        format!("{} does not answer: {error}; start the server, or name another one with --endpoint", self.endpoint)
    }
}

fn refused(operation: &str, status: u16, name: Option<&str>, message: Option<&str>) -> String {
    match (name, message) {
        (Some(name), Some(message)) => format!("{operation} is refused: {name}: {message}"),
        _ => {
            format!("{operation} is answered with status {status} and no reason; is this a server of codecommit-local?")
        }
    }
}

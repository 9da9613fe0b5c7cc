//! The requests of a simulated service.

use std::io::{self, Read};

use aws::signature::{self, SigningKey};
use aws::{Clock, Region, SystemClock, query, xml};
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use ureq::http::Request;
use ureq::http::request::Builder;
use ureq::{Agent, Body};

use crate::server_trust;

/// Largest reply that is read into memory.
const REPLY_BYTES_MAX: u64 = 16 << 20;

/// An access key, and the token of a temporary one.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
}

/// A client of a running server.
pub(crate) struct Client {
    agent: Agent,
    endpoint: String,
    region: Region,
    user_agent: String,
    key: Key,
}

impl Client {
    /// Creates the client of a service, whose DNS name is `service`, before it has assumed a role.
    pub(crate) fn new(endpoint: &str, region: Region, service: &str, key: Key) -> io::Result<Self> {
        let tls = server_trust::tls_for(endpoint)?;
        Ok(Self {
            agent: Agent::config_builder().http_status_as_error(false).tls_config(tls).build().into(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region,
            user_agent: service.to_owned(),
            key,
        })
    }

    /// Assumes a role, and uses its credentials from then on.
    pub(crate) fn assume_role(&mut self, role: &str, session_name: &str) -> Result<(), String> {
        let members =
            [("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", session_name)];
        let request = Request::post(format!("{}/", self.endpoint)).header("content-type", query::FORM);
        let (status, reply) = self.receive(request, query::encode(members), "sts")?;
        let reply = String::from_utf8_lossy(&reply);
        let element = |name: &str| xml::read(&reply, name);
        match (status, element("AccessKeyId"), element("SecretAccessKey"), element("SessionToken")) {
            (200, Some(id), Some(secret), Some(session_token)) => {
                self.key = Key { id, secret, session_token: Some(session_token) };
                Ok(())
            }
            _ => Err(rejection("AssumeRole", status, element("Code").as_deref(), element("Message").as_deref())),
        }
    }

    /// Calls an operation of CodeCommit.
    pub(crate) fn call(&self, operation: &str, input: &Value) -> Result<Value, String> {
        let request = Request::post(format!("{}/", self.endpoint))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{}.{operation}", codecommit::TARGET_PREFIX));
        let (status, reply) = self.receive(request, input.to_string().into_bytes(), "codecommit")?;
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        if status == 200 {
            return Ok(reply);
        }
        Err(rejection(operation, status, reply["__type"].as_str(), reply["message"].as_str()))
    }

    /// Opens an object of a bucket.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<impl Read, String> {
        let key: Vec<_> = key.split('/').map(|part| utf8_percent_encode(part, query::ESCAPED).to_string()).collect();
        let request = Request::get(format!("{}/{bucket}/{}", self.endpoint, key.join("/")));
        let (status, mut body) = self.send(request, Vec::new(), "s3")?;
        if status == 200 {
            return Ok(body.into_reader());
        }
        let reply = body.read_to_string().unwrap_or_default();
        let element = |name: &str| xml::read(&reply, name);
        Err(rejection("GetObject", status, element("Code").as_deref(), element("Message").as_deref()))
    }

    fn receive(&self, request: Builder, body: Vec<u8>, service: &str) -> Result<(u16, Vec<u8>), String> {
        let (status, mut reply) = self.send(request, body, service)?;
        let reply = reply.with_config().limit(REPLY_BYTES_MAX).read_to_vec();
        Ok((status, reply.map_err(|error| self.unreachable(&io::Error::other(error)))?))
    }

    fn send(&self, request: Builder, body: Vec<u8>, service: &str) -> Result<(u16, Body), String> {
        let invalid = |error| format!("invalid endpoint '{}', or invalid name: {error}", self.endpoint);
        let request = request.header("user-agent", &self.user_agent);
        let mut request = request.body(body).map_err(invalid)?;
        let Key { id, secret, session_token } = &self.key;
        let key = SigningKey { id, secret, session_token: session_token.as_deref() };
        signature::sign(&mut request, key, &self.region, service, SystemClock.now())?;
        let reply = self.agent.run(request).map_err(|error| self.unreachable(&error))?;
        Ok((reply.status().as_u16(), reply.into_body()))
    }

    fn unreachable(&self, error: &dyn std::error::Error) -> String {
        format!(
            "cannot reach the server at {}: {error}; start the server, or name another with --endpoint",
            self.endpoint
        )
    }
}

fn rejection(operation: &str, status: u16, name: Option<&str>, message: Option<&str>) -> String {
    let advice = match (operation, name) {
        ("AssumeRole", Some("InvalidClientTokenId" | "SignatureDoesNotMatch")) => {
            "; the server verifies signatures: declare the service with an access key and its secret in the identities file, and \
             write the secret with --secret-access-key"
        }
        ("AssumeRole", _) => "; declare the role in the identities file, or name a declared one with --role",
        _ => "",
    };
    match (name, message) {
        (Some(name), Some(message)) => format!("{operation} was refused: {name}: {message}{advice}"),
        _ => {
            format!("{operation} was answered with status {status} and no reason; is this a codecommit-local server?")
        }
    }
}

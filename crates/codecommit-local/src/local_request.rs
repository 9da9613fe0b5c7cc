//! Requests of commands below `/_local` of a running server.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::Body;
use ureq::http::Response;

use crate::server_trust;

/// Timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Gets a path of a server; returns the JSON of the reply.
pub(crate) fn get(endpoint: &str, path: &str) -> Result<Value, String> {
    send(endpoint, |agent| agent.get(format!("{endpoint}{path}")).call())
}

/// Posts to a path of a server without a body; returns the JSON of the reply.
pub(crate) fn post(endpoint: &str, path: &str) -> Result<Value, String> {
    send(endpoint, |agent| agent.post(format!("{endpoint}{path}")).send_empty())
}

fn send(endpoint: &str, request: impl FnOnce(&Agent) -> Result<Response<Body>, ureq::Error>) -> Result<Value, String> {
    let tls = server_trust::tls_for(endpoint).map_err(|error| error.to_string())?;
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .tls_config(tls)
        .build()
        .into();
    let mut reply = request(&agent).map_err(|error| {
        format!("cannot reach the server at {endpoint}: {error}; start the server, or name another with --endpoint")
    })?;
    let status = reply.status().as_u16();
    let text = reply.body_mut().read_to_string().unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match (status, body["message"].as_str()) {
        (200, _) => Ok(body),
        (_, Some(message)) => Err(message.to_owned()),
        (403, None) => Err(format!("the server at {endpoint} refuses: {}", text.trim())),
        (_, None) => Err(unknown(endpoint, status)),
    }
}

/// Says that a reply is not one of this program.
pub(crate) fn unknown(endpoint: &str, status: u16) -> String {
    format!("the server at {endpoint} replied with status {status}; is this a codecommit-local server?")
}

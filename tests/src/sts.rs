//! Raw requests to AWS STS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::wire::signed;
use crate::{Reply, World};

/// Sends a form to STS, signed with an access key if there is one.
pub fn query(world: &World, key: Option<&str>, form: &str) -> Reply {
    send(world, key, None, "us-east-1", form)
}

/// Sends a form to STS in a region.
pub fn query_in(world: &World, key: &str, region: &str, form: &str) -> Reply {
    send(world, Some(key), None, region, form)
}

/// Sends a form to STS with temporary credentials.
pub fn query_as(world: &World, session: &Session, form: &str) -> Reply {
    send(world, Some(&session.key), Some(&session.token), "us-east-1", form)
}

fn send(world: &World, key: Option<&str>, token: Option<&str>, region: &str, form: &str) -> Reply {
    let authorization = key.map(|key| signed(key, region));
    let mut headers =
        vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("user-agent", "the test")];
    headers.extend(authorization.as_deref().map(|header| ("authorization", header)));
    headers.extend(token.map(|token| ("x-amz-security-token", token)));
    world.send("POST", "/", &headers, format!("Version=2011-06-15&Action={form}").as_bytes())
}

/// Returns the content of an element of a reply.
pub fn element(reply: &Reply, name: &str) -> String {
    let text = reply.text();
    let after = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")).1;
    after.split_once(&format!("</{name}>")).expect("the element has an end").0.to_owned()
}

/// Temporary credentials.
#[derive(Clone, Debug)]
pub struct Session {
    /// The access key.
    pub key: String,
    /// The session token.
    pub token: String,
}

impl Session {
    /// Returns the credentials of a successful reply.
    pub fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{}", reply.text());
        Self { key: element(reply, "AccessKeyId"), token: element(reply, "SessionToken") }
    }

    /// Calls an operation of AWS JSON with the credentials.
    pub fn call(&self, world: &World, operation: &str, input: &Value) -> Reply {
        let authorization = signed(&self.key, "us-east-1");
        world.call_as(
            operation,
            input,
            &[("authorization", &authorization), ("x-amz-security-token", &self.token), ("user-agent", "the test")],
        )
    }

    /// Returns the `Authorization` header of Git with the credentials.
    pub fn git(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}%{}:signature", self.key, self.token)))
    }
}

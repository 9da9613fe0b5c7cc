//! `PutEvents` of Amazon EventBridge: requests of up to ten entries, and the outcome of each entry.

use aws::signature::{self, SigningKey};
use aws::{Region, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::http::Request;

use crate::settings::PutEventsTarget;

/// Maximum number of entries of a request.
pub(super) const ENTRIES_MAX: usize = 10;

/// Maximum size of the entries of a request, in bytes, as EventBridge counts them.
pub(super) const BYTES_MAX: usize = 256 << 10;

/// Bytes that EventBridge counts for the time of an entry.
const TIME_BYTES: usize = 14;

/// Error codes of entries that may succeed later.
const TEMPORARY: [&str; 4] = ["InternalException", "InternalFailure", "ServiceUnavailable", "ThrottlingException"];

/// Why an event was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// Another attempt may succeed.
    Temporary(String),
    /// The event will never be taken.
    Final(String),
}

/// An entry of a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry<'e> {
    /// Seconds since 1970.
    time: i64,
    source: &'e str,
    resources: Vec<&'e str>,
    detail_type: &'e str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_bus_name: Option<&'e str>,
}

impl<'e> Entry<'e> {
    /// Creates the entry of an event.
    pub(super) fn new(event: &'e Value, target: &'e PutEventsTarget) -> Self {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        Self {
            time: Timestamp::from_iso(text("time")).map_or(0, |time| time.millis() / 1_000),
            source: target.source.as_deref().unwrap_or_else(|| text("source")),
            resources: event["resources"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
            detail_type: text("detail-type"),
            detail: event["detail"].to_string(),
            event_bus_name: target.bus.as_deref(),
        }
    }

    /// Returns the size as EventBridge counts it.
    pub(super) fn bytes(&self) -> usize {
        let resources: usize = self.resources.iter().map(|resource| resource.len()).sum();
        TIME_BYTES + self.source.len() + self.detail_type.len() + self.detail.len() + resources
    }
}

/// Builds the request for entries whose events are of one account and region.
pub(super) fn request(
    entries: &[Entry<'_>],
    (account, region): (&str, &Region),
    target: &PutEventsTarget,
    time: Timestamp,
) -> Result<Request<Vec<u8>>, String> {
    let region = target.region.as_ref().unwrap_or(region);
    let mut request = Request::post(&target.url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSEvents.PutEvents");
    if target.access_key.is_none() {
        request = request.header("authorization", signature::unsigned_authorization(account, region, "events", time));
    }
    let body = serde_json::json!({ "Entries": entries }).to_string().into_bytes();
    let mut request = request.body(body).map_err(|error| error.to_string())?;
    if let Some((id, secret)) = &target.access_key {
        let key = SigningKey { id, secret: secret.reveal(), session_token: None };
        signature::sign(&mut request, key, region, "events", time)?;
    }
    Ok(request)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    entries: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}

/// Reads the outcome of each entry from a successful reply.
pub(super) fn outcomes(reply: &str, count: usize) -> Vec<Result<(), SendError>> {
    let reply: Option<Reply> = serde_json::from_str(reply).ok();
    let Some(Reply { entries }) = reply.filter(|reply| reply.entries.len() == count) else {
        let reason = "the reply has not the outcome of each entry".to_owned();
        return vec![Err(SendError::Temporary(reason)); count];
    };
    let outcome = |outcome: Outcome| {
        let Some(code) = outcome.error_code else { return Ok(()) };
        let reason = format!("{code}: {}", outcome.error_message.unwrap_or_default());
        Err(if TEMPORARY.contains(&code.as_str()) { SendError::Temporary(reason) } else { SendError::Final(reason) })
    };
    entries.into_iter().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use bucket::Secret;
    use serde_json::json;

    use super::*;

    fn target() -> PutEventsTarget {
        PutEventsTarget {
            url: "http://127.0.0.1:1/".to_owned(),
            bus: Some("my-bus".to_owned()),
            region: None,
            access_key: None,
            source: None,
        }
    }

    fn event() -> Value {
        json!({
            "version": "0", "id": "1", "detail-type": "A type", "source": "aws.codecommit", "account": "111122223333",
            "time": "2016-12-14T18:19:15Z", "region": "us-east-2", "resources": ["arn:1"], "detail": { "b": 1, "a": 2 },
        })
    }

    fn build(target: &PutEventsTarget) -> (String, Value) {
        let (event, region) = (event(), "us-east-2".parse().expect("the name is that of a region"));
        let entries = [Entry::new(&event, target)];
        let time = Timestamp::from_millis(1_481_739_555_000);
        let built = request(&entries, ("111122223333", &region), target, time).expect("the target is valid");
        let (head, body) = built.into_parts();
        assert_eq!(head.headers["x-amz-target"], "AWSEvents.PutEvents");
        let authorization = head.headers["authorization"].to_str().expect("the header is text").to_owned();
        (authorization, serde_json::from_slice(&body).expect("the body is JSON"))
    }

    #[test]
    fn an_entry_has_the_members_of_the_event() {
        let (authorization, body) = build(&target());
        assert!(authorization.contains("Credential=111122223333/20161214/us-east-2/events/"), "{authorization}");
        let expected = json!({ "Entries": [{
            "Time": 1_481_739_555, "Source": "aws.codecommit", "Resources": ["arn:1"], "DetailType": "A type",
            "Detail": r#"{"b":1,"a":2}"#, "EventBusName": "my-bus",
        }] });
        assert_eq!(body, expected);
        let (event, target) = (event(), target());
        assert_eq!(Entry::new(&event, &target).bytes(), 14 + 14 + 6 + 13 + 5);
    }

    #[test]
    fn an_access_key_a_region_and_a_source_replace_those_of_the_event() {
        let access_key = Some(("AKIA1".to_owned(), Secret::new("secret".to_owned())));
        let region = Some("eu-west-1".parse().expect("the name is that of a region"));
        let (authorization, body) =
            build(&PutEventsTarget { access_key, region, source: Some("local".to_owned()), ..target() });
        assert!(authorization.contains("Credential=AKIA1/20161214/eu-west-1/events/"), "{authorization}");
        assert!(!authorization.contains(&"0".repeat(64)), "{authorization}");
        assert_eq!(body["Entries"][0]["Source"], "local");
    }

    #[test]
    fn each_entry_has_its_own_outcome() {
        let reply = r#"{"FailedEntryCount":2,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException",
            "ErrorMessage":"Slow down"},{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"No"}]}"#;
        let expected = [
            Ok(()),
            Err(SendError::Temporary("ThrottlingException: Slow down".to_owned())),
            Err(SendError::Final("NotAuthorizedForSourceException: No".to_owned())),
        ];
        assert_eq!(outcomes(reply, 3), expected);
        for wrong in [reply, "{}", "received"] {
            assert!(matches!(outcomes(wrong, 1)[..], [Err(SendError::Temporary(_))]), "{wrong}");
        }
    }
}

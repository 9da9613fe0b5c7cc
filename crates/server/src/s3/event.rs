//! The events of calls to S3.

use aws::{AccountId, Call, Failure, Resource, percent};
use axum::http::Uri;
use serde_json::{Map, Value, json};
use trail::Event;

use super::gate::Asked;
use super::signature::{Signature, parameters_unsigned};

const EVENT_SOURCE: &str = "s3.amazonaws.com";

/// Makes the event of a call, and notes which resources of the buckets' owner it concerns.
pub(super) fn of(
    call: &Call,
    asked: &Asked,
    uri: &Uri,
    signature: Option<&Signature>,
    owner: &AccountId,
    result: Result<u64, &Failure>,
) -> Event {
    // Both versions of the listing are one event.
    let mut event = Event::new(asked.operation.trim_end_matches("V2"), EVENT_SOURCE);
    event.read_only = !asked.is_write;
    event.request_parameters = parameters(call, asked, uri);
    event.additional_event_data = additional(signature, result.unwrap_or(0));
    event.failure = result.err().cloned();
    let partition = call.region.partition();
    let concerns = |kind, name: String| {
        call.concerns(Resource { kind, arn: format!("arn:{partition}:s3:::{name}"), account: owner.clone() });
    };
    if let Some(bucket) = &asked.bucket {
        if let Some(key) = &asked.key {
            concerns("AWS::S3::Object", format!("{bucket}/{key}"));
        }
        concerns("AWS::S3::Bucket", bucket.clone());
    }
    event
}

/// `requestParameters`: the path's and the query's, and the host.
fn parameters(call: &Call, asked: &Asked, uri: &Uri) -> Value {
    let mut parameters = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), value.into());
        }
    };
    put("bucketName", asked.bucket.as_deref());
    put("Host", call.host.as_deref());
    put("key", asked.key.as_deref());
    for (name, value) in parameters_unsigned(uri) {
        put(&percent::decode(name.as_bytes()), Some(&percent::decode(value.as_bytes())));
    }
    Value::Object(parameters)
}

/// `additionalEventData`; there is no TLS, whose cipher AWS tells.
fn additional(signature: Option<&Signature>, bytes_out: u64) -> Value {
    match signature {
        Some(Signature { version, method, .. }) => json!({
            "SignatureVersion": version,
            "bytesTransferredIn": 0,
            "AuthenticationMethod": method,
            "bytesTransferredOut": bytes_out,
        }),
        None => json!({ "bytesTransferredIn": 0, "bytesTransferredOut": bytes_out }),
    }
}

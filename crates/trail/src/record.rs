//! Records of calls: CloudTrail's members in CloudTrail's order.

mod limits;
mod user_identity;

use aws::{AccountId, Call, Caller, Resource};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::limits::cut;
use crate::Event;

/// The type of an object in a bucket.
const S3_OBJECT: &str = "AWS::S3::Object";

/// The version of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventVersion {
    /// The version of the examples in the CodeCommit guide.
    V1_05,
    /// Today's version.
    V1_11,
}

/// The order of the members in the guide's record of `CreateRepository`; it follows no rule.
const REPOSITORY_METADATA: [&str; 9] = [
    "arn",
    "creationDate",
    "repositoryId",
    "cloneUrlSsh",
    "repositoryName",
    "accountId",
    "cloneUrlHttp",
    "repositoryDescription",
    "lastModifiedDate",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_version: &'static str,
    user_identity: Value,
    event_time: String,
    event_source: &'a str,
    event_name: &'a str,
    aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    request_parameters: Value,
    response_elements: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    additional_event_data: Value,
    #[serde(rename = "requestID")]
    request_id: &'a str,
    #[serde(rename = "eventID")]
    event_id: &'a str,
    read_only: bool,
    #[serde(skip_serializing_if = "is_empty")]
    resources: Value,
    event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    management_event: Option<bool>,
    recipient_account_id: &'a str,
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none")]
    shared_event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_details: Option<Value>,
}

/// Returns the `userIdentity` of a caller.
pub(crate) fn user_identity_of(caller: &Caller) -> Value {
    user_identity::of(caller, EventVersion::V1_05)
}

/// Writes the record of a call as one line that ends in a newline.
pub(crate) fn line(event: &Event, call: &Call, version: EventVersion) -> String {
    let modern = version == EventVersion::V1_11;
    let failure = event.failure.as_ref();
    let caller = event.caller.as_ref().unwrap_or(&call.caller);
    let service = caller.invoked_by.as_deref();
    let resources = event.resources.clone().unwrap_or_else(|| call.resources());
    let prefix = event.object_prefix.as_ref().map(|arn| json!({ "type": S3_OBJECT, "ARNPrefix": arn }));
    let record = Record {
        event_version: if modern { "1.11" } else { "1.05" },
        user_identity: user_identity::of(caller, version),
        event_time: call.time.iso(),
        event_source: event.source,
        event_name: &event.name,
        aws_region: call.region.as_str(),
        source_ip_address: cut(service.unwrap_or(&call.source_ip_address)),
        user_agent: service.or(call.user_agent.as_deref()).map(cut),
        error_code: failure.map(|failure| cut(failure.error_code())),
        error_message: failure.map(|failure| cut(&failure.message)).filter(|message| !message.is_empty()),
        request_parameters: event.request_parameters.clone(),
        response_elements: with_repository_metadata_in_order(event.response_elements.clone(), modern),
        additional_event_data: event.additional_event_data.clone(),
        request_id: cut(event.request_id.as_deref().unwrap_or(call.request_id())),
        event_id: event_id(event, call),
        read_only: event.read_only,
        resources: prefix.into_iter().chain(resources.iter().map(|concerned| resource(concerned, modern))).collect(),
        event_type: "AwsApiCall",
        api_version: event.api_version,
        management_event: modern.then_some(!event.is_data),
        recipient_account_id: account(event, call).as_str(),
        shared_event_id: event.shared_event_id.as_deref(),
        event_category: modern.then_some(if event.is_data { "Data" } else { "Management" }),
        // Calls of a service have no TLS details.
        tls_details: if modern && service.is_none() { tls_details(call) } else { None },
    };
    limits::line(record)
}

/// Returns `tlsDetails`: the session of a call over TLS, and the host name that the client used.
fn tls_details(call: &Call) -> Option<Value> {
    let mut details = Map::new();
    if let Some(tls) = call.tls {
        details.insert("tlsVersion".to_owned(), tls.version.into());
        details.insert("cipherSuite".to_owned(), tls.cipher_suite.into());
    }
    if let Some(host) = &call.host {
        details.insert("clientProvidedHostHeader".to_owned(), cut(host).into());
    }
    (!details.is_empty()).then(|| Value::Object(details))
}

/// Returns the id of an event's record.
pub(crate) fn event_id<'a>(event: &'a Event, call: &'a Call) -> &'a str {
    event.event_id.as_deref().unwrap_or(call.event_id())
}

/// Returns the account that receives an event's record.
pub(crate) fn account<'a>(event: &'a Event, call: &'a Call) -> &'a AccountId {
    event.account.as_ref().unwrap_or(&call.account)
}

/// Writes an element of `resources`; objects of S3 have no account, their buckets have one.
fn resource(resource: &Resource, modern: bool) -> Value {
    let Resource { kind, arn, account } = resource;
    match (*kind, modern) {
        (S3_OBJECT, true) => json!({ "type": kind, "ARN": arn }),
        (S3_OBJECT, false) => json!({ "ARN": arn, "type": kind }),
        (_, true) => json!({ "accountId": account, "type": kind, "ARN": arn }),
        (_, false) => json!({ "ARN": arn, "accountId": account, "type": kind }),
    }
}

fn is_empty(resources: &Value) -> bool {
    resources.as_array().is_none_or(Vec::is_empty)
}

fn with_repository_metadata_in_order(mut elements: Value, modern: bool) -> Value {
    if let Some(Value::Object(metadata)) = elements.get_mut("repositoryMetadata") {
        if !modern {
            // Records of version 1.05 are older than this member.
            metadata.remove("kmsKeyId");
        }
        let mut ordered = Map::new();
        for name in REPOSITORY_METADATA {
            if let Some(value) = metadata.remove(name) {
                ordered.insert(name.to_owned(), value);
            }
        }
        ordered.append(metadata);
        *metadata = ordered;
    }
    elements
}

#[cfg(test)]
mod tests;

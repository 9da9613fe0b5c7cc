//! Records of calls: CloudTrail's members in CloudTrail's order.

mod limits;
mod user_identity;

use aws::caller::Kind;
use aws::{AccountId, Call, Caller, Resource};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::limits::cut;
use crate::Event;
use crate::event::EventType;

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

/// The form of the records of console calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleEvents {
    /// The address of the browser, and the user agent `console.amazonaws.com`, as on AWS until 2022.
    Client,
    /// `AWS Internal` as address and user agent, as on AWS today.
    AwsInternal,
}

impl ConsoleEvents {
    /// Returns the form that AWS used together with a version.
    pub fn default_for(version: EventVersion) -> Self {
        match version {
            EventVersion::V1_05 => Self::Client,
            EventVersion::V1_11 => Self::AwsInternal,
        }
    }
}

/// The form of records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordForm {
    pub(crate) version: EventVersion,
    pub(crate) console: ConsoleEvents,
}

/// The user agent of console calls that have the address of the browser.
const CONSOLE_AGENT: &str = "console.amazonaws.com";

/// The address and the user agent of console calls that AWS's own hosts make for the browser.
const AWS_INTERNAL: &str = "AWS Internal";

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
    #[serde(rename = "requestID", skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(rename = "eventID")]
    event_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    session_credential_from_console: Option<&'static str>,
}

/// Returns the `userIdentity` of a caller.
pub(crate) fn user_identity_of(caller: &Caller) -> Value {
    user_identity::of(caller, EventVersion::V1_05)
}

/// Writes the record of a call as one line that ends in a newline.
pub(crate) fn line(event: &Event, call: &Call, form: RecordForm) -> String {
    let modern = form.version == EventVersion::V1_11;
    let failure = event.failure.as_ref();
    let caller = event.caller.as_ref().unwrap_or(&call.caller);
    let client = Client::of(event, call, caller, form.console);
    let is_sign_in = event.event_type == EventType::AwsConsoleSignIn;
    let resources = event.resources.clone().unwrap_or_else(|| call.resources());
    let prefix = event.object_prefix.as_ref().map(|arn| json!({ "type": S3_OBJECT, "ARNPrefix": arn }));
    let record = Record {
        event_version: if modern { "1.11" } else { "1.05" },
        user_identity: user_identity::of(caller, form.version),
        event_time: call.time.iso(),
        event_source: event.source,
        event_name: &event.name,
        aws_region: call.region.as_str(),
        source_ip_address: cut(client.address),
        user_agent: client.agent.map(cut),
        error_code: failure.filter(|_| !is_sign_in).map(|failure| cut(failure.error_code())),
        error_message: failure.map(|failure| cut(&failure.message)).filter(|message| !message.is_empty()),
        request_parameters: event.request_parameters.clone(),
        response_elements: with_repository_metadata_in_order(event.response_elements.clone(), modern),
        additional_event_data: event.additional_event_data.clone(),
        request_id: (!is_sign_in).then(|| cut(event.request_id.as_deref().unwrap_or(call.request_id()))),
        event_id: event_id(event, call),
        // The guides' sign-ins of version 1.05 do not have the member.
        read_only: (modern || !is_sign_in).then_some(event.read_only),
        resources: prefix.into_iter().chain(resources.iter().map(|concerned| resource(concerned, modern))).collect(),
        event_type: match event.event_type {
            EventType::AwsApiCall => "AwsApiCall",
            EventType::AwsConsoleSignIn => "AwsConsoleSignIn",
        },
        api_version: event.api_version,
        management_event: modern.then_some(!event.is_data),
        recipient_account_id: account(event, call).as_str(),
        shared_event_id: event.shared_event_id.as_deref(),
        event_category: modern.then_some(if event.is_data { "Data" } else { "Management" }),
        tls_details: if modern && client.is_direct { tls_details(call) } else { None },
        session_credential_from_console: (modern && client.is_console).then_some("true"),
    };
    limits::line(record)
}

/// The client of a call, as its record shows it.
struct Client<'a> {
    address: &'a str,
    agent: Option<&'a str>,
    /// Whether the call came over the client's own connection, whose TLS session the record shows.
    is_direct: bool,
    /// Whether the credentials are those of a console session.
    is_console: bool,
}

impl<'a> Client<'a> {
    /// Decides what the record shows: of a service's calls the service, of console calls what the setting says, else the client itself.
    ///
    /// A browser signs in itself.
    fn of(event: &Event, call: &'a Call, caller: &'a Caller, console: ConsoleEvents) -> Self {
        let is_console =
            call.is_console && caller.kind != Kind::AwsService && event.event_type != EventType::AwsConsoleSignIn;
        let (address, agent) = match (caller.invoked_by.as_deref(), console) {
            (Some(service), _) => (service, Some(service)),
            (None, ConsoleEvents::AwsInternal) if is_console => (AWS_INTERNAL, Some(AWS_INTERNAL)),
            (None, ConsoleEvents::Client) if is_console => (call.source_ip_address.as_str(), Some(CONSOLE_AGENT)),
            (None, _) => (call.source_ip_address.as_str(), call.user_agent.as_deref()),
        };
        Self { address, agent, is_direct: caller.invoked_by.is_none() && !is_console, is_console }
    }
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

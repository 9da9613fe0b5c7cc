//! Events as pages show them, read from their records.

use aws::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use trail::view::caller_name;

use crate::text::Time;
use crate::url;

/// The type of repositories among resources.
const REPOSITORY: &str = "AWS::CodeCommit::Repository";

/// An event with its record.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Event {
    /// The user, as event history names it; empty for callers without a name.
    #[serde(default)]
    pub(crate) username: String,
    /// The record.
    #[serde(rename = "CloudTrailEvent", deserialize_with = "record")]
    pub(crate) record: Value,
}

/// A resource of an event.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) arn: String,
    pub(crate) name: String,
}

/// A text of an event, and the page that it leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) label: &'static str,
    pub(crate) text: String,
    pub(crate) url: Option<String>,
    pub(crate) time: Option<Time>,
}

/// The columns of lists of events: their names in URLs, their labels, and whether they are shown unless others are chosen.
pub(crate) const COLUMNS: [(&str, &str, bool); 13] = [
    ("time", "Time", true),
    ("name", "Event name", true),
    ("user", "User name", true),
    ("source", "Event source", true),
    ("resources", "Resources", true),
    ("error", "Error code", true),
    ("types", "Resource types", false),
    ("key", "Access key", false),
    ("address", "Source address", false),
    ("agent", "User agent", false),
    ("region", "Region", false),
    ("read-only", "Read-only", false),
    ("id", "Event ID", false),
];

fn record<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let line = String::deserialize(deserializer)?;
    serde_json::from_str(&line).map_err(serde::de::Error::custom)
}

impl Event {
    /// Reads an event from its record alone; `None` if it is not JSON.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(line).ok()?;
        let caller = caller_name(&record["userIdentity"]);
        Some(Self { username: caller.rsplit('/').next().unwrap_or_default().to_owned(), record })
    }

    /// Returns a member of the record as a text; empty if it is missing.
    pub(crate) fn member(&self, name: &str) -> &str {
        self.record[name].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.member("eventID")
    }

    pub(crate) fn name(&self) -> &str {
        self.member("eventName")
    }

    pub(crate) fn time(&self) -> Option<Time> {
        Timestamp::from_iso(self.member("eventTime")).map(Time)
    }

    /// Returns the access key of the caller; empty if there is none.
    pub(crate) fn access_key(&self) -> &str {
        self.record["userIdentity"]["accessKeyId"].as_str().unwrap_or_default()
    }

    /// Returns the caller as a text for people: a user, or a role with its session.
    pub(crate) fn caller(&self) -> String {
        caller_name(&self.record["userIdentity"])
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.record.get("errorCode").is_some() || self.record.get("errorMessage").is_some()
    }

    /// Returns the error code; of a failed sign-in, which has none, its message.
    pub(crate) fn error(&self) -> &str {
        let code = self.member("errorCode");
        if code.is_empty() { self.member("errorMessage") } else { code }
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.record["readOnly"] == true
    }

    pub(crate) fn resources(&self) -> Vec<Resource> {
        let resources = self.record["resources"].as_array().into_iter().flatten();
        let of = |resource: &Value| {
            let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
            let arn = text("ARN");
            Resource { kind: text("type"), name: arn.rsplit([':', '/']).next().unwrap_or_default().to_owned(), arn }
        };
        resources.map(of).collect()
    }

    /// Returns the name of the repository that the event concerns first; empty if there is none.
    pub(crate) fn repository(&self) -> String {
        let mut resources = self.resources().into_iter();
        resources.find(|resource| resource.kind == REPOSITORY).map(|resource| resource.name).unwrap_or_default()
    }

    /// Returns the class of the event's row.
    pub(crate) fn class(&self) -> &'static str {
        if self.is_failed() {
            "kind-failed"
        } else if self.name() == "GitPush" {
            "kind-push"
        } else if self.is_read_only() {
            "kind-read"
        } else {
            "kind-write"
        }
    }

    /// Returns the URL of the event's page.
    pub(crate) fn url(&self) -> String {
        url::page(&format!("events/{}", url::escape(self.id())))
    }

    /// Returns the text of a column of [`COLUMNS`], with its link.
    pub(crate) fn cell(&self, column: &str) -> Cell {
        let linked = |text: &str, url: Option<String>| Cell { text: text.to_owned(), url, ..Cell::default() };
        let events = |attribute: &str, value: &str| (!value.is_empty()).then(|| url::events_of(attribute, value));
        let label = COLUMNS.iter().find(|(name, ..)| *name == column).map_or("", |(_, label, _)| label);
        let cell = match column {
            "time" => Cell { time: self.time(), ..linked(self.member("eventTime"), None) },
            "name" => linked(self.name(), Some(self.url())),
            "user" => {
                let caller = self.caller();
                let shown = if self.username.is_empty() { &caller } else { &self.username };
                linked(shown, events("Username", &self.username))
            }
            "key" => linked(self.access_key(), events("AccessKeyId", self.access_key())),
            "source" => linked(self.member("eventSource"), None),
            "types" => {
                let types: Vec<_> = self.resources().into_iter().map(|resource| resource.kind).collect();
                linked(&types.join(", "), None)
            }
            "resources" => {
                let resources = self.resources();
                let names: Vec<_> = resources.iter().map(|resource| resource.name.as_str()).collect();
                linked(&names.join(", "), resources.first().and_then(Resource::url))
            }
            "error" => linked(self.error(), events("ErrorCode", self.member("errorCode"))),
            "address" => linked(self.member("sourceIPAddress"), None),
            "agent" => linked(self.member("userAgent"), None),
            "region" => linked(self.member("awsRegion"), None),
            "read-only" => {
                linked(self.record["readOnly"].as_bool().map_or("", |is| if is { "true" } else { "false" }), None)
            }
            _ => linked(self.id(), Some(self.url())),
        };
        Cell { label, ..cell }
    }

    /// Lists the commits that the record names, each with the repository.
    pub(crate) fn commits(&self) -> Vec<String> {
        let mut commits = Vec::new();
        let mut pending = vec![&self.record["requestParameters"], &self.record["responseElements"]];
        while let Some(value) = pending.pop() {
            match value {
                Value::Object(members) => pending.extend(members.values()),
                Value::Array(items) => pending.extend(items),
                Value::String(text) if is_commit_id(text) && !commits.contains(text) => commits.push(text.clone()),
                _ => {}
            }
        }
        commits
    }
}

impl Resource {
    /// Returns the URL of the resource's page, or of its events.
    pub(crate) fn url(&self) -> Option<String> {
        if self.name.is_empty() {
            return None;
        }
        Some(if self.kind == REPOSITORY {
            url::repository(&self.name, "code")
        } else {
            url::events_of("ResourceName", &self.arn)
        })
    }
}

/// Returns whether a text is an object id that is not all zeros.
fn is_commit_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.bytes().any(|byte| byte != b'0')
}

//! Attributes of events for lookups, read from their records.

use std::collections::BTreeSet;

use serde::Deserialize;
use strum::{EnumString, IntoStaticStr};

/// An attribute of events that a lookup can filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
pub(super) enum Attribute {
    EventId,
    EventName,
    ReadOnly,
    Username,
    ResourceType,
    ResourceName,
    EventSource,
    AccessKeyId,
}

/// The members of a record that event history uses.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    #[serde(rename = "eventID")]
    pub(super) event_id: String,
    pub(super) event_name: String,
    pub(super) event_source: String,
    pub(super) read_only: Option<bool>,
    user_identity: Identity,
    #[serde(default)]
    pub(super) resources: Vec<Resource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(rename = "type")]
    kind: String,
    arn: Option<String>,
    access_key_id: Option<String>,
    user_name: Option<String>,
}

/// A resource that an event concerns.
#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "ARN")]
    pub(super) arn: Option<String>,
}

impl Facts {
    /// Reads a record; `None` if it was not written by this program.
    pub(super) fn read(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }

    /// Returns the name of the caller: of a user or session, or `root`; services and other accounts have none.
    pub(super) fn username(&self) -> Option<&str> {
        let Identity { kind, arn, user_name, .. } = &self.user_identity;
        match kind.as_str() {
            "Root" => Some("root"),
            "AssumedRole" | "FederatedUser" => arn.as_deref()?.rsplit('/').next(),
            _ => user_name.as_deref(),
        }
    }

    /// Returns the access key of the caller, unless it is empty.
    pub(super) fn access_key_id(&self) -> Option<&str> {
        self.user_identity.access_key_id.as_deref().filter(|key| !key.is_empty())
    }

    /// Returns `true` or `false` as event history writes it.
    pub(super) fn read_only(&self) -> Option<&'static str> {
        self.read_only.map(|read_only| if read_only { "true" } else { "false" })
    }

    /// Returns all attributes but the id with their values; a resource has its ARN and its name as values.
    pub(super) fn values(&self) -> BTreeSet<(Attribute, &str)> {
        let one = [
            (Attribute::EventName, Some(self.event_name.as_str())),
            (Attribute::EventSource, Some(self.event_source.as_str())),
            (Attribute::ReadOnly, self.read_only()),
            (Attribute::Username, self.username()),
            (Attribute::AccessKeyId, self.access_key_id()),
        ];
        let resources = self.resources.iter().flat_map(|Resource { kind, arn }| {
            let arn = arn.as_deref();
            [
                (Attribute::ResourceType, kind.as_deref()),
                (Attribute::ResourceName, arn),
                (Attribute::ResourceName, arn.and_then(|arn| arn.rsplit([':', '/']).next())),
            ]
        });
        let all = one.into_iter().chain(resources);
        all.filter_map(|(attribute, value)| Some((attribute, value.filter(|value| !value.is_empty())?))).collect()
    }
}

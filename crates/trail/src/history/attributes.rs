//! Attributes of events for lookups, read from their records.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr};

/// The type of repositories among resources.
const REPOSITORY: &str = "AWS::CodeCommit::Repository";

/// The value of [`Attribute::ErrorCode`] that every failed call has, beside its error code.
pub(super) const ANY_FAILURE: &str = "*";

/// The value of [`Attribute::HasData`] of Git requests that transferred data.
pub(super) const HAS_DATA: &str = "true";

/// An attribute of events that a search can filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
pub(super) enum Attribute {
    EventId,
    EventName,
    ReadOnly,
    Username,
    ResourceType,
    ResourceName,
    EventSource,
    AccessKeyId,
    /// The error code of a failed call; `LookupEvents` does not have this attribute.
    ErrorCode,
    /// Whether a Git request transferred data: a push or pull, and not the request for references before it. `LookupEvents` does not
    /// have this attribute.
    HasData,
}

impl Attribute {
    /// Finds an attribute of `LookupEvents` by its name.
    pub(super) fn of_lookup(name: &str) -> Option<Self> {
        name.parse().ok().filter(|attribute| !matches!(attribute, Self::ErrorCode | Self::HasData))
    }
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
    error_code: Option<String>,
    error_message: Option<String>,
    user_identity: Identity,
    #[serde(default)]
    pub(super) resources: Vec<Resource>,
    /// Whether this is a Git request that transferred data.
    #[serde(default, deserialize_with = "has_data", rename = "additionalEventData")]
    pub(super) has_data: bool,
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

    /// Returns whether the call failed; a failed sign-in has a message and no code.
    pub(super) const fn is_failed(&self) -> bool {
        self.error_code.is_some() || self.error_message.is_some()
    }

    /// Returns the name of the first repository that the event concerns.
    pub(super) fn repository(&self) -> Option<&str> {
        let mut repositories = self.resources.iter().filter(|resource| resource.kind.as_deref() == Some(REPOSITORY));
        repositories.next().and_then(Resource::name).filter(|name| !name.is_empty())
    }

    /// Returns all attributes but the id with their values; a resource has its ARN and its name as values.
    pub(super) fn values(&self) -> BTreeSet<(Attribute, &str)> {
        let one = [
            (Attribute::EventName, Some(self.event_name.as_str())),
            (Attribute::EventSource, Some(self.event_source.as_str())),
            (Attribute::ReadOnly, self.read_only()),
            (Attribute::Username, self.username()),
            (Attribute::AccessKeyId, self.access_key_id()),
            (Attribute::ErrorCode, self.error_code.as_deref()),
            (Attribute::ErrorCode, self.is_failed().then_some(ANY_FAILURE)),
            (Attribute::HasData, self.has_data.then_some(HAS_DATA)),
        ];
        let resources = self.resources.iter().flat_map(|resource| {
            [
                (Attribute::ResourceType, resource.kind.as_deref()),
                (Attribute::ResourceName, resource.arn.as_deref()),
                (Attribute::ResourceName, resource.name()),
            ]
        });
        let all = one.into_iter().chain(resources);
        all.filter_map(|(attribute, value)| Some((attribute, value.filter(|value| !value.is_empty())?))).collect()
    }
}

impl Resource {
    /// Returns the name: the last part of the ARN.
    fn name(&self) -> Option<&str> {
        self.arn.as_deref().and_then(|arn| arn.rsplit([':', '/']).next())
    }
}

/// Reads `additionalEventData`, which need not be an object in records of other programs; looks for `dataTransferred`.
fn has_data<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Value::deserialize(deserializer).map(|data| data["dataTransferred"] == true)
}

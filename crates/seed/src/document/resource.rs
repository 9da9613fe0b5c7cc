//! Approval rule templates and trails in `seed.toml`.

use std::collections::BTreeMap;

use aws::{AccountId, Region};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Date, names};

/// An approval rule template.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TemplateEntry {
    pub(crate) name: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountId>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The content as JSON, as in the API.
    pub(crate) content: String,
    /// Names of the repositories that it is associated with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) repositories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
}

/// A trail.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TrailEntry {
    pub(crate) name: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountId>,
    /// Its home region.
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Region>,
    pub(crate) bucket: String,
    /// The prefix of the keys in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// The name or ARN of the topic that is notified of log files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    #[serde(default)]
    pub(crate) multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) global_service_events: Option<bool>,
    #[serde(default)]
    pub(crate) validation: bool,
    /// Whether it logs; the default is that it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logging: Option<bool>,
    /// Event selectors, basic or advanced, as JSON, as in the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_selectors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advanced_event_selectors: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
}

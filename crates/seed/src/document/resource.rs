//! Approval rule templates and trails in `seed.toml`.

use std::collections::BTreeMap;

use aws::{AccountId, Region};
use serde::Deserialize;
use toml::Spanned;

use super::{Date, names};

/// An approval rule template.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TemplateEntry {
    pub(crate) name: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed")]
    pub(crate) account: Option<AccountId>,
    #[serde(default, deserialize_with = "names::parsed")]
    pub(crate) region: Option<Region>,
    pub(crate) description: Option<String>,
    /// The content as JSON, as in the API.
    pub(crate) content: String,
    /// Names of the repositories that it is associated with.
    #[serde(default)]
    pub(crate) repositories: Vec<String>,
    pub(crate) author: Option<String>,
    pub(crate) created: Option<Date>,
}

/// A trail.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TrailEntry {
    pub(crate) name: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed")]
    pub(crate) account: Option<AccountId>,
    /// Its home region.
    #[serde(default, deserialize_with = "names::parsed")]
    pub(crate) region: Option<Region>,
    pub(crate) bucket: String,
    /// The prefix of the keys in the bucket.
    pub(crate) prefix: Option<String>,
    /// The name or ARN of the topic that is notified of log files.
    pub(crate) topic: Option<String>,
    #[serde(default)]
    pub(crate) multi_region: bool,
    pub(crate) global_service_events: Option<bool>,
    #[serde(default)]
    pub(crate) validation: bool,
    /// Whether it logs; the default is that it does.
    pub(crate) logging: Option<bool>,
    /// Event selectors, basic or advanced, as JSON, as in the API.
    pub(crate) event_selectors: Option<String>,
    pub(crate) advanced_event_selectors: Option<String>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) author: Option<String>,
    pub(crate) created: Option<Date>,
}

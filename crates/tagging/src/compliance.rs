//! Tag policies: compliance of repositories with the simulated policy of the settings, and `ListRequiredTags`.

use std::sync::Arc;

use aws::{Call, Facts, TaggedResource};
use serde::{Deserialize, Serialize};

use crate::{Exception, Tagging};

/// Wire shape `ComplianceDetails` of a resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ComplianceDetails {
    noncompliant_keys: Vec<String>,
    keys_with_noncompliant_values: Vec<String>,
    compliance_status: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListRequiredTagsInput {
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListRequiredTagsOutput {
    required_tags: Vec<RequiredTag>,
}

/// Required tag. There are none, as the simulated policy has no required keys.
#[derive(Debug, Serialize)]
struct RequiredTag {}

pub(crate) fn list_required_tags(
    _: &Tagging,
    call: &Arc<Call>,
    input: ListRequiredTagsInput,
) -> Result<ListRequiredTagsOutput, Exception> {
    call.allow("*", &Facts::default())?;
    if input.next_token.is_some_and(|token| !token.is_empty()) {
        return Err(Exception::invalid("The token is not valid."));
    }
    if input.max_results.is_some_and(|count| !(1..=200).contains(&count)) {
        return Err(Exception::invalid("MaxResults must be between 1 and 200."));
    }
    Ok(ListRequiredTagsOutput { required_tags: Vec::new() })
}

impl Tagging {
    /// Returns the keys of a resource whose values the tag policy does not allow.
    pub(crate) fn compliance(&self, resource: &TaggedResource) -> ComplianceDetails {
        let keys = match resource.arn.service.as_str() {
            "codecommit" => self.codecommit.noncompliant_tags(&resource.tags),
            _ => Vec::new(),
        };
        ComplianceDetails {
            compliance_status: keys.is_empty(),
            noncompliant_keys: keys.clone(),
            keys_with_noncompliant_values: keys,
        }
    }
}

impl ComplianceDetails {
    pub(crate) const fn is_compliant(&self) -> bool {
        self.compliance_status
    }
}

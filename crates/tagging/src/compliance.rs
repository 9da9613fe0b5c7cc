//! Tag policies: whether a resource's tags comply with the one that the settings simulate for repositories.

use std::sync::Arc;

use aws::{Call, TaggedResource};
use serde::{Deserialize, Serialize};

use crate::{Exception, Tagging};

/// A resource's `ComplianceDetails`.
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

/// There are none, as no tag policy reports keys that are missing.
#[derive(Debug, Serialize)]
struct RequiredTag {}

pub(crate) fn list_required_tags(
    _: &Tagging,
    _: &Arc<Call>,
    input: ListRequiredTagsInput,
) -> Result<ListRequiredTagsOutput, Exception> {
    if input.next_token.is_some_and(|token| !token.is_empty()) {
        return Err(Exception::invalid("The token is not valid."));
    }
    if input.max_results.is_some_and(|count| !(1..=200).contains(&count)) {
        return Err(Exception::invalid("MaxResults must be between 1 and 200."));
    }
    Ok(ListRequiredTagsOutput { required_tags: Vec::new() })
}

impl Tagging {
    /// Tells which keys of a resource the tag policy refuses with the values that they have.
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

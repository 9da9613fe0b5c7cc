//! Filters of `GetResources`: by tags and types, or by ARNs.

use aws::{Arn, TaggedResource};
use serde::{Deserialize, Serialize};

use crate::Exception;

const TAG_FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 20;
const TYPES_MAX: usize = 100;
const TYPE_LENGTH_MAX: usize = 256;

/// Wire shape `TagFilter`: a key with the accepted values; an empty list accepts any value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagFilter {
    key: Option<String>,
    values: Option<Vec<String>>,
}

/// Condition for a resource to be listed.
pub(crate) enum Filter {
    /// The resource has one of these ARNs.
    Arns(Vec<Arn>),
    /// The resource matches all tag filters and, if there are types, has one of them.
    Kind { tags: Vec<TagFilter>, types: Vec<String> },
}

impl Filter {
    /// Checks filters by tags and types.
    pub(crate) fn kind(tags: Vec<TagFilter>, types: Vec<String>) -> Result<Self, Exception> {
        if tags.len() > TAG_FILTERS_MAX {
            return Err(Exception::invalid(format!("TagFilters can have {TAG_FILTERS_MAX} keys at most.")));
        }
        for filter in &tags {
            check_key(filter.key.as_deref().unwrap_or_default())?;
            if filter.values.as_ref().is_some_and(|values| values.len() > VALUES_MAX) {
                return Err(Exception::invalid(format!("A tag filter can have {VALUES_MAX} values at most.")));
            }
        }
        if types.len() > TYPES_MAX || types.iter().any(|kind| kind.chars().count() > TYPE_LENGTH_MAX) {
            let reason =
                format!("ResourceTypeFilters can have {TYPES_MAX} types of {TYPE_LENGTH_MAX} characters at most.");
            return Err(Exception::invalid(reason));
        }
        Ok(Self::Kind { tags, types })
    }

    /// Returns whether a resource matches.
    pub(crate) fn matches(&self, resource: &TaggedResource) -> bool {
        match self {
            Self::Arns(arns) => arns.contains(&resource.arn),
            Self::Kind { tags, types } => {
                let (service, kind) = resource_type(&resource.arn);
                let is_of = |filter: &String| match filter.split_once(':') {
                    None => filter == service,
                    Some(filter) => filter == (service, kind),
                };
                (types.is_empty() || types.iter().any(is_of)) && tags.iter().all(|filter| filter.matches(resource))
            }
        }
    }
}

impl TagFilter {
    fn matches(&self, resource: &TaggedResource) -> bool {
        let Some(value) = self.key.as_ref().and_then(|key| resource.tags.get(key)) else { return false };
        self.values.as_ref().is_none_or(|values| values.is_empty() || values.contains(value))
    }
}

/// Checks the length of a key.
pub(crate) fn check_key(key: &str) -> Result<(), Exception> {
    if (1..=128).contains(&key.chars().count()) {
        return Ok(());
    }
    Err(Exception::invalid("A tag key must have 1 to 128 characters."))
}

/// Returns the service and type of a resource, as filters name them; ARNs of repositories do not contain the type.
fn resource_type(arn: &Arn) -> (&str, &str) {
    let kind = match arn.service.as_str() {
        "codecommit" => "repository",
        _ => arn.resource.split(['/', ':']).next().unwrap_or_default(),
    };
    (&arn.service, kind)
}

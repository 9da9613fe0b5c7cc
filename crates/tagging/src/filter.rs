//! What `GetResources` asks for: resources with certain tags, of certain types, or by their ARNs.

use aws::{Arn, TaggedResource};
use serde::{Deserialize, Serialize};

use crate::Exception;

const TAG_FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 20;
const TYPES_MAX: usize = 100;
const TYPE_LENGTH_MAX: usize = 256;

/// A `TagFilter`: a key, and the values that it may have; without values any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagFilter {
    key: Option<String>,
    values: Option<Vec<String>>,
}

/// What a resource must be to be listed.
pub(crate) enum Filter {
    /// One of these.
    Arns(Vec<Arn>),
    /// One that meets all filters of tags, and is of one of the types if any is given.
    Kind { tags: Vec<TagFilter>, types: Vec<String> },
}

impl Filter {
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

    pub(crate) fn takes(&self, resource: &TaggedResource) -> bool {
        match self {
            Self::Arns(arns) => arns.contains(&resource.arn),
            Self::Kind { tags, types } => {
                let (service, kind) = resource_type(&resource.arn);
                let is_of = |wanted: &String| match wanted.split_once(':') {
                    None => wanted == service,
                    Some(wanted) => wanted == (service, kind),
                };
                (types.is_empty() || types.iter().any(is_of)) && tags.iter().all(|filter| filter.takes(resource))
            }
        }
    }
}

impl TagFilter {
    fn takes(&self, resource: &TaggedResource) -> bool {
        let Some(value) = self.key.as_ref().and_then(|key| resource.tags.get(key)) else { return false };
        self.values.as_ref().is_none_or(|values| values.is_empty() || values.contains(value))
    }
}

/// Checks the length of a tag's key.
pub(crate) fn check_key(key: &str) -> Result<(), Exception> {
    if (1..=128).contains(&key.chars().count()) {
        return Ok(());
    }
    Err(Exception::invalid("A tag key must have 1 to 128 characters."))
}

/// The service and type of a resource, as filters name them; the ARNs of repositories do not say their type.
fn resource_type(arn: &Arn) -> (&str, &str) {
    let kind = match arn.service.as_str() {
        "codecommit" => "repository",
        _ => arn.resource.split(['/', ':']).next().unwrap_or_default(),
    };
    (&arn.service, kind)
}

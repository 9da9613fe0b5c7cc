//! Facts about a request that its operation knows: values of context keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::permission::{REFERENCES, RESOURCE_TAG};

/// The value of a context key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactValue<'f> {
    /// The value of a single-valued key, such as `codecommit:References`.
    One(Cow<'f, str>),
    /// The values of a multi-valued key, such as `aws:TagKeys`.
    Many(Cow<'f, [String]>),
}

/// The values of context keys, by their names without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    values: BTreeMap<String, FactValue<'static>>,
}

impl Facts {
    /// Adds a single-valued key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.values.insert(key.to_lowercase(), FactValue::One(Cow::Owned(value.into())));
        self
    }

    /// Adds a multi-valued key.
    #[must_use]
    pub fn with_many(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.values.insert(key.to_lowercase(), FactValue::Many(Cow::Owned(values)));
        self
    }

    /// Adds the tags of a request: `aws:RequestTag/KEY` for each, and `aws:TagKeys`. Without tags nothing is added.
    #[must_use]
    pub fn with_request_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let tags: Vec<(&str, &str)> = tags.into_iter().collect();
        if tags.is_empty() {
            return self;
        }
        let facts = self.with_many("aws:TagKeys", tags.iter().map(|(key, _)| *key));
        tags.iter().fold(facts, |facts, (key, value)| facts.with(&format!("aws:RequestTag/{key}"), *value))
    }

    /// Adds the tags of the resource: `aws:ResourceTag/KEY` for each.
    #[must_use]
    pub fn with_resource_tags<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        tags.into_iter().fold(self, |facts, (key, value)| facts.with(&format!("{RESOURCE_TAG}{key}"), value))
    }

    /// Adds the reference that an operation changes, by its full name.
    #[must_use]
    pub fn with_reference(self, name: impl Into<String>) -> Self {
        self.with(REFERENCES, name)
    }

    /// Adds other facts; they replace those of the same keys.
    pub(crate) fn extend(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// Returns the value of a key in lower case.
    pub(crate) fn value(&self, key: &str) -> Option<FactValue<'_>> {
        self.values.get(key).map(|value| match value {
            FactValue::One(value) => FactValue::One(Cow::Borrowed(value)),
            FactValue::Many(values) => FactValue::Many(Cow::Borrowed(values)),
        })
    }
}

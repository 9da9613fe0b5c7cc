//! Facts about a request: the values of its context keys, and the keys that documents refer to.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// The values of the context keys of one request.
///
/// An implementation can compute values when they are needed; [`Keys::mentions`] tells in advance which are not.
pub trait Facts {
    /// Returns the values of a key, or `None` if the request does not have it. The key is in lower case (`str::to_lowercase`), such as
    /// `aws:resourcetag/team`.
    fn values(&self, key: &str) -> Option<Values<'_>>;
}

/// The values of a context key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values<'f> {
    /// The value of a single-valued key, such as `aws:username`. Only these can be the value of a variable.
    One(Cow<'f, str>),
    /// The values of a multi-valued key, such as `aws:TagKeys`.
    Many(Cow<'f, [String]>),
}

impl Values<'_> {
    /// Iterates over the values.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::One(value) => (Some(value.as_ref()), [].as_slice()),
            Self::Many(values) => (None, values.as_ref()),
        };
        one.into_iter().chain(many.iter().map(String::as_str))
    }

    fn as_borrowed(&self) -> Values<'_> {
        match self {
            Self::One(value) => Values::One(Cow::Borrowed(value)),
            Self::Many(values) => Values::Many(Cow::Borrowed(values)),
        }
    }
}

/// Facts in a map. Its default is a request without context keys.
#[derive(Debug, Clone, Default)]
pub struct Context {
    values: HashMap<String, Values<'static>>,
}

impl Context {
    /// Sets a single-valued key, in any case.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.values.insert(key.to_lowercase(), Values::One(Cow::Owned(value.into())));
        self
    }

    /// Sets a multi-valued key, in any case.
    pub fn set_many(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        let values = values.into_iter().map(Into::into).collect();
        self.values.insert(key.to_lowercase(), Values::Many(Cow::Owned(values)));
        self
    }
}

impl Facts for Context {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        self.values.get(key).map(Values::as_borrowed)
    }
}

/// The context keys that documents refer to in conditions and variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The keys as they are written first, by their names in lower case.
    written: BTreeMap<Box<str>, Box<str>>,
}

impl Keys {
    /// Iterates over the keys as the documents write them, each once, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.written.values().map(AsRef::as_ref)
    }

    /// Returns whether a key begins with a text, in any case: `aws:ResourceTag/` shows whether the tags of a resource are needed.
    pub fn mentions(&self, prefix: &str) -> bool {
        let prefix = prefix.to_lowercase();
        let mut from = self.written.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        from.next().is_some_and(|(key, _)| key.starts_with(&prefix))
    }

    /// Iterates over the keys, as written, that a request does not have.
    pub fn missing_in<'k>(&'k self, facts: &dyn Facts) -> impl Iterator<Item = &'k str> {
        let missing = self.written.iter().filter(|(key, _)| facts.values(key).is_none());
        missing.map(|(_, written)| written.as_ref())
    }

    /// Adds a key; returns it in lower case.
    pub(crate) fn add(&mut self, written: &str) -> Box<str> {
        let key: Box<str> = written.to_lowercase().into();
        self.written.entry(key.clone()).or_insert_with(|| written.into());
        key
    }

    pub(crate) fn extend(&mut self, other: &Keys) {
        for written in other.iter() {
            self.add(written);
        }
    }
}

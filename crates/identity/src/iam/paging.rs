//! Pages of lists.

use aws::query;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::IamError;
use crate::Exception;
use crate::sts::input;

const ITEMS: i64 = 100;
const ITEMS_MAX: i64 = 1_000;

/// The members of an input that select a page.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Paging {
    marker: String,
    #[serde(deserialize_with = "query::integer")]
    max_items: Option<i64>,
}

impl Paging {
    /// Refuses an invalid page.
    pub(crate) fn check(&self) -> Result<(), Exception> {
        input::number("maxItems", self.max_items, 1..=ITEMS_MAX)?;
        self.start().map(drop)
    }

    /// Returns a page of a list as a reply; `key` is the position of an item in the list, which ascends.
    pub(crate) fn page<T>(
        &self,
        name: &str,
        items: &[T],
        key: impl Fn(&T) -> String,
        write: impl Fn(&T) -> Value,
    ) -> Result<Value, Exception> {
        let (shown, marker) = self.cut(items, key)?;
        let list: Vec<Value> = shown.iter().map(write).collect();
        Ok(with_marker([(name.to_owned(), list.into())].into_iter().collect(), marker))
    }

    /// Returns the items of a page, and the marker of the next one.
    pub(crate) fn cut<'i, T>(
        &self,
        items: &'i [T],
        key: impl Fn(&T) -> String,
    ) -> Result<(&'i [T], Option<String>), Exception> {
        self.check()?;
        let after = self.start()?;
        let first = after.map_or(0, |after| items.partition_point(|item| key(item) <= after));
        let count = usize::try_from(self.max_items.unwrap_or(ITEMS)).unwrap_or(usize::MAX);
        let rest = items.get(first..).unwrap_or_default();
        let shown = rest.get(..count).unwrap_or(rest);
        let marker = shown.last().filter(|_| shown.len() < rest.len()).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        Ok((shown, marker))
    }

    /// Returns the position after which the page begins.
    fn start(&self) -> Result<Option<String>, Exception> {
        if self.marker.is_empty() {
            return Ok(None);
        }
        let decoded = URL_SAFE_NO_PAD.decode(&self.marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.map(Some).ok_or_else(|| IamError::validation("Invalid Marker."))
    }
}

/// Adds the members that tell whether there is a further page.
pub(crate) fn with_marker(mut output: Map<String, Value>, marker: Option<String>) -> Value {
    output.insert("IsTruncated".to_owned(), marker.is_some().into());
    output.insert("Marker".to_owned(), marker.into());
    Value::Object(output)
}

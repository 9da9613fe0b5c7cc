//! Values of a seed that are parsed from texts: accounts, regions and ids of commits.

use std::fmt::Display;
use std::str::FromStr;

use git::ObjectId;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Parses a text that an entry may have.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// Parses the id of a commit.
pub(super) fn commit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ObjectId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let invalid = |_| D::Error::custom(format!("'{text}' is no id of a commit; write its 40 hexadecimal digits"));
    ObjectId::from_hex(text.as_bytes()).map(Some).map_err(invalid)
}

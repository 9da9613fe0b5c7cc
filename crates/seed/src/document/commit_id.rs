//! Ids of commits in a seed: forty hexadecimal digits.

use git::ObjectId;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

#[expect(clippy::ref_option, reason = "serde passes a reference to the member")]
pub(super) fn serialize<S: Serializer>(id: &Option<ObjectId>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ObjectId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let invalid = |_| D::Error::custom(format!("'{text}' is no id of a commit; write its 40 hexadecimal digits"));
    ObjectId::from_hex(text.as_bytes()).map(Some).map_err(invalid)
}

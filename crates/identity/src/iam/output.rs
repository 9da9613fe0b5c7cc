//! The record form of outputs.

use aws::Timestamp;
use serde_json::Value;

/// The members of outputs that are secrets.
const SECRETS: [&str; 2] = ["SecretAccessKey", "ServicePassword"];

/// Returns the part of an output that records show: no secret, and times in the form of records.
pub(super) fn recorded(output: Value) -> Value {
    match output {
        Value::Object(members) => {
            let shown = members.into_iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
            shown
                .map(|(name, value)| match value {
                    Value::String(text) if name.ends_with("Date") => {
                        (name, Timestamp::from_iso(&text).map_or(text, Timestamp::medium).into())
                    }
                    value => (name, recorded(value)),
                })
                .collect()
        }
        Value::Array(list) => list.into_iter().map(recorded).collect(),
        scalar => scalar,
    }
}

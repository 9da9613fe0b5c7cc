//! Tags of trails, as CloudTrail's operations change them.

use aws::{Arn, Operation};
use serde_json::{Value, json};
use store::Transaction;
use trail::CloudTrail;

use super::Change;

/// The operation that makes a change, and its input.
pub(super) fn call(arn: &Arn, change: &Change) -> (&'static Operation<CloudTrail, Transaction>, Vec<u8>) {
    let (name, tags): (_, Vec<Value>) = match change {
        Change::Tag(tags) => {
            ("AddTags", tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
        }
        Change::Untag(keys) => ("RemoveTags", keys.iter().map(|key| json!({ "Key": key })).collect()),
    };
    let input = json!({ "ResourceId": arn.to_string(), "TagsList": tags });
    let operation = CloudTrail::operation(name).expect("CloudTrail has it");
    (operation, input.to_string().into_bytes())
}

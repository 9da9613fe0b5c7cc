//! Changes of the tags of trails, by operations of `CloudTrail`.

use aws::{Arn, Operation};
use serde_json::{Value, json};
use store::Transaction;
use trail::CloudTrail;

use super::TagChange;

/// Returns the operation for a change, and its input.
pub(super) fn call(arn: &Arn, change: &TagChange) -> (&'static Operation<CloudTrail, Transaction>, Vec<u8>) {
    let (name, tags): (_, Vec<Value>) = match change {
        TagChange::Tag(tags) => {
            ("AddTags", tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
        }
        TagChange::Untag(keys) => ("RemoveTags", keys.iter().map(|key| json!({ "Key": key })).collect()),
    };
    let input = json!({ "ResourceId": arn.to_string(), "TagsList": tags });
    let operation = CloudTrail::operation(name).expect("CloudTrail has both operations");
    (operation, input.to_string().into_bytes())
}

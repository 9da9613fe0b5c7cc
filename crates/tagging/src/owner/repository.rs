//! Changes of the tags of repositories, by operations of `CodeCommit`.

use aws::{Arn, Operation};
use codecommit::CodeCommit;
use serde_json::json;
use store::Transaction;

use super::TagChange;

/// Returns the operation for a change, and its input.
pub(super) fn call(arn: &Arn, change: &TagChange) -> (&'static Operation<CodeCommit, Transaction>, Vec<u8>) {
    let arn = arn.to_string();
    let (name, input) = match change {
        TagChange::Tag(tags) => ("TagResource", json!({ "resourceArn": arn, "tags": tags })),
        TagChange::Untag(keys) => ("UntagResource", json!({ "resourceArn": arn, "tagKeys": keys })),
    };
    let operation = CodeCommit::operation(name).expect("CodeCommit has both operations");
    (operation, input.to_string().into_bytes())
}

//! Tags of repositories, as CodeCommit's operations change them.

use aws::{Arn, Operation};
use codecommit::CodeCommit;
use serde_json::json;
use store::Transaction;

use super::Change;

/// The operation that makes a change, and its input.
pub(super) fn call(arn: &Arn, change: &Change) -> (&'static Operation<CodeCommit, Transaction>, Vec<u8>) {
    let arn = arn.to_string();
    let (name, input) = match change {
        Change::Tag(tags) => ("TagResource", json!({ "resourceArn": arn, "tags": tags })),
        Change::Untag(keys) => ("UntagResource", json!({ "resourceArn": arn, "tagKeys": keys })),
    };
    let operation = CodeCommit::operation(name).expect("CodeCommit has it");
    (operation, input.to_string().into_bytes())
}

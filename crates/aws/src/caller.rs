//! Who makes a call, as CloudTrail's `userIdentity` tells it.

use serde::Serialize;

use crate::AccountId;

/// The caller of an operation; it serializes as the record's `userIdentity`, members in CloudTrail's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The kind of identity, such as `IAMUser`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The unique id, such as `AIDACKCEVSQ6C2EXAMPLE`.
    pub principal_id: String,
    /// The ARN of the identity.
    pub arn: String,
    /// The account that the identity belongs to.
    pub account_id: AccountId,
    /// The access key that the call was made with; `None` where none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The name of the IAM user.
    pub user_name: String,
}

impl Caller {
    /// Makes the caller that an IAM user is.
    pub fn iam_user(
        account_id: AccountId,
        user_name: &str,
        principal_id: String,
        access_key_id: Option<String>,
    ) -> Self {
        Self {
            kind: "IAMUser",
            principal_id,
            arn: format!("arn:aws:iam::{account_id}:user/{user_name}"),
            account_id,
            access_key_id,
            user_name: user_name.to_owned(),
        }
    }
}

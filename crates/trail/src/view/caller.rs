//! Names of callers for display.

use aws::Caller;
use serde_json::Value;

use crate::record;

/// Returns the name of a caller: of a user, a session (`ROLE/SESSION`), a service or a person; `-` if the record has none.
///
/// `identity` is a record's `userIdentity`.
pub fn caller_name(identity: &Value) -> String {
    let text = |name: &str| identity[name].as_str().map(str::to_owned);
    let name = match identity["type"].as_str().unwrap_or_default() {
        // arn:aws:sts::111122223333:assumed-role/ROLE/SESSION
        "AssumedRole" | "FederatedUser" => identity["arn"]
            .as_str()
            .and_then(|arn| Some(arn.split_once('/')?.1.to_owned()))
            .or_else(|| text("principalId")),
        "Root" => Some(text("userName").map_or_else(|| "root".to_owned(), |alias| format!("root of {alias}"))),
        "AWSService" => text("invokedBy"),
        "AWSAccount" => text("accountId").map(|account| format!("account {account}")),
        "IdentityCenterUser" => identity["onBehalfOf"]["userId"].as_str().map(str::to_owned),
        _ => text("userName").or_else(|| text("principalId")),
    };
    name.unwrap_or_else(|| "-".to_owned())
}

/// Returns the name of the caller of a call; see [`caller_name`].
pub fn name_of(caller: &Caller) -> String {
    caller_name(&record::user_identity_of(caller))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::caller_name;

    #[test]
    fn every_kind_of_caller_has_a_name() {
        for (identity, name) in [
            (json!({ "type": "IAMUser", "userName": "Mary_Major" }), "Mary_Major"),
            (json!({ "userName": "Mary_Major" }), "Mary_Major"),
            (json!({ "type": "Root", "accountId": "111122223333" }), "root"),
            (json!({ "type": "Root", "userName": "example" }), "root of example"),
            (json!({ "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Dev/alice" }), "Dev/alice"),
            (json!({ "type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/Bob" }), "Bob"),
            (json!({ "type": "AWSService", "invokedBy": "codepipeline.amazonaws.com" }), "codepipeline.amazonaws.com"),
            (json!({ "type": "AWSAccount", "accountId": "444455556666" }), "account 444455556666"),
            (json!({ "type": "IdentityCenterUser", "onBehalfOf": { "userId": "1234-5678" } }), "1234-5678"),
            (json!({ "type": "WebIdentityUser", "userName": "subject" }), "subject"),
            (json!({ "type": "SAMLUser", "principalId": "id" }), "id"),
            (json!(null), "-"),
        ] {
            assert_eq!(caller_name(&identity), name, "{identity}");
        }
    }
}

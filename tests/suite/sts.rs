//! AWS STS over the wire: temporary credentials, whom they name, and how it refuses.

use serde_json::{Value, json};
use tests::sts::{Session, ask, element};
use tests::{Reply, World};

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/Pipeline";

fn assume(world: &World, key: Option<&str>, more: &str) -> Reply {
    ask(world, key, &format!("AssumeRole&RoleArn={ROLE}&RoleSessionName=build-1{more}"))
}

fn last(world: &World) -> Value {
    world.events().pop().expect("the call left one")
}

#[test]
fn a_session_of_a_role_names_itself_in_api_and_git_calls() {
    let world = World::new();
    world.call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let reply = assume(&world, Some("AKIAIOSFODNN7EXAMPLE"), "&DurationSeconds=900&SourceIdentity=Ana");
    let session = Session::of(&reply);
    let assumed = last(&world);
    assert_eq!(assumed["eventSource"], "sts.amazonaws.com");
    assert_eq!(assumed["readOnly"], true);
    assert_eq!(
        assumed["requestParameters"],
        json!({ "durationSeconds": 900, "roleArn": ROLE, "roleSessionName": "build-1", "sourceIdentity": "Ana" })
    );
    let role = json!([{ "ARN": ROLE, "accountId": "111122223333", "type": "AWS::IAM::Role" }]);
    assert_eq!(assumed["resources"], role);
    let answered = &assumed["responseElements"];
    assert_eq!(answered["credentials"]["accessKeyId"], session.key);
    assert_eq!(answered["assumedRoleUser"]["arn"], element(&reply, "Arn"));

    assert_eq!(session.call(&world, "ListRepositories", &json!({})).status, 200);
    let identity = last(&world)["userIdentity"].clone();
    let role_id = identity["sessionContext"]["sessionIssuer"]["principalId"].as_str().expect("it is told").to_owned();
    assert!(role_id.starts_with("AROA") && role_id.len() == 21);
    assert_eq!(
        identity,
        json!({
            "type": "AssumedRole", "principalId": format!("{role_id}:build-1"),
            "arn": "arn:aws:sts::111122223333:assumed-role/Pipeline/build-1", "accountId": "111122223333",
            "accessKeyId": session.key,
            "sessionContext": {
                "attributes": { "creationDate": assumed["eventTime"], "mfaAuthenticated": "false" },
                "sessionIssuer": {
                    "type": "Role", "principalId": role_id, "arn": ROLE, "accountId": "111122223333", "userName": "Pipeline",
                },
                "sourceIdentity": "Ana",
            },
        })
    );
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", refs, &[("authorization", &session.git())], b"").status, 200);
    assert_eq!(last(&world)["eventName"], "GitPull");
    assert_eq!(last(&world)["userIdentity"], identity);
}

#[test]
fn what_a_service_assumes_is_invoked_by_it() {
    let world = World::new();
    let session = Session::of(&assume(&world, Some("codepipeline.amazonaws.com"), ""));
    let assumed = last(&world);
    assert_eq!(assumed["userIdentity"], json!({ "type": "AWSService", "invokedBy": "codepipeline.amazonaws.com" }));
    session.call(&world, "ListRepositories", &json!({}));
    let listed = last(&world);
    assert_eq!(listed["userIdentity"]["type"], "AssumedRole");
    for record in [&assumed, &listed] {
        assert_eq!(record["sourceIPAddress"], "codepipeline.amazonaws.com");
        assert_eq!(record["userAgent"], "codepipeline.amazonaws.com");
    }
    assert_eq!(listed["userIdentity"]["invokedBy"], "codepipeline.amazonaws.com");
}

#[test]
fn credentials_that_are_wrong_or_too_old_name_nobody_and_leave_no_record() {
    let world = World::new();
    let session = Session::of(&assume(&world, None, "&DurationSeconds=900"));
    let before = world.events().len();
    let forged = Session { key: session.key.clone(), token: format!("{}x", session.token) };
    let refused = forged.call(&world, "ListRepositories", &json!({}));
    assert_eq!(
        refused.failure(),
        json!({
            "status": 400, "__type": "UnrecognizedClientException",
            "message": "The security token included in the request is invalid.",
        })
    );
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", refs, &[("authorization", &forged.git())], b"").status, 403);
    let refused = ask(&world, Some(&session.key), "GetCallerIdentity");
    assert_eq!((refused.status, element(&refused, "Code")), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(world.events().len(), before);
}

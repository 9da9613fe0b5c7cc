//! Enforced access: what the policies deny is said in AWS's words on each page, and nothing else is hidden.

use serde_json::{Value, json};
use server::settings::Access;
use tests::World;

use super::{Browser, escape};

const FILE: &str = r#"
    [[account]]
    id = "111122223333"

    [[account.user]]
    name = "Reader"
    policies = ["AWSCodeCommitReadOnly"]

    [[account.user]]
    name = "Nobody"
"#;

/// Pages of CodeCommit.
const CODECOMMIT: [&str; 14] = [
    "repositories",
    "repositories/MyDemoRepo/code",
    "repositories/MyDemoRepo/code?path=README.md",
    "repositories/MyDemoRepo/commits",
    "repositories/MyDemoRepo/branches",
    "repositories/MyDemoRepo/tags",
    "repositories/MyDemoRepo/compare?after=next&before=main",
    "repositories/MyDemoRepo/pull-requests",
    "repositories/MyDemoRepo/settings",
    "repositories/MyDemoRepo/triggers",
    "pull-requests",
    "templates",
    "templates/template?name=Two",
    "repositories/MyDemoRepo/pull-requests/1",
];

/// Pages of CloudTrail whose calls are recorded.
const CLOUDTRAIL: [&str; 4] = ["events", "events/64684c4f-0fd7-44b4-bd93-d2ae0779ab16", "pushes", "trails"];

/// Pages over events that AWS has no call for, so that a denial leaves no record.
const WITHOUT_CALLS: [&str; 3] = ["live", "people", "timeline"];

/// What a page with contents of the repository has.
const CONTENTS: [&str; 3] = ["The description", "The content", "First commit"];

/// Starts a server whose data were made in open access, and where policies decide since.
fn world() -> World {
    let mut world = World::with_identities(FILE);
    world
        .ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo", "repositoryDescription": "The description" }));
    let file = json!({
        "repositoryName": "MyDemoRepo",
        "branchName": "main",
        "filePath": "README.md",
        "fileContent": "VGhlIGNvbnRlbnQ=",
        "commitMessage": "First commit",
    });
    let commit = world.ok("PutFile", &file)["commitId"].clone();
    world.ok("CreateBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "next", "commitId": commit }));
    let change = json!({
        "repositoryName": "MyDemoRepo",
        "branchName": "next",
        "parentCommitId": commit,
        "filePath": "NEXT.md",
        "fileContent": "VGhlIGNvbnRlbnQ=",
    });
    world.ok("PutFile", &change);
    let target = json!({ "repositoryName": "MyDemoRepo", "sourceReference": "next", "destinationReference": "main" });
    world.ok("CreatePullRequest", &json!({ "title": "The content", "targets": [target] }));
    let template = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":2}]}"#;
    let template = json!({
        "approvalRuleTemplateName": "Two",
        "approvalRuleTemplateContent": template,
        "approvalRuleTemplateDescription": "The description",
    });
    world.ok("CreateApprovalRuleTemplate", &template);
    world.restart_with(|settings| settings.access = Access::Enforced);
    world
}

/// Creates a browser in which a user has signed in by a link.
fn signed_in<'w>(world: &'w World, user: &str) -> Browser<'w> {
    let reply = world.send("POST", &format!("/_local/sign-in-links?user={}", escape(user)), &[], b"");
    let link = reply.json()["path"].as_str().expect("the reply has a link").to_owned();
    let mut browser = Browser::new(world);
    assert_eq!(browser.get(&link).status, 200);
    browser
}

/// Checks that a page shows the sentence of its last call, which was denied and recorded so, and nothing of the data.
fn check_denied(world: &World, user: &str, request: &str, status: u16, page: &str) {
    let record = world.last_event();
    assert_eq!(record["errorCode"], "AccessDenied", "{request}: {record}");
    let message = record["errorMessage"].as_str().expect("a denial has a message");
    let service = record["eventSource"].as_str().and_then(|source| source.split('.').next()).expect("a service");
    let action = format!("{service}:{}", record["eventName"].as_str().expect("an event has a name"));
    let arn = format!("arn:aws:iam::111122223333:user/{user}");
    let sentence = format!("User: {arn} is not authorized to perform: {action} ");
    let reason = format!("because no identity-based policy allows the {action} action");
    assert!(message.starts_with(&sentence) && message.ends_with(&reason), "{request}: {message}");
    assert_eq!(status, 403, "{request}: {page}");
    assert!(page.contains(message), "{request} shows '{message}' in {page}");
    for content in CONTENTS {
        assert!(!page.contains(content), "{request}: {page}");
    }
}

#[test]
fn a_user_without_policies_sees_the_sentence_of_aws_on_each_page() {
    let world = world();
    let mut browser = signed_in(&world, "Nobody");
    for path in CODECOMMIT.into_iter().chain(CLOUDTRAIL) {
        let count = world.events().len();
        let page = browser.get(path);
        check_denied(&world, "Nobody", path, page.status, &page.text());
        let calls = world.events().split_off(count);
        assert!(calls.iter().all(|call: &Value| call["errorCode"] == "AccessDenied"), "{path}: {calls:?}");
    }
    let absent = browser.get("repositories/Absent/settings");
    check_denied(&world, "Nobody", "a repository that does not exist", absent.status, &absent.text());
}

#[test]
fn a_reader_sees_what_the_policy_of_aws_allows_and_no_more() {
    let world = world();
    let mut browser = signed_in(&world, "Reader");
    for path in CODECOMMIT {
        let count = world.events().len();
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let calls = world.events().split_off(count);
        assert!(calls.iter().all(|call: &Value| call["errorCode"].is_null()), "{path}: {calls:?}");
    }
    for path in CLOUDTRAIL {
        let page = browser.get(path);
        check_denied(&world, "Reader", path, page.status, &page.text());
    }
    assert!(browser.page("repositories").contains("The description"));
    let settings = "repositories/MyDemoRepo/settings";
    assert!(browser.page(settings).contains("Delete"), "forms are shown, and their calls are denied");
}

#[test]
fn pages_over_events_need_the_permission_of_event_history() {
    let world = world();
    for user in ["Nobody", "Reader"] {
        let mut browser = signed_in(&world, user);
        let count = world.events().len();
        for path in WITHOUT_CALLS {
            let page = browser.get(path);
            assert_eq!(page.status, 403, "{path}: {}", page.text());
            let sentence = format!("user/{user} is not authorized to perform: cloudtrail:LookupEvents");
            assert!(page.text().contains(&sentence), "{path}: {}", page.text());
        }
        assert_eq!(world.events().len(), count);
    }
}

#[test]
fn a_form_of_a_reader_is_denied_in_the_words_of_aws() {
    let world = world();
    let mut browser = signed_in(&world, "Reader");
    let forms: [(&str, &str, &[(&str, &str)]); 5] = [
        ("repositories", "repositories", &[("name", "Other")]),
        (
            "repositories/MyDemoRepo/settings",
            "repositories/MyDemoRepo/settings",
            &[("do", "delete"), ("name", "MyDemoRepo")],
        ),
        (
            "repositories/MyDemoRepo/settings",
            "repositories/MyDemoRepo/settings",
            &[("do", "default-branch"), ("branch", "next")],
        ),
        ("templates/template?name=Two", "templates/template?name=Two", &[("do", "delete")]),
        (
            "templates/template?name=Two",
            "templates/template?name=Two",
            &[("do", "associate"), ("repository", "MyDemoRepo")],
        ),
    ];
    for (page, action, fields) in forms {
        let count = world.events().len();
        let refused = browser.submit(page, action, fields);
        let denied: Vec<_> =
            world.events().split_off(count).into_iter().filter(|call| !call["errorCode"].is_null()).collect();
        let [denied] = denied.as_slice() else { panic!("{action} {fields:?}: {denied:?}") };
        let message = denied["errorMessage"].as_str().expect("a denial has a message");
        assert!(
            message
                .starts_with("User: arn:aws:iam::111122223333:user/Reader is not authorized to perform: codecommit:")
        );
        assert_eq!(refused.status, 403, "{action} {fields:?}: {}", refused.text());
        assert!(refused.text().contains(message), "{action} {fields:?}: {}", refused.text());
    }
    assert!(browser.page("repositories").contains("MyDemoRepo"), "nothing was deleted");
}

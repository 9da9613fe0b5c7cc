//! Switching to a role, and back.

use serde_json::json;
use server::settings::Access;
use tests::World;

use super::sign_in::{ana, world};
use super::{Browser, names_after};

fn role(name: &str) -> [(&str, &str); 3] {
    [("account", "111122223333"), ("roleName", name), ("displayName", "")]
}

#[test]
fn a_user_switches_to_a_role_and_back() {
    let world = world(Access::Enforced);
    let mut browser = ana(&world);
    let create = [("name", "MyDemoRepo")];
    assert_eq!(browser.submit("repositories", "repositories", &create).status, 403);
    let count = world.events().len();
    let switched = browser.submit("switch-role", "switch-role", &role("ci/Build"));
    assert_eq!((switched.status, switched.header("location")), (303, Some("/_console/repositories")));
    assert_eq!(names_after(&world, count), ["SwitchRole"]);
    let record = world.last_event();
    let identity = &record["userIdentity"];
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(identity["arn"], "arn:aws:sts::111122223333:assumed-role/Build/Ana");
    assert_eq!(record["responseElements"], json!({ "SwitchRole": "Success" }));
    let to = format!("{}/_console/repositories", world.endpoint());
    let data = json!({ "SwitchFrom": "arn:aws:iam::111122223333:user/class/Ana", "RedirectTo": to });
    assert_eq!(record["additionalEventData"], data);
    let page = browser.page("repositories");
    assert!(
        page.contains("You have switched to the role ci/Build.") && page.contains("ci/Build @ 111122223333"),
        "{page}"
    );
    assert_eq!(browser.submit("repositories", "repositories", &create).status, 303, "the role may create repositories");
    let identity = world.last_event()["userIdentity"].clone();
    assert_eq!(identity["arn"], "arn:aws:sts::111122223333:assumed-role/Build/Ana");
    assert_eq!(identity["sessionContext"]["sessionIssuer"]["arn"], "arn:aws:iam::111122223333:role/ci/Build");
    let count = world.events().len();
    assert_eq!(browser.submit("switch-role", "exit-role", &[]).status, 303);
    assert_eq!(names_after(&world, count), ["ExitRole"]);
    assert_eq!(world.last_event()["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/Build/Ana");
    assert_eq!(browser.submit("repositories", "repositories", &[("name", "Other")]).status, 403, "as before");
    assert_eq!(browser.submit("switch-role", "exit-role", &[]).status, 303, "there is no role to leave");
}

#[test]
fn a_denied_switch_shows_the_sentence_of_aws_and_is_recorded() {
    let world = world(Access::Enforced);
    let mut browser = ana(&world);
    for (name, status, sentence) in [
        (
            "Deploy",
            403,
            "User: arn:aws:iam::111122223333:user/class/Ana is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::111122223333:role/Deploy",
        ),
        (
            "Absent",
            403,
            "User: arn:aws:iam::111122223333:user/class/Ana is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::111122223333:role/Absent",
        ),
        ("a b", 400, "arn:aws:iam::111122223333:role/a b is invalid"),
    ] {
        let refused = browser.submit("switch-role", "switch-role", &role(name));
        assert_eq!(refused.status, status, "{name}");
        assert!(refused.text().contains(sentence), "{name}: {}", refused.text());
        let record = world.last_event();
        assert_eq!(record["responseElements"], json!({ "SwitchRole": "Failure" }), "{name}");
        assert_eq!(record["errorMessage"], sentence, "{name}");
        assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/class/Ana", "{name}");
    }
    let wrong = [("account", "12"), ("roleName", "<b>")];
    let refused = browser.submit("switch-role", "switch-role", &wrong);
    assert!(refused.status == 400 && refused.text().contains("12 digits"), "{}", refused.text());
    assert!(!refused.text().contains("<b>"), "{}", refused.text());
}

#[test]
fn a_role_ends_after_an_hour_and_the_page_of_before_sends_nothing_for_the_user() {
    let world = world(Access::Open);
    let mut browser = Browser::signed_in(&world);
    assert_eq!(browser.submit("switch-role", "switch-role", &role("Deploy")).status, 303);
    let page = browser.page("repositories");
    let token = super::between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    world.move_clock(3600);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let sent = browser.send("POST", "repositories", &headers, format!("csrf={token}&name=MyDemoRepo").as_bytes());
    assert_eq!(sent.status, 403, "the form is that of the role");
    browser.page("repositories");
    assert_eq!(world.last_event()["userIdentity"]["userName"], "Mary_Major");
}

#[test]
fn the_form_can_be_filled_by_a_link_and_open_access_lists_the_roles() {
    let world = world(Access::Open);
    let mut browser = Browser::signed_in(&world);
    let page = browser.page("switch-role?account=444455556666&roleName=%22%3E%3Cscript%3E&displayName=Test");
    assert!(page.contains("value=\"444455556666\"") && page.contains("value=\"Test\""), "{page}");
    assert!(!page.contains("\"><script>"), "{page}");
    assert!(page.contains("/_console/switch-role?account=111122223333&#38;roleName=ci%2FBuild"), "{page}");
    let root = [("arn", "arn:aws:iam::111122223333:root")];
    assert_eq!(browser.submit("sign-in", "sign-in", &root).status, 303);
    let refused = browser.submit("switch-role", "switch-role", &role("Deploy"));
    assert!(refused.text().contains("Roles may not be assumed by root accounts."), "{}", refused.text());
}

#[test]
fn any_role_of_an_account_without_roles_can_be_taken_in_open_access() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let fields = [("account", "444455556666"), ("roleName", "Any"), ("displayName", "Audit <1>")];
    assert_eq!(browser.submit("switch-role", "switch-role", &fields).status, 303);
    let record = world.last_event();
    assert_eq!(record["recipientAccountId"], "444455556666");
    assert!(browser.page("repositories").contains("as Audit &#60;1&#62;"));
    assert_eq!(world.last_event()["userIdentity"]["arn"], "arn:aws:sts::444455556666:assumed-role/Any/Mary_Major");
}

//! The triggers of a repository.

use serde_json::json;
use tests::World;

use super::Browser;

const TRIGGERS: &str = "repositories/MyDemoRepo/triggers";

#[test]
fn a_trigger_is_added_changed_tested_and_deleted() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page(TRIGGERS).contains("The repository has no triggers."));
    let topic = "arn:aws:sns:us-east-1:111122223333:MyCodeCommitTopic";
    let fields =
        [("do", "set"), ("name", "First"), ("destination", topic), ("event", "all"), ("branches", "main next")];
    assert_eq!(browser.submit(TRIGGERS, TRIGGERS, &fields).status, 303);
    let stored = world.ok("GetRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo" }))["triggers"].clone();
    assert_eq!(
        stored,
        json!([{ "name": "First", "destinationArn": topic, "branches": ["main", "next"], "events": ["all"] }])
    );
    let page = browser.page(&format!("{TRIGGERS}?edit=First"));
    assert!(page.contains("Change First") && page.contains("value=\"all\" checked"), "{page}");
    let fields = [
        ("do", "set"),
        ("replaced", "First"),
        ("name", "Second"),
        ("destination", topic),
        ("event", "createReference"),
        ("event", "deleteReference"),
    ];
    assert_eq!(browser.submit(TRIGGERS, TRIGGERS, &fields).status, 303);
    let page = browser.page(TRIGGERS);
    assert!(page.contains("Second") && !page.contains("First"), "{page}");
    let tested = browser.submit(TRIGGERS, TRIGGERS, &[("do", "test"), ("replaced", "Second")]);
    assert_eq!(tested.status, 200);
    assert!(tested.text().contains("The test message of Second was"), "{}", tested.text());
    assert_eq!(browser.submit(TRIGGERS, TRIGGERS, &[("do", "delete"), ("replaced", "Second")]).status, 303);
    assert!(browser.page(TRIGGERS).contains("The repository has no triggers."));
}

#[test]
fn a_refused_trigger_keeps_what_was_typed() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    let fields = [("do", "set"), ("name", "<b>"), ("destination", "nowhere"), ("data", "kept"), ("event", "all")];
    let refused = browser.submit(TRIGGERS, TRIGGERS, &fields);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("InvalidRepositoryTrigger") && text.contains("value=\"kept\""), "{text}");
    assert!(!text.contains("<b>"), "{text}");
}

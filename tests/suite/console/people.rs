//! People, pushes and the timeline.

use serde_json::{Value, json};
use tests::World;

use super::Browser;

/// A server with a repository that has been pushed to twice.
fn world() -> (World, [String; 2]) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    let first = world.git_repository("work");
    world.git("work", &["remote", "add", "origin", &world.repository_url("demo")]).ok();
    world.git("work", &["push", "origin", "HEAD:refs/heads/main"]).ok();
    let second = world.git_commit("work", "file", "more");
    world.git("work", &["push", "origin", "HEAD:refs/heads/main"]).ok();
    (world, [first, second])
}

#[test]
fn pushes_show_the_commits_before_and_after() {
    let (world, [first, second]) = world();
    let mut browser = Browser::signed_in(&world);
    let pushes: Value = serde_json::from_str(&browser.page("pushes?format=json")).expect("the page is JSON");
    let found: Vec<_> = pushes
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|push| (push["from"].clone(), push["to"].clone()))
        .collect();
    assert_eq!(found, [(json!(first), json!(second)), (Value::Null, json!(first))]);
    let page = browser.page("pushes?ResourceName=demo");
    assert!(page.contains(&first[..8]) && page.contains("/_console/repositories/demo/code"), "{page}");
    assert!(browser.page("pushes?ResourceName=other").contains("There are no pushes."));
    let csv = browser.page("pushes?format=csv");
    assert_eq!(csv.lines().count(), 3, "{csv}");
}

#[test]
fn a_push_that_rewrites_history_is_marked() {
    let (world, [_, second]) = world();
    world.git("work", &["commit", "--amend", "--message", "Another message"]).ok();
    world.git("work", &["push", "--force", "origin", "HEAD:refs/heads/main"]).ok();
    world.git("work", &["push", "origin", "HEAD:refs/heads/next"]).ok();
    let mut browser = Browser::signed_in(&world);
    let pushes: Value = serde_json::from_str(&browser.page("pushes?format=json")).expect("the page is JSON");
    let found = |reference: &str, forced: bool| {
        let is_found = |push: &&Value| push["reference"] == reference && push["forced"] == forced;
        pushes.as_array().into_iter().flatten().filter(is_found).map(|push| push["from"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("refs/heads/main", true), [json!(second)]);
    assert_eq!(found("refs/heads/next", false), [Value::Null]);
    assert!(browser.page("pushes").contains("<span class=\"badge warning\">forced</span>"));
}

#[test]
fn people_are_counted_without_records() {
    let (world, _) = world();
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let people: Value = serde_json::from_str(&browser.page("people?format=json")).expect("the page is JSON");
    let pusher = people
        .as_array()
        .expect("it is a list")
        .iter()
        .find(|person| person["pushes"] == 2)
        .expect("someone pushed twice");
    assert_eq!(pusher["repositories"], 1);
    let page = browser.page("people");
    assert!(page.contains("/_console/pushes?Username="), "{page}");
    assert_eq!(world.events().len(), recorded);
    let csv = browser.page("people?format=csv");
    assert!(csv.starts_with("user,first,last,events,writes,pushes,pulls,failures,repositories\r\n"), "{csv}");
}

#[test]
fn the_timeline_leads_to_the_events_of_a_range() {
    let (world, _) = world();
    let mut browser = Browser::signed_in(&world);
    let page = browser.page("timeline?by=name&access=writes");
    assert!(
        page.contains("<svg class=\"plot\"") && page.contains("data-href=\"/_console/events?access=writes\""),
        "{page}"
    );
    assert!(page.contains("GitPush <span class=\"count\">2</span>"), "{page}");
    assert!(page.contains("<table class=\"heat\""), "{page}");
    let csv = browser.page("timeline?by=outcome&format=csv");
    assert!(csv.starts_with("time,outcome,events\r\n") && csv.contains(",succeeded,"), "{csv}");
    assert!(browser.page("timeline?Username=Nobody").contains("There are no events in this range."));
    assert_eq!(browser.get("timeline?start=x").status, 400);
}

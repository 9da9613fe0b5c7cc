//! The settings of a repository.

use serde_json::json;
use tests::World;

use super::{Browser, names_after};

const SETTINGS: &str = "repositories/MyDemoRepo/settings";

#[test]
fn each_setting_is_changed_by_its_form() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let file = json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "a", "fileContent": "YQ==" });
    let commit = world.ok("PutFile", &file)["commitId"].clone();
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "next", "commitId": commit });
    world.ok("CreateBranch", &branch);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(SETTINGS);
    assert_eq!(names_after(&world, recorded), ["GetRepository", "ListBranches", "ListTagsForResource"]);
    let arn = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
    assert!(page.contains(arn) && page.contains("<option selected>main</option>"), "{page}");
    for (fields, expected) in [
        (vec![("do", "description"), ("description", "New <text>")], "New &#60;text&#62;</textarea>"),
        (vec![("do", "default-branch"), ("branch", "next")], "<option selected>next</option>"),
        (vec![("do", "tag"), ("arn", arn), ("tag", "Team"), ("value", "A+B")], "<td>A+B</td>"),
        (vec![("do", "untag"), ("arn", arn), ("tag", "Team")], "The repository has no tags."),
    ] {
        let changed = browser.submit(SETTINGS, SETTINGS, &fields);
        assert_eq!(changed.status, 303, "{fields:?}: {}", changed.text());
        let page = browser.page(SETTINGS);
        assert!(page.contains(expected), "{fields:?}: {page}");
    }
    let renamed = browser.submit(SETTINGS, SETTINGS, &[("do", "name"), ("name", "Renamed")]);
    assert_eq!(renamed.header("location"), Some("/_console/repositories/Renamed/settings"));
    assert_eq!(browser.get(SETTINGS).status, 404);
}

#[test]
fn a_repository_is_deleted_by_its_typed_name_only() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    let refused = browser.submit(SETTINGS, SETTINGS, &[("do", "delete"), ("name", "mydemorepo")]);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("Nothing was deleted"), "{}", refused.text());
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let deleted = browser.submit(SETTINGS, SETTINGS, &[("do", "delete"), ("name", "MyDemoRepo")]);
    assert_eq!(deleted.header("location"), Some("/_console/repositories"));
    assert!(browser.page("repositories").contains("The repository was deleted."));
}

#[test]
fn a_setting_that_is_refused_is_shown_with_the_exception() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    let refused = browser.submit(SETTINGS, SETTINGS, &[("do", "name"), ("name", "a b")]);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("InvalidRepositoryNameException"), "{}", refused.text());
}

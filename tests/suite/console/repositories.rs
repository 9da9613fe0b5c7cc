//! The list of repositories.

use serde_json::json;
use tests::World;

use super::{Browser, names_after};

#[test]
fn a_repository_is_created_listed_and_searched_for() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page("repositories").contains("0 repositories"));
    let fields = [("name", "MyDemoRepo"), ("description", "A <demonstration>.")];
    let created = browser.submit("repositories", "repositories", &fields);
    assert_eq!((created.status, created.header("location")), (303, Some("/_console/repositories/MyDemoRepo/code")));
    world.ok("CreateRepository", &json!({ "repositoryName": "Other" }));
    let recorded = world.events().len();
    let page = browser.page("repositories");
    assert!(page.contains("2 repositories") && page.contains("A &#60;demonstration&#62;."), "{page}");
    assert!(page.contains("The repository MyDemoRepo was created."), "{page}");
    let names = names_after(&world, recorded);
    assert_eq!(names, ["ListRepositories", "BatchGetRepositories", "ListPullRequests", "ListPullRequests"]);
    let page = browser.page("repositories?q=demo");
    assert!(page.contains("1 repository<") && !page.contains(">Other<") && !page.contains("was created"), "{page}");
}

#[test]
fn a_failure_is_shown_in_the_words_of_aws() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let refused = browser.submit("repositories", "repositories", &[("name", "MyDemoRepo")]);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("RepositoryNameExistsException"), "{}", refused.text());
}

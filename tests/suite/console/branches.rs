//! Branches and tags.

use serde_json::json;
use tests::World;

use super::{Browser, between, names_after};
use crate::pull_request::{feature, push};

const BRANCHES: &str = "repositories/MyDemoRepo/branches";
const TAGS: &str = "repositories/MyDemoRepo/tags";

/// Returns the row of a branch or tag.
fn row<'t>(page: &'t str, name: &str) -> &'t str {
    between(page, &format!("<bdi>{name}</bdi></a>"), "</tr>")
}

#[test]
fn branches_show_their_last_commit_and_how_far_they_are_ahead() {
    let (world, main, feature) = feature();
    world.git("work", &["checkout", "--quiet", "-B", "other", &main]).ok();
    let other = world.git_commit("work", "other.txt", "Another.\n");
    push(&world, &["HEAD:main"]);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(BRANCHES);
    assert_eq!(
        names_after(&world, recorded),
        ["GetRepository", "GetReferences", "BatchGetCommits", "GetCommitsFromMergeBase"]
    );
    let of_feature = row(&page, "feature");
    assert!(of_feature.contains("1 behind, 1 ahead"), "{of_feature}");
    assert!(of_feature.contains(&feature) && of_feature.contains("feature.txt"), "{of_feature}");
    assert!(of_feature.contains("<bdi>A U Thor</bdi>") || of_feature.contains("<time datetime="), "{of_feature}");
    assert!(of_feature.contains("<rect class=\"behind\" x=\"0\" y=\"1\" width=\"48\""), "{of_feature}");
    let of_main = row(&page, "main");
    assert!(of_main.contains("default</span>") && of_main.contains(&other) && !of_main.contains("Delete"), "{of_main}");
    for page in [page, browser.page(TAGS)] {
        assert!(page.contains("/_console/events?ResourceName=MyDemoRepo"), "{page}");
    }
}

#[test]
fn branches_are_created_made_the_default_and_deleted() {
    let (world, _, feature) = feature();
    push(&world, &["main:refs/tags/v1"]);
    let mut browser = Browser::signed_in(&world);
    for (name, from) in [("a", "feature"), ("b", "v1"), ("c", feature.as_str())] {
        let created = browser.submit(BRANCHES, BRANCHES, &[("name", name), ("from", from)]);
        assert_eq!(created.header("location"), Some("/_console/repositories/MyDemoRepo/branches"), "{name}");
        assert!(browser.page(BRANCHES).contains(&format!("The branch {name} was created.")), "{name}");
    }
    let made = browser.submit(BRANCHES, "repositories/MyDemoRepo/branches/default", &[("branch", "a")]);
    assert_eq!(made.status, 303);
    assert!(row(&browser.page(BRANCHES), "a").contains("default</span>"));

    let confirm = "repositories/MyDemoRepo/branches/delete?branch=feature";
    let action = "repositories/MyDemoRepo/branches/delete";
    let page = browser.page(confirm);
    assert!(page.contains(&feature) && page.contains("0 ahead, 0 behind"), "{page}");
    let mistyped = browser.submit(confirm, action, &[("branch", "feature"), ("typed", "featur")]);
    assert_eq!(mistyped.status, 400);
    assert!(mistyped.text().contains("is not the name of the branch"), "{}", mistyped.text());
    let recorded = world.events().len();
    let deleted = browser.submit(confirm, action, &[("branch", "feature"), ("typed", "feature")]);
    assert_eq!(deleted.status, 303);
    assert_eq!(names_after(&world, recorded).last().map(String::as_str), Some("DeleteBranch"));
    assert!(!browser.page(BRANCHES).contains("<bdi>feature</bdi></a>"));
    let names = world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" }))["branches"].clone();
    assert_eq!(names, json!(["a", "b", "c", "main"]));
}

#[test]
fn a_form_that_failed_keeps_what_was_typed() {
    let (world, ..) = feature();
    let mut browser = Browser::signed_in(&world);
    let refused = browser.submit(BRANCHES, BRANCHES, &[("name", "feature"), ("from", "main")]);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("BranchNameExistsException"), "{text}");
    assert!(text.contains("name=\"name\" required maxlength=\"256\" autocomplete=\"off\" value=\"feature\""), "{text}");
    let missing = browser.submit(BRANCHES, BRANCHES, &[("name", "x"), ("from", "\"><script>")]);
    assert!(missing.text().contains("value=\"&#34;&#62;&#60;script&#62;\""), "{}", missing.text());
    let action = "repositories/MyDemoRepo/branches/delete";
    let default = browser.submit(BRANCHES, action, &[("branch", "main"), ("typed", "main")]);
    assert_eq!(default.status, 400);
    assert!(default.text().contains("DefaultBranchCannotBeDeletedException"), "{}", default.text());
    assert_eq!(browser.get("repositories/absent/branches").status, 404);
}

#[test]
fn many_branches_are_paged_and_only_those_of_the_page_are_compared() {
    let (world, main, _) = feature();
    let names: Vec<String> = (0..60).map(|number| format!("HEAD:refs/heads/topic/{number:03}")).collect();
    push(&world, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let first = browser.page(BRANCHES);
    let compared = |recorded: usize| {
        names_after(&world, recorded).iter().filter(|name| *name == "GetCommitsFromMergeBase").count()
    };
    assert_eq!(compared(recorded), 24, "25 branches of which one is the default");
    let (mut page, mut rows, mut pages) = (first, 0, 0);
    loop {
        rows += page.matches("<th scope=\"row\">").count();
        pages += 1;
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        let next = before.rsplit_once("href=\"").expect("a link has an address").1.replace("&#38;", "&");
        page = browser.page(&next);
    }
    assert_eq!((rows, pages), (62, 3));
    let found = browser.page("repositories/MyDemoRepo/branches?q=PIC/05");
    assert_eq!(found.matches("<th scope=\"row\">").count(), 10);
    let many = browser.page("repositories/MyDemoRepo/branches?q=topic");
    let next = many.split_once("\" rel=\"next\"").expect("there are more").0.rsplit_once("href=\"").expect("a link").1;
    assert!(browser.page(&next.replace("&#38;", "&")).contains("topic/025"), "{next}");
    assert!(browser.page("repositories/MyDemoRepo/branches?q=nothing").contains("No branch has a name"));
    assert!(!main.is_empty());
}

#[test]
fn tags_are_annotated_or_lightweight() {
    let (world, main, feature) = feature();
    world.git("work", &["tag", "light", &main]).ok();
    world.git("work", &["tag", "--annotate", "--message", "A release", "v1", &feature]).ok();
    let blob = world.git("work", &["rev-parse", "HEAD:README.md"]).ok();
    world.git("work", &["tag", "blob", &blob]).ok();
    push(&world, &["--tags"]);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(TAGS);
    assert_eq!(names_after(&world, recorded), ["GetReferences", "BatchGetCommits"]);
    assert!(row(&page, "light").contains("lightweight") && row(&page, "light").contains(&main), "{page}");
    let annotated = row(&page, "v1");
    assert!(annotated.contains("annotated") && annotated.contains(&feature), "{annotated}");
    assert!(page.contains("is no commit"), "{page}");
}

#[test]
fn hostile_names_are_text() {
    let (world, ..) = feature();
    let name = format!("<script>alert(1)</script>\"'&{}x", '\u{202e}');
    push(&world, &[&format!("HEAD:refs/heads/{name}"), &format!("HEAD:refs/tags/{name}")]);
    let mut browser = Browser::signed_in(&world);
    for path in [BRANCHES.to_owned(), TAGS.to_owned(), format!("{BRANCHES}/delete?branch={}", super::escape(&name))] {
        let page = browser.page(&path);
        assert!(!page.contains("<script>alert") && page.contains("<bdi>&#60;script&#62;alert(1)"), "{path}: {page}");
    }
    let action = "repositories/MyDemoRepo/branches/delete";
    let confirm = format!("{BRANCHES}/delete?branch={}", super::escape(&name));
    let deleted = browser.submit(&confirm, action, &[("branch", &name), ("typed", &name)]);
    assert_eq!(deleted.status, 303, "{}", deleted.text());
    let page = browser.page(BRANCHES);
    assert!(page.contains("The branch &#60;script&#62;") && !page.contains("<script>alert"), "{page}");
}

#[test]
fn an_empty_repository_has_neither() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page(BRANCHES).contains("The repository has no branches."));
    assert!(browser.page(TAGS).contains("The repository has no tags."));
}

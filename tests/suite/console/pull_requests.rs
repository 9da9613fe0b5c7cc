//! Pull requests: lists, and the life of one by forms.

mod approvals;
mod changes;
mod conflicts;

use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

use super::{Browser, between, escape, names_after};
use crate::pull_request::{create, feature, get, push};

const LIST: &str = "repositories/MyDemoRepo/pull-requests";
const NEW: &str = "repositories/MyDemoRepo/pull-requests/new";

/// Returns the path of a page of the first pull request.
fn page_of(page: &str) -> String {
    format!("{LIST}/1/{page}").trim_end_matches('/').to_owned()
}

/// Sends a form of a page of the first pull request to another; fails the test if the form fails.
fn submitted(browser: &mut Browser<'_>, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
    let reply = browser.submit(&page_of(page), &page_of(action), fields);
    assert_eq!(reply.status, 303, "{action} {fields:?}: {}", reply.text());
    let location = reply.header("location").expect("the reply leads somewhere").to_owned();
    browser.page(&location)
}

/// Creates a pull request as another user, which the user of the browser can approve.
fn create_as(world: &World, user: &str, source: &str) {
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": source }]);
    let input = json!({ "title": "A feature", "description": "Of another.", "targets": targets });
    let headers = [("authorization", signed(user, "us-east-1"))];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = world.call_as("CreatePullRequest", &input, &headers);
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn the_life_of_a_pull_request_by_forms() {
    let (world, main, feature) = feature();
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page(LIST).contains("No pull requests"));
    let form = browser.page(&format!("{NEW}?source=feature"));
    assert!(form.contains("value=\"feature\"") && form.contains("<option value=\"main\">"), "{form}");
    let fields = [("title", "A feature"), ("description", "One.\r\nTwo."), ("source", "feature"), ("destination", "")];
    let recorded = world.events().len();
    let created = browser.submit(NEW, NEW, &fields);
    assert_eq!(created.header("location"), Some("/_console/repositories/MyDemoRepo/pull-requests/1"));
    assert_eq!(names_after(&world, recorded), ["GetReferences", "CreatePullRequest"]);
    let recorded = world.events().len();
    let details = browser.page(&page_of(""));
    assert_eq!(names_after(&world, recorded), ["GetPullRequest", "GetMergeOptions"]);
    assert!(details.contains("Pull request 1 was created.") && details.contains("One.\nTwo."), "{details}");
    assert!(details.contains("fast-forward, squash, three-way") && details.contains(&feature), "{details}");
    assert!(details.contains("badge open") && details.contains(&main), "{details}");

    let edited = submitted(&mut browser, "edit", "edit", &[("title", "A better <feature>"), ("description", "Three.")]);
    assert!(edited.contains("1: <bdi>A better &#60;feature&#62;</bdi>") && edited.contains("Three."), "{edited}");
    let recorded = world.events().len();
    submitted(&mut browser, "edit", "edit", &[("title", "A better <feature>"), ("description", "Four.")]);
    let names = names_after(&world, recorded);
    assert!(names.contains(&"UpdatePullRequestDescription".to_owned()), "{names:?}");
    assert!(!names.contains(&"UpdatePullRequestTitle".to_owned()), "only what differs is changed: {names:?}");

    let recorded = world.events().len();
    let commits = browser.page(&page_of("commits"));
    assert_eq!(names_after(&world, recorded), ["GetPullRequest", "GetCommitsFromMergeBase"]);
    assert!(commits.contains("1 commit that") && commits.contains(&feature) && commits.contains("feature.txt"));

    let merge = browser.page(&page_of("merge?strategy=squash"));
    assert!(merge.contains("Squash and merge") && !merge.contains("Conflicts"), "{merge}");
    let tips = [("source-commit", feature.as_str()), ("destination-commit", main.as_str())];
    let fields = [
        &tips[..],
        &[
            ("strategy", "squash"),
            ("author", "Li Juan"),
            ("email", "li_juan@example.com"),
            ("message", "Add\r\na feature"),
            ("delete", "on"),
        ],
    ];
    let merged = submitted(&mut browser, "merge?strategy=squash", "merge", &fields.concat());
    assert!(merged.contains("Pull request 1 was merged. The branch feature was deleted."), "{merged}");
    let shown = get(&world, &"1".into())["pullRequestTargets"][0]["mergeMetadata"].clone();
    let commit_id = shown["mergeCommitId"].as_str().expect("there is a merge commit");
    assert!(merged.contains("Merged by a squash merge") && merged.contains(commit_id), "{merged}");
    assert!(merged.contains("Mary_Major") && !merged.contains(&page_of("merge")), "{merged}");
    let commit = world.ok("GetCommit", &json!({ "repositoryName": "MyDemoRepo", "commitId": commit_id }));
    let commit = &commit["commit"];
    assert_eq!(
        [&commit["message"], &commit["author"]["name"], &commit["author"]["email"]],
        ["Add\na feature", "Li Juan", "li_juan@example.com"]
    );
    assert_eq!(commit["parents"], json!([main]));
    let list = browser.page(&format!("{LIST}?filter=closed"));
    assert!(list.contains("badge merged") && browser.page(LIST).contains("No pull requests"), "{list}");
    assert_eq!(browser.get(&page_of("merge")).status, 303, "a merged one has no form for a merge");
}

#[test]
fn a_fast_forward_and_a_three_way_merge() {
    let (world, main, feature) = feature();
    create(&world, "feature");
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page(&page_of("merge")).contains("Fast-forward merge</a>"));
    let tips = [("source-commit", feature.as_str()), ("destination-commit", main.as_str())];
    let merged = submitted(&mut browser, "merge", "merge", &[&tips[..], &[("strategy", "fast-forward")]].concat());
    assert!(merged.contains("Merged by a fast-forward merge") && merged.contains(&feature), "{merged}");
    let tip = |branch: &str| {
        let input = json!({ "repositoryName": "MyDemoRepo", "branchName": branch });
        world.ok("GetBranch", &input)["branch"]["commitId"].as_str().expect("the branch exists").to_owned()
    };
    assert_eq!((tip("main"), tip("feature")), (feature.clone(), feature));

    let second = world.git_commit("work", "second.txt", "Second.\n");
    push(&world, &["feature"]);
    world.git("work", &["checkout", "--quiet", "-B", "main", "HEAD~1"]).ok();
    let other = world.git_commit("work", "other.txt", "Other.\n");
    push(&world, &["main"]);
    create(&world, "feature");
    let path = format!("{LIST}/2/merge");
    let form = browser.page(&format!("{path}?strategy=fast-forward"));
    assert!(form.contains("A fast-forward is not possible"), "{form}");
    let fields = [("strategy", "three-way"), ("source-commit", &second), ("destination-commit", &other)];
    assert_eq!(browser.submit(&path, &path, &fields).status, 303);
    let commit = world.ok("GetCommit", &json!({ "repositoryName": "MyDemoRepo", "commitId": tip("main") }));
    assert_eq!(commit["commit"]["parents"], json!([other, second]));
}

#[test]
fn a_source_that_has_moved_is_not_merged() {
    let (world, main, feature) = feature();
    create(&world, "feature");
    let mut browser = Browser::signed_in(&world);
    world.git_commit("work", "late.txt", "Late.\n");
    push(&world, &["feature"]);
    let fields = [
        ("strategy", "squash"),
        ("source-commit", &feature),
        ("destination-commit", &main),
        ("message", "Typed <text>"),
    ];
    let refused = browser.submit(&page_of("merge"), &page_of("merge"), &fields);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("TipOfSourceReferenceIsDifferentException"), "{text}");
    assert!(text.contains("Typed &#60;text&#62;</textarea>"), "what was typed stays: {text}");
}

#[test]
fn a_pull_request_is_closed_without_a_merge() {
    let (world, _, feature) = feature();
    create(&world, "feature");
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let closed = submitted(&mut browser, "", "close", &[]);
    assert!(closed.contains("Closed without a merge") && closed.contains(">Mary_Major<"), "{closed}");
    assert!(closed.contains("badge closed") && closed.contains(&feature), "{closed}");
    let names = names_after(&world, recorded);
    assert_eq!(
        names[names.len() - 3..],
        ["UpdatePullRequestStatus", "GetPullRequest", "DescribePullRequestEvents"],
        "the page runs nothing for what it does not show"
    );
    let fields = [("title", "Later"), ("description", "")];
    let refused = browser.submit(&page_of("edit"), &page_of("edit"), &fields);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("PullRequestAlreadyClosedException"), "{}", refused.text());
}

#[test]
fn lists_have_the_filters_of_aws_and_pages() {
    let (world, ..) = feature();
    for number in 0..30 {
        push(&world, &[&format!("HEAD:refs/heads/topic-{number}")]);
        create(&world, &format!("topic-{number}"));
    }
    create_as(&world, "Li_Juan", "feature");
    let closed = json!({ "pullRequestId": "1", "pullRequestStatus": "CLOSED" });
    world.ok("UpdatePullRequestStatus", &closed);
    let mut browser = Browser::signed_in(&world);
    let rows = |page: &str| page.matches("<th scope=\"row\">").count();
    let recorded = world.events().len();
    let open = browser.page(LIST);
    assert_eq!(names_after(&world, recorded), ["ListPullRequests", "BatchGetPullRequests"]);
    assert!(rows(&open) == 25 && open.contains("31: <bdi>A feature</bdi>") && open.contains(">Li_Juan<"), "{open}");
    let next = open.split_once("\" rel=\"next\"").expect("there is a next page").0;
    let next = next.rsplit_once("href=\"").expect("a link has an address").1.replace("&#38;", "&");
    assert_eq!(rows(&browser.page(&next)), 5);
    for (filter, count, first) in [
        ("closed", 1, ">1: "),
        ("all", 25, ">1: "),
        ("mine", 25, ">1: "),
        ("my-open", 25, ">30: "),
        ("my-closed", 1, ">1: "),
    ] {
        let page = browser.page(&format!("{LIST}?filter={filter}"));
        assert_eq!(rows(&page), count, "{filter}");
        let row = between(&page, "<th scope=\"row\">", "</th>");
        assert!(row.contains(first), "{filter}: {row}");
    }
    let mine = browser.page(&format!("{LIST}?filter=my-open"));
    assert!(!mine.contains("31: <bdi>"), "{mine}");
}

#[test]
fn pull_requests_of_all_repositories_are_listed_together() {
    let (world, ..) = feature();
    create(&world, "feature");
    for name in ["Empty", "Second"] {
        world.ok("CreateRepository", &json!({ "repositoryName": name }));
    }
    let url = world.repository_url("Second");
    world.git("work", &["push", "--quiet", &url, "main", "feature"]).ok();
    for _ in 0..26 {
        let targets = json!([{ "repositoryName": "Second", "sourceReference": "feature" }]);
        world.ok("CreatePullRequest", &json!({ "title": "Of the second", "targets": targets }));
    }
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let first = browser.page("pull-requests");
    assert_eq!(names_after(&world, recorded), ["ListRepositories", "ListPullRequests", "BatchGetPullRequests"]);
    assert_eq!(first.matches("Of the second").count(), 25);
    let next = first.split_once("\" rel=\"next\"").expect("there is a next page").0;
    let next = next.rsplit_once("href=\"").expect("a link has an address").1.replace("&#38;", "&");
    let second = browser.page(&next);
    assert_eq!(second.matches("Of the second").count(), 1);
    assert!(second.contains("1: <bdi>A feature</bdi>") && !second.contains("rel=\"next\""), "{second}");
}

#[test]
fn hostile_texts_are_text() {
    let (world, ..) = feature();
    let mut browser = Browser::signed_in(&world);
    let hostile = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>";
    let title = format!("{}{hostile}", '\u{202e}');
    let description = format!("{hostile}{}", "x".repeat(10_000));
    let fields = [("title", title.as_str()), ("description", &description), ("source", "feature")];
    let created = browser.submit(NEW, NEW, &fields);
    assert_eq!(created.status, 303, "{}", created.text());
    for page in ["", "edit", "commits", "approvals", "merge?strategy=squash"] {
        let text = browser.page(&page_of(page));
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{page}: {text}");
        assert!(text.contains("&#60;/textarea&#62;&#60;script&#62;"), "{page}: {text}");
    }
    let list = browser.page(LIST);
    assert!(!list.contains("<script>alert") && list.contains("&#60;script&#62;"), "{list}");
    let long = "y".repeat(151);
    let refused = browser.submit(NEW, NEW, &[("title", &long), ("source", "feature"), ("description", hostile)]);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("InvalidTitleException") && text.contains(&long), "{text}");
    assert!(text.contains("&#60;/textarea&#62;") && !text.contains("<script>alert"), "{text}");
    let absent = browser.get(&format!("{LIST}/{}", escape("\"><b>")));
    assert!(absent.status >= 400 && !absent.text().contains("<b>"), "{}", absent.text());
    assert_eq!(get(&world, &"1".into())["title"], Value::from(title.as_str()));
}

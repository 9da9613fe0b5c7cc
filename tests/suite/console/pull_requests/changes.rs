//! Changes, comments and activity of a pull request.

use serde_json::json;

use super::page_of;
use crate::console::{Browser, between, names_after};
use crate::pull_request::{create, feature, get, push};

const COMMENTS: &str = "repositories/MyDemoRepo/comments";

#[test]
fn lines_get_comments_with_replies_and_reactions() {
    let (world, main, feature) = feature();
    create(&world, "feature");
    let mut browser = Browser::signed_in(&world);
    let changes = page_of("changes");
    let recorded = world.events().len();
    let page = browser.page(&changes);
    let names = names_after(&world, recorded);
    assert_eq!(names, ["GetPullRequest", "GetCommentsForPullRequest", "GetDifferences", "GetBlobDifferences"]);
    assert!(page.contains("feature.txt") && page.contains("A feature."), "{page}");
    let here = format!("/_console/{changes}");
    let hostile = "<script>alert(1)</script>";
    let fields = [
        ("action", "post"),
        ("here", here.as_str()),
        ("pull-request", "1"),
        ("before", &main),
        ("after", &feature),
        ("path", "feature.txt"),
        ("version", "AFTER"),
        ("position", "1"),
        ("content", hostile),
    ];
    let posted = browser.submit(&changes, COMMENTS, &fields);
    assert_eq!(posted.status, 303, "{}", posted.text());
    let page = browser.page(&changes);
    assert!(page.contains("&#60;script&#62;alert") && !page.contains("<script>alert"), "{page}");
    let comments = world.ok("GetCommentsForPullRequest", &json!({ "pullRequestId": "1" }));
    let group = &comments["commentsForPullRequestData"][0];
    assert_eq!(
        group["location"],
        json!({ "filePath": "feature.txt", "filePosition": 1, "relativeFileVersion": "AFTER" })
    );
    let id = group["comments"][0]["commentId"].as_str().expect("a comment has an id");
    for (action, more) in [
        ("reply", ("content", "A reply")),
        ("react", ("reaction", ":heart:")),
        ("update", ("content", "A changed comment")),
    ] {
        let fields = [("action", action), ("here", here.as_str()), ("comment", id), more];
        assert_eq!(browser.submit(&changes, COMMENTS, &fields).status, 303, "{action}");
    }
    let page = browser.page(&changes);
    assert!(page.contains("A changed comment") && page.contains("A reply"), "{page}");
    let activity = browser.page(&page_of("activity"));
    assert!(activity.contains("A changed comment") && activity.contains("created the pull request"), "{activity}");
    let fields = [("action", "delete"), ("here", here.as_str()), ("comment", id)];
    assert_eq!(browser.submit(&changes, COMMENTS, &fields).status, 303);
    assert!(!browser.page(&changes).contains("A changed comment"));
}

#[test]
fn the_activity_tells_what_happened_and_who_did_it() {
    let (world, _, first) = feature();
    create(&world, "feature");
    let second = world.git_commit("work", "more.txt", "More.\n");
    push(&world, &["feature"]);
    let content =
        json!({ "Version": "2018-11-08", "Statements": [{ "Type": "Approvers", "NumberOfApprovalsNeeded": 1 }] });
    let rule = json!({
        "pullRequestId": "1", "approvalRuleName": "A rule", "approvalRuleContent": content.to_string(),
    });
    world.ok("CreatePullRequestApprovalRule", &rule);
    let revision = get(&world, &"1".into())["revisionId"].clone();
    let input = json!({ "pullRequestId": "1", "revisionId": revision, "overrideStatus": "OVERRIDE" });
    world.call("OverridePullRequestApprovalRules", &input);
    world.ok("UpdatePullRequestStatus", &json!({ "pullRequestId": "1", "pullRequestStatus": "CLOSED" }));
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(&page_of("activity"));
    let names = names_after(&world, recorded);
    assert_eq!(names, ["GetPullRequest", "DescribePullRequestEvents", "GetCommentsForPullRequest"]);
    let table = between(&page, "<h2 id=\"events\">", "</table>");
    let mut rest = table;
    for expected in [
        "created the pull request",
        &first,
        "updated the source branch",
        &second,
        "created the approval rule A rule",
        "overrode the approval rules",
        "closed the pull request",
    ] {
        rest = rest.split_once(expected).unwrap_or_else(|| panic!("there is no {expected} in {rest}")).1;
    }
    assert!(table.contains("Mary_Major"), "{table}");
}

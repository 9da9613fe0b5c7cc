//! Comments and reactions, with raw requests: locations, permissions and paging.

use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

use crate::trail::recorded;

const LI: &str = "AKIAI44QH8DHBEXAMPLE";

/// Creates a repository with a changed file; returns the commits before and after the change.
struct Changed {
    world: World,
    before: String,
    after: String,
}

impl Changed {
    fn new() -> Self {
        Self::with(World::new())
    }

    fn with(world: World) -> Self {
        world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
        let before = world.git_repository("work");
        let url = world.repository_url("MyDemoRepo");
        world.git("work", &["push", "--quiet", &url, "main"]).ok();
        world.git_commit("work", "docs/guide.md", "First.\nSecond.\n");
        let after = world.git_commit("work", "README.md", "Another demonstration.\n");
        world.git("work", &["push", "--quiet", &url, "HEAD:refs/heads/feature"]).ok();
        Self { world, before, after }
    }

    fn input(&self, content: &str) -> Value {
        json!({
            "repositoryName": "MyDemoRepo", "beforeCommitId": self.before, "afterCommitId": self.after, "content": content,
        })
    }

    /// Comments on the commits, at a line of the file `guide` if one is given; returns the id of the comment.
    fn post(&self, content: &str, line: Option<i64>) -> String {
        let mut input = self.input(content);
        if let Some(line) = line {
            let path = "docs/guide.md";
            input["location"] = json!({ "filePath": path, "filePosition": line, "relativeFileVersion": "AFTER" });
        }
        id(&self.world.ok("PostCommentForComparedCommit", &input))
    }

    fn reply(&self, to: &str, content: &str) -> String {
        id(&self.world.ok("PostCommentReply", &json!({ "inReplyTo": to, "content": content })))
    }

    fn list(&self, further: &Value) -> Value {
        let mut input = self.input("");
        input.as_object_mut().expect("the value is an object").remove("content");
        input
            .as_object_mut()
            .expect("the value is an object")
            .extend(further.as_object().expect("the value is an object").clone());
        self.world.ok("GetCommentsForComparedCommit", &input)
    }

    fn react(&self, key: &str, id: &str, value: &str) {
        let input = json!({ "commentId": id, "reactionValue": value });
        let headers = [("authorization", signed(key, "us-east-1"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = self.world.call_as("PutCommentReaction", &input, &headers);
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{}", reply.text());
    }

    fn pull_request(&self) -> Value {
        let target =
            json!({ "repositoryName": "MyDemoRepo", "sourceReference": "feature", "destinationReference": "main" });
        let input = json!({ "title": "A feature", "targets": [target] });
        self.world.ok("CreatePullRequest", &input)["pullRequest"]["pullRequestId"].clone()
    }

    fn post_on(&self, pull_request: &Value, content: &str) -> String {
        let mut input = self.input(content);
        input["pullRequestId"] = pull_request.clone();
        id(&self.world.ok("PostCommentForPullRequest", &input))
    }

    fn activity(&self, pull_request: &Value) -> f64 {
        let found = self.world.ok("GetPullRequest", &json!({ "pullRequestId": pull_request }));
        found["pullRequest"]["lastActivityDate"].as_f64().expect("the member is a number")
    }
}

fn id(output: &Value) -> String {
    output["comment"]["commentId"].as_str().expect("the member is a string").to_owned()
}

/// Returns the texts of the comments of a listing, grouped by location.
fn texts(groups: &Value) -> Vec<Vec<String>> {
    let comments = |group: &Value| group["comments"].as_array().expect("the group has comments").clone();
    let content = |comment: Value| comment["content"].as_str().unwrap_or("-").to_owned();
    let groups = groups.as_array().expect("the value is a list");
    groups.iter().map(|group| comments(group).into_iter().map(content).collect()).collect()
}

#[test]
fn comments_are_grouped_by_location_with_their_replies() {
    let changed = Changed::new();
    let first = changed.post("first", None);
    changed.post("on a line", Some(2));
    changed.post("on another line", Some(1));
    let reply = changed.reply(&first, "a reply");
    changed.reply(&reply, "a reply to it");
    changed.post("on the line again", Some(2));
    let listed = changed.list(&json!({}));
    let groups = &listed["commentsForComparedCommitData"];
    assert_eq!(
        texts(groups),
        [vec!["first", "a reply", "a reply to it"], vec!["on a line", "on the line again"], vec!["on another line"]]
    );
    assert_eq!(groups[0]["comments"][1]["inReplyTo"], first);
    assert_eq!(groups[0]["comments"][2]["inReplyTo"], reply);
    assert_eq!(groups[0].get("location"), None);
    let blob = changed.world.git("work", &["rev-parse", "HEAD:docs/guide.md"]).ok();
    assert_eq!((&groups[1]["afterBlobId"], groups[1].get("beforeBlobId")), (&json!(blob), None));
    assert_eq!(groups[1]["location"]["filePosition"], 2);
    assert_eq!(listed.get("nextToken"), None);
}

#[test]
fn a_listing_of_comments_is_paged_over_all_locations() {
    let changed = Changed::new();
    for number in 0..3 {
        changed.post(&format!("here {number}"), None);
        changed.post(&format!("there {number}"), Some(1));
    }
    let (mut pages, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = changed.list(&json!({ "maxResults": 2, "nextToken": token }));
        pages.push(texts(&page["commentsForComparedCommitData"]));
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(
        pages,
        [vec![vec!["here 0", "here 1"]], vec![vec!["here 2"], vec!["there 0"]], vec![vec!["there 1", "there 2"]]]
    );
    let other = changed.input("");
    let other = json!({
        "repositoryName": "MyDemoRepo", "beforeCommitId": other["afterCommitId"], "afterCommitId": other["beforeCommitId"],
        "nextToken": token,
    });
    let failure = changed.world.call("GetCommentsForComparedCommit", &other).failure();
    assert_eq!(failure["__type"], "InvalidContinuationTokenException");
}

#[test]
fn boto3_pages_through_comments() {
    let changed = Changed::with(World::with(|settings| {
        let sizes = &mut settings.codecommit.page_sizes;
        for operation in ["GetCommentsForComparedCommit", "GetCommentsForPullRequest"] {
            sizes.insert(operation.to_owned(), 2);
        }
    }));
    let pull_request = changed.pull_request();
    for number in 0..5 {
        changed.post(&number.to_string(), Some(1 + number % 2));
        changed.post_on(&pull_request, &number.to_string());
    }
    let program = format!(
        "
import boto3
client = boto3.client('codecommit')
def page(operation, data, **parameters):
    pages = list(client.get_paginator(operation).paginate(**parameters))
    said = [comment['content'] for page in pages for group in page[data] for comment in group['comments']]
    print(len(pages), *said)
page('get_comments_for_compared_commit', 'commentsForComparedCommitData', repositoryName='MyDemoRepo',
     beforeCommitId='{}', afterCommitId='{}')
page('get_comments_for_pull_request', 'commentsForPullRequestData', pullRequestId={pull_request})
",
        changed.before, changed.after
    );
    assert_eq!(changed.world.python(&program).ok(), "3 0 2 4 1 3\n3 0 1 2 3 4");
}

#[test]
fn a_comment_without_a_before_commit_is_on_the_first_parent() {
    let changed = Changed::new();
    let parent = changed.world.git("work", &["rev-parse", "HEAD~1"]).ok();
    let input = json!({ "repositoryName": "MyDemoRepo", "afterCommitId": changed.after, "content": "here" });
    let posted = changed.world.ok("PostCommentForComparedCommit", &input);
    assert_eq!(posted["beforeCommitId"], parent);
    let named = json!({ "repositoryName": "MyDemoRepo", "afterCommitId": changed.after, "beforeCommitId": parent });
    let unnamed = json!({ "repositoryName": "MyDemoRepo", "afterCommitId": changed.after });
    for input in [named, unnamed] {
        let listed = changed.world.ok("GetCommentsForComparedCommit", &input);
        assert_eq!(texts(&listed["commentsForComparedCommitData"]), [["here"]]);
    }
}

#[test]
fn a_repeated_request_with_a_token_creates_one_comment() {
    let changed = Changed::new();
    let mut input = changed.input("here");
    input["clientRequestToken"] = "a token".into();
    let first = changed.world.ok("PostCommentForComparedCommit", &input);
    assert_eq!(changed.world.ok("PostCommentForComparedCommit", &input), first);
    let reply = json!({ "inReplyTo": id(&first), "content": "here", "clientRequestToken": "a token" });
    let second = changed.world.ok("PostCommentReply", &reply);
    assert_eq!(changed.world.ok("PostCommentReply", &reply), second);
    assert_eq!(texts(&changed.list(&json!({}))["commentsForComparedCommitData"]), [["here", "here"]]);
    let headers = [("authorization", &*signed(LI, "us-east-1"))];
    let of_another = changed.world.call_as("PostCommentForComparedCommit", &input, &headers).json();
    assert_ne!(id(&of_another), id(&first));
}

#[test]
fn a_deleted_comment_stays_listed_without_content() {
    let changed = Changed::new();
    let first = changed.post("first", None);
    changed.reply(&first, "a reply");
    changed.react(LI, &first, ":smile:");
    let headers = [("authorization", &*signed(LI, "us-east-1"))];
    let reply = changed.world.call_as("DeleteCommentContent", &json!({ "commentId": first }), &headers);
    let deleted = &reply.json()["comment"];
    assert_eq!((&deleted["deleted"], deleted.get("content")), (&json!(true), None));
    assert_eq!(deleted["authorArn"], "arn:aws:iam::111122223333:user/Mary_Major");
    let listed = changed.list(&json!({}));
    assert_eq!(texts(&listed["commentsForComparedCommitData"]), [["-", "a reply"]]);
    assert_eq!(listed["commentsForComparedCommitData"][0]["comments"][0]["reactionCounts"], json!({}));
    let gone = json!({ "commentId": first, "content": "again", "reactionValue": ":smile:" });
    for operation in
        ["GetComment", "UpdateComment", "DeleteCommentContent", "PutCommentReaction", "GetCommentReactions"]
    {
        let failure = changed.world.call(operation, &gone).failure();
        assert_eq!(failure["__type"], "CommentDeletedException", "{operation}");
    }
}

#[test]
fn only_the_author_can_update_a_comment_and_the_date_changes() {
    let changed = Changed::new();
    let first = changed.post("first", None);
    let input = json!({ "commentId": first, "content": "second" });
    let headers = [("authorization", &*signed(LI, "us-east-1"))];
    let failure = changed.world.call_as("UpdateComment", &input, &headers).failure();
    assert_eq!(failure["__type"], "CommentNotCreatedByCallerException");
    let updated = &changed.world.ok("UpdateComment", &input)["comment"];
    assert_eq!(updated["content"], "second");
    assert!(updated["lastModifiedDate"].as_f64() > updated["creationDate"].as_f64());
    assert_eq!(&changed.world.ok("GetComment", &json!({ "commentId": first }))["comment"], updated);
}

#[test]
fn a_user_has_one_reaction_to_a_comment() {
    let changed = Changed::new();
    let comment = changed.post("first", None);
    let mary = "AKIAIOSFODNN7EXAMPLE";
    changed.react(mary, &comment, ":thumbsup:");
    changed.react(LI, &comment, "U+1F44D");
    changed.react("AKIAOTHEREXAMPLE", &comment, "\u{2764}\u{fe0f}");
    let got = &changed.world.ok("GetComment", &json!({ "commentId": comment }))["comment"];
    assert_eq!(got["reactionCounts"], json!({ "THUMBSUP": 2, "HEART": 1 }));
    // Without credentials the caller is Mary, too.
    assert_eq!(got["callerReactions"], json!(["THUMBSUP"]));
    changed.react(mary, &comment, ":clap:");
    changed.react(LI, &comment, "none");
    changed.react("AKIAOTHEREXAMPLE", &comment, "");
    let got = &changed.world.ok("GetComment", &json!({ "commentId": comment }))["comment"];
    assert_eq!((&got["reactionCounts"], &got["callerReactions"]), (&json!({ "CLAP": 1 }), &json!(["CLAP"])));
}

#[test]
fn reactions_are_listed_by_kind_page_after_page() {
    let changed = Changed::new();
    let comment = changed.post("first", None);
    for (number, kind) in [":thumbsup:", ":thumbsup:", ":clap:", ":thumbsup:"].into_iter().enumerate() {
        changed.react(&format!("AKIA{number}EXAMPLE"), &comment, kind);
    }
    let arn = |number: usize| format!("arn:aws:iam::111122223333:user/AKIA{number}EXAMPLE");
    let page = |token: Value| {
        let input = json!({ "commentId": comment, "maxResults": 2, "nextToken": token });
        let page = changed.world.ok("GetCommentReactions", &input);
        let kinds = page["reactionsForComment"].as_array().expect("the value is a list").clone();
        let kinds: Vec<_> =
            kinds.iter().map(|kind| (kind["reaction"]["shortCode"].clone(), kind["reactionUsers"].clone())).collect();
        (kinds, page["nextToken"].clone())
    };
    let (first, token) = page(Value::Null);
    assert_eq!(first, [(json!("clap"), json!([arn(2)])), (json!("thumbsup"), json!([arn(0)]))]);
    let (second, token) = page(token);
    assert_eq!((second, token), (vec![(json!("thumbsup"), json!([arn(1), arn(3)]))], Value::Null));
    let of_one = json!({ "commentId": comment, "reactionUserArn": arn(3) });
    let of_one = &changed.world.ok("GetCommentReactions", &of_one)["reactionsForComment"];
    assert_eq!((of_one.as_array().map(Vec::len), &of_one[0]["reactionUsers"]), (Some(1), &json!([arn(3)])));
}

#[test]
fn comments_on_a_pull_request_belong_to_it_and_count_as_activity() {
    let changed = Changed::new();
    let pull_request = changed.pull_request();
    changed.post("on the commits", None);
    let created = changed.activity(&pull_request);
    let comment = changed.post_on(&pull_request, "on the pull request");
    let commented = changed.activity(&pull_request);
    assert!(commented > created);
    changed.reply(&comment, "a reply");
    assert!(changed.activity(&pull_request) > commented);
    let listed = changed.world.ok("GetCommentsForPullRequest", &json!({ "pullRequestId": pull_request }));
    assert_eq!(texts(&listed["commentsForPullRequestData"]), [["on the pull request", "a reply"]]);
    assert_eq!(texts(&changed.list(&json!({}))["commentsForComparedCommitData"]), [["on the commits"]]);
    changed
        .world
        .ok("UpdatePullRequestStatus", &json!({ "pullRequestId": pull_request, "pullRequestStatus": "CLOSED" }));
    changed.reply(&comment, "after the end");
    let listed = changed.world.ok("GetCommentsForPullRequest", &json!({ "pullRequestId": pull_request }));
    assert_eq!(texts(&listed["commentsForPullRequestData"]), [["on the pull request", "a reply", "after the end"]]);
}

#[test]
fn comments_are_deleted_with_their_repository_and_belong_to_its_account() {
    let changed = Changed::new();
    let comment = changed.post("first", None);
    changed.react(LI, &comment, ":eyes:");
    let get = json!({ "commentId": comment });
    let other_region = [("authorization", &*signed(LI, "eu-west-1"))];
    let failure = changed.world.call_as("GetComment", &get, &other_region).failure();
    assert_eq!(failure["__type"], "CommentDoesNotExistException");
    changed.world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(changed.world.call("GetComment", &get).failure()["__type"], "CommentDoesNotExistException");
}

#[test]
fn calls_by_comment_id_are_recorded_with_their_repository() {
    let changed = Changed::new();
    let mut input = changed.input("first");
    input["location"] = json!({ "filePath": "docs/guide.md", "filePosition": 1, "relativeFileVersion": "AFTER" });
    let (reply, record) = recorded(&changed.world, "PostCommentForComparedCommit", &input);
    let elements = &record["responseElements"];
    let comment = &elements["comment"];
    assert_eq!(comment["commentId"], reply.json()["comment"]["commentId"]);
    assert_eq!((&comment["content"], &comment["deleted"]), (&json!("first"), &json!(false)));
    assert!(comment["creationDate"].as_str().is_some_and(|date| date.starts_with("Dec 14, 2016")), "{comment}");
    assert_eq!((comment.get("reactionCounts"), comment.get("callerReactions")), (None, None));
    assert_eq!(elements["location"], input["location"]);
    let id = &comment["commentId"];
    for (operation, further) in [
        ("GetComment", json!({})),
        ("UpdateComment", json!({ "content": "second" })),
        ("PutCommentReaction", json!({ "reactionValue": ":ship:" })),
        ("GetCommentReactions", json!({})),
        ("DeleteCommentContent", json!({})),
    ] {
        let mut input = json!({ "commentId": id });
        input
            .as_object_mut()
            .expect("the value is an object")
            .extend(further.as_object().expect("the value is an object").clone());
        let (reply, record) = recorded(&changed.world, operation, &input);
        assert_eq!(reply.status, 200, "{operation}");
        assert_eq!(record["resources"][0]["ARN"], crate::trail::ARN, "{operation}");
        assert_eq!(record["requestParameters"].to_string(), input.to_string(), "{operation}");
    }
}

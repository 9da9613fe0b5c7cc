//! Git over HTTP with `git`: the view of clients, and the records.

use serde_json::{Value, json};
use tests::World;
use tests::clients::Outcome;
use tests::push::PUSH_TYPE;

/// Starts a server with the repository `demo` and creates the work tree `work` with one commit and the repository as its remote.
fn world() -> (World, String) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    let commit = world.git_repository("work");
    world.git("work", &["remote", "add", "origin", &world.repository_url("demo")]).ok();
    (world, commit)
}

fn push(world: &World, arguments: &[&str]) -> Outcome {
    let mut all = vec!["push", "origin"];
    all.extend_from_slice(arguments);
    world.git("work", &all)
}

/// Returns the Git events after the first `seen` events, as `name dataTransferred`.
fn git_events(world: &World, since: usize) -> Vec<String> {
    let events = world.events().split_off(since);
    events
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["eventName"].as_str().unwrap_or("?"),
                event["additionalEventData"]["dataTransferred"]
            )
        })
        .collect()
}

#[test]
fn a_url_may_be_percent_encoded() {
    let (world, commit) = world();
    push(&world, &["main"]).ok();
    for path in ["v1/repos/de%6Do", "1111%32%322233%333/us-east%2d1/v1/repos/%64emo", "%761/repos/demo"] {
        let listed = world.git(".", &["ls-remote", &format!("{}/{path}", world.endpoint()), "refs/heads/main"]).ok();
        assert_eq!(listed, format!("{commit}\trefs/heads/main"), "{path}");
        let record = world.events().pop().expect("the call is recorded");
        assert_eq!(record["requestParameters"], Value::Null);
        assert_eq!(record["additionalEventData"]["repositoryName"], "demo", "{path}");
    }
    let refused = world.git(".", &["ls-remote", &format!("{}/v1/repos/de%2Fmo", world.endpoint())]);
    assert!(!refused.success && refused.err.contains("repository name is not valid"), "{}", refused.err);
}

#[test]
fn the_first_push_sets_the_default_branch() {
    let (world, commit) = world();
    push(&world, &["main:feature", "main:main", "main:other"]).ok();
    let metadata = world.ok("GetRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(metadata["repositoryMetadata"]["defaultBranch"], "main");
    let listed = world.git("work", &["ls-remote", "origin"]).ok();
    assert!(listed.starts_with(&format!("{commit}\tHEAD\n")), "{listed}");
}

#[test]
fn a_first_push_without_main_makes_its_first_branch_the_default() {
    let (world, _) = world();
    push(&world, &["main:topic", "main:alpha"]).ok();
    let metadata = world.ok("GetRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(metadata["repositoryMetadata"]["defaultBranch"], "topic");
}

#[test]
fn each_command_records_the_events_of_its_requests() {
    let (world, _) = world();
    let mut seen = world.events().len();
    let mut leaves = |what: &str, outcome: Outcome, expected: &[&str]| {
        outcome.ok();
        let events = git_events(&world, seen);
        assert_eq!(events, expected, "{what}");
        seen += events.len();
    };
    leaves("push", push(&world, &["main"]), &["GitPush false", "GitPush true"]);
    leaves("push of nothing new", push(&world, &["main"]), &["GitPush false"]);
    leaves("ls-remote", world.git("work", &["ls-remote", "origin"]), &["GitPull false"]);
    let url = world.repository_url("demo");
    leaves("clone", world.git(".", &["clone", "--quiet", &url, "clone"]), &["GitPull false", "GitPull true"]);
    leaves("fetch of nothing new", world.git("clone", &["fetch"]), &["GitPull false"]);
    world.git_commit("work", "more", "more\n");
    leaves("second push", push(&world, &["main"]), &["GitPush false", "GitPush true"]);
    leaves("fetch", world.git("clone", &["fetch"]), &["GitPull false", "GitPull true"]);
    leaves("new branch", push(&world, &["main:gone"]), &["GitPush false", "GitPush true"]);
    leaves("deletion", push(&world, &[":gone"]), &["GitPush false", "GitPush true"]);
}

#[test]
fn the_event_of_a_shallow_clone_is_marked() {
    let (world, _) = world();
    world.git_commit("work", "second", "2\n");
    push(&world, &["main"]).ok();
    let url = world.repository_url("demo");
    world.git(".", &["clone", "--quiet", "--depth=1", &url, "shallow"]).ok();
    assert_eq!(world.git("shallow", &["rev-list", "--count", "HEAD"]).ok(), "1");
    assert_eq!(world.events().pop().expect("an element exists")["additionalEventData"]["shallow"], true);
    world.git("shallow", &["fetch", "--quiet", "--unshallow"]).ok();
    assert_eq!(world.git("shallow", &["rev-list", "--count", "HEAD"]).ok(), "2");
    world.git("shallow", &["fsck", "--full", "--strict"]).ok();
}

#[test]
fn a_push_of_many_references_is_one_event_with_as_many_of_them_as_fit() {
    let (world, commit) = world();
    let refspecs: Vec<String> = (0..1_500).map(|number| format!("main:refs/heads/branch-{number:04}")).collect();
    push(&world, &refspecs.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    let event = world.events().pop().expect("an element exists");
    let references = event["requestParameters"]["references"].as_array().expect("they are listed").clone();
    // CloudTrail allows 100 KB of parameters.
    assert!((900..1_500).contains(&references.len()), "{}", references.len());
    assert_eq!(references[7], json!({ "commit": commit, "ref": "refs/heads/branch-0007" }));
    assert_eq!(world.git("work", &["ls-remote", "--heads", "origin"]).ok().lines().count(), 1_500);
}

#[test]
fn a_deletion_shows_the_null_id() {
    let (world, _) = world();
    push(&world, &["main", "main:gone"]).ok();
    push(&world, &[":gone"]).ok();
    let event = world.events().pop().expect("an element exists");
    let null_id = "0".repeat(40);
    assert_eq!(event["requestParameters"]["references"], json!([{ "commit": null_id, "ref": "refs/heads/gone" }]));
}

#[test]
fn the_default_branch_cannot_be_deleted() {
    let (world, _) = world();
    push(&world, &["main", "main:other"]).ok();
    let error = push(&world, &[":main", ":other"]).failed();
    assert!(error.contains("[remote rejected] main (the default branch cannot be deleted)"), "{error}");
    assert!(error.contains("- [deleted]         other"), "each reference moves for itself: {error}");
    let event = world.events().pop().expect("an element exists");
    assert_eq!(event["errorMessage"], "refs/heads/main the default branch cannot be deleted");
}

#[test]
fn a_push_shows_that_its_objects_are_validated() {
    let (world, _) = world();
    let shown = push(&world, &["--progress", "main"]);
    assert!(shown.success && shown.err.contains("remote: Validating objects: 100% (3/3), done."), "{}", shown.err);
    world.git_commit("work", "more", "more\n");
    let shown = push(&world, &["--no-progress", "main", "main:other"]);
    assert!(shown.err.contains("remote: Validating objects: 100% (3/3), done."), "{}", shown.err);
    assert!(!push(&world, &[":other"]).err.contains("Validating"), "there is nothing to validate");
}

#[test]
fn a_stale_old_value_is_refused() {
    let (world, _) = world();
    push(&world, &["main"]).ok();
    let url = world.repository_url("demo");
    world.git(".", &["clone", "--quiet", &url, "other"]).ok();
    world.git_commit("other", "theirs", "theirs\n");
    world.git("other", &["push", "--quiet", "origin", "HEAD:main"]).ok();
    world.git_commit("work", "ours", "ours\n");
    assert!(push(&world, &["main"]).failed().contains("[rejected]"));
    push(&world, &["--force", "main"]).ok();
    let stale = format!("--force-with-lease=main:{}", world.git("work", &["rev-parse", "HEAD~1"]).ok());
    assert!(push(&world, &[&stale, "HEAD~1:main"]).failed().contains("stale info"));
}

#[test]
fn a_name_cannot_be_the_folder_of_another() {
    let (world, _) = world();
    push(&world, &["main:refs/heads/a"]).ok();
    let error = push(&world, &["main:refs/heads/a/b"]).failed();
    assert!(error.contains("'refs/heads/a' exists; cannot create 'refs/heads/a/b'"), "{error}");
    // A third name is between the two in the order of names.
    push(&world, &["main:refs/heads/a-b"]).ok();
    let error = push(&world, &["main:refs/heads/a/b/c/d"]).failed();
    assert!(error.contains("'refs/heads/a' exists; cannot create 'refs/heads/a/b/c/d'"), "{error}");
    push(&world, &["main", "main:refs/heads/x/y"]).ok();
    let error = push(&world, &["main:refs/heads/x"]).failed();
    assert!(error.contains("'refs/heads/x/y' exists; cannot create 'refs/heads/x'"), "{error}");
    push(&world, &[":refs/heads/x/y", "main:refs/heads/x"]).ok();
}

#[test]
fn large_requests_come_compressed_and_in_chunks() {
    let (world, _) = world();
    let noise: String =
        (0..60_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string() + "\n").collect();
    world.git_commit("work", "noise", &noise);
    world.git("work", &["-c", "http.postBuffer=1000", "push", "--quiet", "origin", "main"]).ok();
    // Many haves make a request larger than a kilobyte, which `git` compresses.
    let url = world.repository_url("demo");
    world.git(".", &["clone", "--quiet", &url, "clone"]).ok();
    for number in 0..60 {
        world.git_commit("clone", &format!("mine-{number}"), "mine\n");
    }
    world.git_commit("work", "theirs", "theirs\n");
    push(&world, &["main"]).ok();
    world.git("clone", &["fetch", "--quiet", "origin"]).ok();
    assert_eq!(world.git("clone", &["rev-parse", "origin/main"]).ok(), world.git("work", &["rev-parse", "main"]).ok());
    world.git("clone", &["fsck", "--full", "--strict"]).ok();
}

#[test]
fn a_missing_repository_is_a_404_that_git_understands() {
    let (world, _) = world();
    push(&world, &["main"]).ok();
    for (name, code) in [("nope", "RepositoryDoesNotExistException"), ("demo.git", "InvalidRepositoryNameException")] {
        let error = world.git(".", &["clone", &world.repository_url(name), "x"]).failed();
        assert!(error.contains("not found"), "{name}: {error}");
        let event = world.events().pop().expect("an element exists");
        assert_eq!(event["errorCode"], code);
        assert_eq!(event.get("resources"), None);
    }
}

#[test]
fn dumb_clients_and_unknown_paths_get_a_helpful_message() {
    let (world, _) = world();
    let dumb = world.send("GET", "/v1/repos/demo/info/refs", &[], b"");
    assert_eq!((dumb.status, dumb.text().contains("smart HTTP")), (403, true));
    assert_eq!(world.send("GET", "/v1/repos/demo", &[], b"").status, 404);
    assert_eq!(world.send("GET", "/v1/repos/demo/git-upload-pack", &[], b"").status, 405);
}

#[test]
fn a_clone_of_an_empty_repository_can_be_pushed_from() {
    let (world, _) = world();
    let outcome = world.git(".", &["clone", &world.repository_url("demo"), "empty"]);
    assert!(outcome.err.contains("cloned an empty repository"), "{}", outcome.err);
    world.git_commit("empty", "first", "1\n");
    world.git("empty", &["push", "--quiet", "origin", "HEAD:refs/heads/main"]).ok();
}

#[test]
fn a_push_with_missing_objects_changes_nothing() {
    let (world, commit) = world();
    push(&world, &["main"]).ok();
    // A truncated pack, with a command for a missing commit.
    let command = format!("{commit} {} refs/heads/main\0report-status", "1".repeat(40));
    let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    body.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\x01");
    let reply = world.send("POST", "/v1/repos/demo/git-receive-pack", &[PUSH_TYPE], &body);
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("unpack "), "{}", reply.text());
    assert!(reply.text().contains("ng refs/heads/main"), "{}", reply.text());
    assert_eq!(world.git("work", &["ls-remote", "origin", "main"]).ok(), format!("{commit}\trefs/heads/main"));
    let event: Value = world.events().into_iter().rev().nth(1).expect("the ls-remote came after it");
    assert_eq!(event["errorCode"], "InvalidRequestException");
    assert_eq!(event["readOnly"], false);
}

#[test]
fn the_full_profile_offers_more_and_pushes_atomically() {
    let world = World::with(|settings| settings.git.offers = git::Offers::FULL);
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    world.git_repository("work");
    world.git("work", &["remote", "add", "origin", &world.repository_url("demo")]).ok();
    push(&world, &["main"]).ok();
    assert!(push(&world, &["--atomic", "main:new", ":main"]).failed().contains("atomic"));
    assert_eq!(world.git("work", &["ls-remote", "--heads", "origin"]).ok().lines().count(), 1);
    let listed = world.git("work", &["ls-remote", "--symref", "origin", "HEAD"]).ok();
    assert!(listed.starts_with("ref: refs/heads/main\tHEAD"), "{listed}");
}

#[test]
fn git_records_have_the_members_of_the_guides_records_in_their_order() {
    let (world, _) = world();
    push(&world, &["main"]).ok();
    world.git(".", &["clone", "--quiet", &world.repository_url("demo"), "clone"]).ok();
    let identity = "userIdentity{type principalId arn accountId accessKeyId userName}";
    let start = format!("eventVersion {identity} eventTime eventSource eventName awsRegion sourceIPAddress userAgent");
    let end = "requestID eventID readOnly resources[{ARN accountId type}] eventType recipientAccountId";
    let advertised = "additionalEventData{protocol dataTransferred repositoryName repositoryId}";
    let pushed = "additionalEventData{protocol capabilities[] dataTransferred repositoryName repositoryId}";
    let pulled = "additionalEventData{protocol capabilities[] dataTransferred repositoryName repositoryId shallow}";
    let references = "requestParameters{references[{commit ref}]}";
    let expected = [
        format!("{start} requestParameters responseElements {advertised} {end}"),
        format!("{start} {references} responseElements {pushed} {end}"),
        format!("{start} requestParameters responseElements {advertised} {end}"),
        format!("{start} requestParameters responseElements {pulled} {end}"),
    ];
    let events = world.events().split_off(1);
    assert_eq!(events.iter().map(members).collect::<Vec<_>>(), expected.map(|members| format!("{{{members}}}")));
    assert_eq!(events[1]["additionalEventData"]["capabilities"], json!(["report-status", "side-band-64k"]));
    assert_eq!(
        events[3]["additionalEventData"]["capabilities"],
        json!(["multi_ack_detailed", "side-band-64k", "thin-pack"])
    );
    assert_eq!([0, 1, 2, 3].map(|number| events[number]["readOnly"] == true), [true, false, true, true]);
    assert!(events.iter().all(|event| event["requestParameters"].is_null() || event["eventName"] == "GitPush"));
}

/// Returns the names of the members of a value, recursively and in order.
fn members(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let names = object.iter().map(|(name, value)| format!("{name}{}", members(value)));
            format!("{{{}}}", names.collect::<Vec<_>>().join(" "))
        }
        Value::Array(array) => format!("[{}]", array.first().map(members).unwrap_or_default()),
        _ => String::new(),
    }
}

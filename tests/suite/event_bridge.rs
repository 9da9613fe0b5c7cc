//! Events for EventBridge: their file, their destinations and their delivery.

mod crash;
mod sign_ins;
mod signature;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use server::settings::{BusDestination, BusFilter, BusTarget, PutEventsTarget};
use tests::database::is_sqlite;
use tests::destination::Destination;
use tests::moto::Moto;
use tests::{World, wait_until};

fn url(destination: &Destination) -> BusDestination {
    BusDestination { target: BusTarget::Url(destination.url().to_owned()), filter: BusFilter::default() }
}

fn endpoint(url: &str) -> BusDestination {
    let url = url.to_owned();
    let target = PutEventsTarget { url, bus: None, region: None, access_key: None, source: None };
    BusDestination { target: BusTarget::PutEvents(target), filter: BusFilter::default() }
}

/// Starts a server with a repository and with destinations of events.
fn world(destinations: Vec<(&str, BusDestination)>) -> World {
    let destinations = destinations.into_iter().map(|(name, destination)| (name.to_owned(), destination)).collect();
    let world = World::with(|settings| {
        settings.event_bridge.destinations = destinations;
        settings.event_bridge.first_retry = Duration::from_millis(1);
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Returns the lines of the file of events.
fn lines(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(world.folder().join("data/eventbridge.ndjson")).expect("the file exists");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Returns the lines of the log of events that were given up.
fn given_up(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(world.folder().join("data/eventbridge-undelivered.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Puts a first file into a branch, and returns the commit.
fn put_file(world: &World, branch: &str) -> String {
    let input = json!({
        "repositoryName": "MyDemoRepo", "branchName": branch, "filePath": "a.txt", "fileContent": "QQ==",
    });
    let commit = world.ok("PutFile", &input)["commitId"].clone();
    commit.as_str().expect("the id is text").to_owned()
}

fn create_branch(world: &World, name: &str, commit: &str) {
    world.ok("CreateBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": name, "commitId": commit }));
}

/// Returns the names of the references of events.
fn names<'e>(events: impl IntoIterator<Item = &'e Value>) -> Vec<&'e str> {
    events.into_iter().map(|event| event["detail"]["referenceName"].as_str().expect("a reference")).collect()
}

#[test]
fn a_change_has_its_event_in_the_file_when_it_is_answered() {
    let world = world(vec![]);
    assert_eq!(lines(&world), Vec::<Value>::new());
    let commit = put_file(&world, "main");
    let event = lines(&world).remove(0);
    assert_eq!((&event["detail"]["event"], &event["detail"]["commitId"]), (&json!("referenceCreated"), &json!(commit)));
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:one", "HEAD:two"]).ok();
    assert_eq!(names(&lines(&world)[1..]).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["one", "two"]));
}

#[test]
fn failed_and_rolled_back_changes_have_no_event() {
    let world = world(vec![]);
    let commit = put_file(&world, "main");
    let existing = json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "commitId": commit });
    world.call("CreateBranch", &existing).failure();
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    // The second update is no fast-forward of what the client knows, so neither is made.
    world.git("work", &["push", "--quiet", "--atomic", &url, "HEAD:refs/heads/new", "HEAD:refs/heads/main"]).failed();
    assert_eq!(names(&lines(&world)), ["main"]);
}

#[test]
fn destinations_get_all_events_in_their_order() {
    let (first, second) = (Destination::start(&[]), Destination::start(&[500, 503, 302]));
    let world = world(vec![("first", url(&first)), ("second", url(&second))]);
    let commit = put_file(&world, "main");
    let branches: Vec<String> = (0..25).map(|number| format!("branch-{number}")).collect();
    for branch in &branches {
        create_branch(&world, branch, &commit);
    }
    let written = lines(&world);
    assert_eq!(written.len(), 26);
    let received: Vec<_> = written.iter().map(|_| first.next_json()).collect();
    assert!(received == written, "the events are those of the file");
    // Each failed attempt is repeated before the next event is sent.
    let failed = [(); 3].map(|()| second.next_json());
    assert!(failed.iter().all(|event| *event == written[0]));
    let received: Vec<_> = written.iter().map(|_| second.next_json()).collect();
    assert!(received == written, "the events are those of the file");
}

#[test]
fn a_destination_that_is_down_holds_no_other_and_gives_up_after_its_attempts() {
    let (failing, working) = (Destination::start(&[503; 3]), Destination::start(&[]));
    let mut world = world(vec![("failing", url(&failing)), ("working", url(&working))]);
    world.restart_with(|settings| settings.event_bridge.attempts = 3);
    let commit = put_file(&world, "main");
    create_branch(&world, "next", &commit);
    assert_eq!(names(&[working.next_json(), working.next_json()]), ["main", "next"]);
    let sent = [(); 4].map(|()| failing.next_json());
    assert_eq!(names(&sent), ["main", "main", "main", "next"]);
    let line = given_up(&world).remove(0);
    assert_eq!((&line["destination"], &line["url"]), (&json!("failing"), &json!(failing.url())));
    assert_eq!(
        (&line["outcome"], &line["attempts"], &line["event"]),
        (&json!("given up"), &json!(3), &lines(&world)[0])
    );
    assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("answered 503")), "{line}");
}

#[test]
fn events_that_wait_for_too_long_are_given_up_together_and_younger_ones_are_not() {
    let working = Destination::start(&[]);
    // The first port has no listener.
    let unreachable = BusTarget::Url("http://127.0.0.1:1".to_owned());
    let down = BusDestination { target: unreachable, filter: BusFilter::default() };
    let mut world = world(vec![("hook", down), ("working", url(&working))]);
    world.restart_with(|settings| settings.event_bridge.attempts = 1_000_000);
    let commit = put_file(&world, "main");
    // More than are read from the store at once.
    for number in 0..150 {
        create_branch(&world, &format!("old-{number}"), &commit);
    }
    world.move_clock(86_400);
    create_branch(&world, "young", &commit);
    wait_until("the old events are given up", || given_up(&world).len() >= 151);
    let written = lines(&world);
    let dropped = given_up(&world);
    let events: Vec<_> = dropped.iter().map(|line| line["event"].clone()).collect();
    assert!(events == written[..151], "the lines have all old events and no other, in their order");
    assert!(dropped[0]["attempts"].as_u64() > Some(0) && dropped[1]["attempts"] == 0, "{}", dropped[0]);
    for line in &dropped {
        let reason = line["reason"].as_str().expect("a line has a reason");
        assert!(reason.contains("older than max-age") && reason.contains("cannot be reached"), "{reason}");
    }
    let received: Vec<_> = written.iter().map(|_| working.next_json()).collect();
    assert!(received == written, "the other destination has everything");
    let hook = Destination::start(&[]);
    world.restart_with(|settings| {
        settings.event_bridge.destinations.insert("hook".to_owned(), url(&hook));
    });
    assert_eq!(names(&[hook.next_json()]), ["young"]);
    assert_eq!(given_up(&world).len(), 151);
}

#[test]
fn an_old_event_is_sent_if_no_attempt_has_failed() {
    let mut world = world(vec![]);
    let unreachable = BusTarget::Url("http://127.0.0.1:1".to_owned());
    let down = BusDestination { target: unreachable, filter: BusFilter::default() };
    world.restart_with(|settings| {
        settings.event_bridge.destinations = [("hook".to_owned(), down)].into();
    });
    put_file(&world, "main");
    world.stop();
    world.move_clock(7 * 86_400);
    let hook = Destination::start(&[]);
    world.restart_with(|settings| {
        settings.event_bridge.destinations = [("hook".to_owned(), url(&hook))].into();
    });
    assert_eq!(names(&[hook.next_json()]), ["main"]);
    assert_eq!(given_up(&world), Vec::<Value>::new());
}

#[test]
fn what_a_url_refuses_for_good_is_given_up_at_once_and_a_reset_forgets_it() {
    let destination = Destination::start(&[429, 400]);
    let mut world = world(vec![("hook", url(&destination))]);
    world.restart_with(|settings| settings.allow_reset = true);
    let commit = put_file(&world, "main");
    create_branch(&world, "next", &commit);
    let sent = [(); 3].map(|()| destination.next_json());
    assert_eq!(names(&sent), ["main", "main", "next"]);
    wait_until("the refused event is logged", || given_up(&world).len() == 1);
    let line = given_up(&world).remove(0);
    assert_eq!((&line["attempts"], &line["event"]), (&json!(2), &sent[0]));
    let has_snapshots = is_sqlite("snapshots need a database in the data folder");
    if has_snapshots {
        assert_eq!(world.send("POST", "/_local/snapshots/one", &[], b"").status, 200);
    }
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(given_up(&world), Vec::<Value>::new());
    if has_snapshots {
        assert_eq!(world.send("POST", "/_local/snapshots/one/restore", &[], b"").status, 200);
        assert_eq!(given_up(&world), [line]);
    }
}

#[test]
fn a_waiting_event_survives_a_restart_and_a_new_destination_begins_with_new_events() {
    // The first port has no listener.
    let unreachable = BusTarget::Url("http://127.0.0.1:1".to_owned());
    let mut world = world(vec![("hook", BusDestination { target: unreachable, filter: BusFilter::default() })]);
    world.restart_with(|settings| settings.event_bridge.attempts = 1_000_000);
    let commit = put_file(&world, "main");
    world.stop();
    let (hook, new) = (Destination::start(&[]), Destination::start(&[]));
    world.restart_with(|settings| {
        settings.event_bridge.destinations = [("hook".to_owned(), url(&hook)), ("new".to_owned(), url(&new))].into();
    });
    assert_eq!(names(&[hook.next_json()]), ["main"]);
    create_branch(&world, "next", &commit);
    assert_eq!(names(&[hook.next_json(), new.next_json()]), ["next", "next"]);
    world.restart();
    create_branch(&world, "last", &commit);
    // Nothing is sent again.
    assert_eq!(names(&[hook.next_json(), new.next_json()]), ["last", "last"]);
    assert_eq!(names(&lines(&world)), ["main", "next", "last"]);
}

#[test]
fn a_flush_tries_waiting_events_at_once() {
    let destination = Destination::start(&[503]);
    let mut world = world(vec![("hook", url(&destination))]);
    world.restart_with(|settings| settings.event_bridge.first_retry = Duration::from_mins(5));
    put_file(&world, "main");
    assert_eq!(names(&[destination.next_json()]), ["main"]);
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    assert_eq!(names(&[destination.next_json()]), ["main"]);
}

#[test]
fn a_destination_gets_only_the_events_of_its_filter() {
    let destination = Destination::start(&[]);
    let pattern = |text: &str| vec![aws::Pattern::new(text)];
    let filter = BusFilter {
        detail_types: pattern("CodeCommit Repository*"),
        events: pattern("referenceDeleted"),
        repositories: pattern("MyDemo*"),
    };
    let world = world(vec![("filtered", BusDestination { filter, ..url(&destination) })]);
    let commit = put_file(&world, "main");
    create_branch(&world, "one", &commit);
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "one" }));
    let event = destination.next_json();
    assert_eq!((&event["detail"]["event"], names([&event])), (&json!("referenceDeleted"), vec!["one"]));
}

#[test]
fn failed_entries_are_sent_again_before_the_next_ones() {
    let failed = r#"{"FailedEntryCount":2,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"Slow"},
        {"EventId":"1"},{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"No"}]}"#;
    let one = r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#;
    let events = Destination::start_with(vec![(200, failed.to_owned())], one);
    // The three events of one push are stored together, so they are in one request.
    let world = world(vec![("bus", endpoint(events.url()))]);
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:a", "HEAD:b", "HEAD:c"]).ok();
    let names_of = |request: Value| -> Vec<String> {
        let entries = request["Entries"].as_array().expect("a request has entries").clone();
        let detail = |entry: &Value| -> Value {
            serde_json::from_str(entry["Detail"].as_str().expect("the detail is text")).expect("the text is JSON")
        };
        entries.iter().map(|entry| detail(entry)["referenceName"].as_str().expect("a name").to_owned()).collect()
    };
    let first = names_of(events.next_json());
    assert_eq!(first.len(), 3);
    assert_eq!(names_of(events.next_json()), first[..1]);
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "c" }));
    assert_eq!(names_of(events.next_json()), ["c"]);
}

#[test]
fn a_rule_of_moto_forwards_the_events_of_a_push_and_of_a_merged_pull_request() {
    let moto = Moto::start();
    let mut world = World::new();
    moto.rule_with_queue(&world, "events");
    world.restart_with(|settings| {
        settings.event_bridge.destinations = [("bus".to_owned(), endpoint(moto.url()))].into();
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, "HEAD:main"]).ok();
    let commit = world.git_commit("work", "more.txt", "More.\n");
    world.git("work", &["push", "--quiet", &url, "HEAD:feature"]).ok();
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    world.ok("CreatePullRequest", &json!({ "title": "A feature", "targets": targets }));
    let merge = json!({ "pullRequestId": "1", "repositoryName": "MyDemoRepo" });
    world.ok("MergePullRequestByFastForward", &merge);
    let written = lines(&world);
    let received = moto.receive(&world, "events", written.len());
    let received: Vec<Value> =
        received.iter().map(|body| serde_json::from_str(body).expect("a message is an event")).collect();
    let details =
        |events: &[Value]| -> BTreeSet<String> { events.iter().map(|event| event["detail"].to_string()).collect() };
    assert_eq!(details(&received), details(&written));
    let merged = written.iter().find(|event| event["detail"]["event"] == "pullRequestMergeStatusUpdated");
    assert_eq!(merged.expect("the pull request was merged")["detail"]["sourceCommit"], commit);
    let types: BTreeSet<_> = received.iter().map(|event| event["detail-type"].to_string()).collect();
    assert_eq!(types.len(), 2, "{types:?}");
    assert!(received.iter().all(|event| event["source"] == "aws.codecommit"));
}

#[test]
fn recorded_calls_are_events_by_a_setting() {
    let mut world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "Before" }));
    let destination = Destination::start(&[]);
    world.restart_with(|settings| {
        settings.event_bridge.records.api_calls = true;
        settings.event_bridge.destinations = [("hook".to_owned(), url(&destination))].into();
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git("", &["ls-remote", &world.repository_url("MyDemoRepo")]).ok();
    let events = [destination.next_json(), destination.next_json()];
    let names: Vec<_> = events.iter().map(|event| event["detail"]["eventName"].clone()).collect();
    assert_eq!(names, ["CreateRepository", "GitPull"]);
    let mut record = world.events().into_iter().nth(1).expect("the call is recorded");
    record.as_object_mut().expect("a record is an object").shift_remove("recipientAccountId");
    assert_eq!(events[0]["detail"].to_string(), record.to_string());
    wait_until("the file has the events", || lines(&world).len() == 2);
    world.restart();
    put_file(&world, "main");
    // The event of the change is there at once, and that of its call follows.
    wait_until("the file has the events", || lines(&world).len() == 4);
    let ids: BTreeSet<_> = lines(&world).iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_reset_removes_all_events_and_a_restore_brings_back_those_of_its_snapshot() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let destination = Destination::start(&[]);
    let mut world = world(vec![("hook", url(&destination))]);
    world.restart_with(|settings| settings.allow_reset = true);
    let commit = put_file(&world, "main");
    let before = lines(&world);
    assert_eq!(destination.next_json(), before[0]);
    assert_eq!(world.send("POST", "/_local/snapshots/one", &[], b"").status, 200);
    create_branch(&world, "next", &commit);
    assert_eq!(names(&[destination.next_json()]), ["next"]);
    assert_eq!(world.send("POST", "/_local/snapshots/one/restore", &[], b"").status, 200);
    assert_eq!(lines(&world), before);
    create_branch(&world, "other", &commit);
    assert_eq!(names(&[destination.next_json()]), ["other"]);
    assert_eq!(names(&lines(&world)), ["main", "other"]);
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(lines(&world), Vec::<Value>::new());
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    put_file(&world, "again");
    assert_eq!(names(&[destination.next_json()]), ["again"]);
    world.restart();
    assert_eq!(names(&lines(&world)), ["again"]);
}

#[test]
fn a_lost_or_cut_file_gets_the_events_after_its_last_position_and_new_ones() {
    let mut world = world(vec![]);
    let commit = put_file(&world, "main");
    create_branch(&world, "one", &commit);
    world.stop();
    let path = world.folder().join("data/eventbridge.ndjson");
    let text = std::fs::read_to_string(&path).expect("the file exists");
    // A line that a crash has cut: what was stored at the stop is not written again.
    std::fs::write(&path, text.clone() + "{\"version\":").expect("the file is writable");
    world.restart();
    assert_eq!(names(&lines(&world)), ["main", "one"]);
    world.stop();
    std::fs::remove_file(&path).expect("the file exists");
    world.restart();
    create_branch(&world, "two", &commit);
    assert_eq!(names(&lines(&world)), ["two"]);
}

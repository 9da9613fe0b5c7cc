//! `codecommit-local events`: the trail in the terminal and in pipes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::wire::signed;
use tests::{World, binary};

fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::path());
    command.env_clear().current_dir(world.folder()).args(["events", "--data-dir", "data"]).args(arguments);
    command
}

fn printed(world: &World, arguments: &[&str]) -> String {
    let output = command(world, arguments).output().expect("the program is built");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// Returns the positions of the records that a filter selects.
fn admitted(world: &World, arguments: &[&str]) -> Vec<usize> {
    let all = world.events();
    let text = printed(world, &[arguments, &["--json"]].concat());
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is a record"));
    records.map(|record| all.iter().position(|event| *event == record).expect("the record is in the trail")).collect()
}

/// Creates a trail of six different calls.
fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.ok("CreateRepository", &json!({ "repositoryName": "MySecondRepo" }));
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.call("GetRepository", &json!({ "repositoryName": "Other" }));
    let signature = signed("AKIAI44QH8DHBEXAMPLE", "us-east-2");
    world.call_as("ListRepositories", &json!({}), &[("authorization", &signature)]);
    world.git(".", &["ls-remote", &world.repository_url("MyDemoRepo")]).ok();
    world
}

#[test]
fn each_filter_selects_its_events_only() {
    let world = world();
    let none: [usize; 0] = [];
    assert_eq!(admitted(&world, &[]), [0, 1, 2, 3, 4, 5]);
    assert_eq!(admitted(&world, &["--name", "CreateRepository"]), [0, 1]);
    assert_eq!(admitted(&world, &["--name", "GitPull"]), [5]);
    assert_eq!(admitted(&world, &["--user", "Mary_Major"]), [0, 1, 2, 3, 5]);
    assert_eq!(admitted(&world, &["--user", "AKIAI44QH8DHBEXAMPLE"]), [4]);
    assert_eq!(admitted(&world, &["--repository", "MyDemoRepo"]), [0, 2, 5]);
    assert_eq!(admitted(&world, &["--region", "us-east-2"]), [4]);
    assert_eq!(admitted(&world, &["--account", "444455556666"]), none);
    assert_eq!(admitted(&world, &["--failed"]), [3]);
    assert_eq!(admitted(&world, &["--writes"]), [0, 1]);
    assert_eq!(admitted(&world, &["--writes", "--repository", "MyDemoRepo"]), [0]);
}

#[test]
fn filters_accept_several_values_patterns_and_times() {
    let world = world();
    let none: [usize; 0] = [];
    assert_eq!(admitted(&world, &["--name", "Create*,GitPull"]), [0, 1, 5]);
    assert_eq!(admitted(&world, &["--repository", "My*", "--name", "GetRepository"]), [2]);
    assert_eq!(admitted(&world, &["--service", "codecommit", "--user", "AKIA*"]), [4]);
    assert_eq!(admitted(&world, &["--service", "sts.amazonaws.com"]), none);
    assert_eq!(admitted(&world, &["--ip", "127.0.0.*"]), [0, 1, 2, 3, 4, 5]);
    assert_eq!(admitted(&world, &["--since", "2016-12-14T18:19:16Z", "--until", "2016-12-14T18:19:18Z"]), [2, 3, 4]);
    assert_eq!(admitted(&world, &["--since", "2016-12-15"]), none);
    assert_eq!(admitted(&world, &["--since", "1h"]), none, "the clock of the test is of 2016");
    assert_eq!(admitted(&world, &["--last", "2"]), [4, 5]);
    assert_eq!(admitted(&world, &["--last", "1", "--writes"]), [1]);
    let wrong = command(&world, &["--since", "yesterday"]).output().expect("the program is built");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("2016-12-14"), "{wrong:?}");
}

#[test]
fn a_filter_value_that_never_occurred_causes_a_warning() {
    let world = world();
    let output = command(&world, &["--user", "Mary_Major,Mary"]).output().expect("the program is built");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "codecommit-local: no event of the trail has the user 'Mary'\n"
    );
    assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 6);
}

#[test]
fn events_are_counted_and_written_as_csv() {
    let world = world();
    assert_eq!(printed(&world, &["--count-by", "user"]), "       5  Mary_Major\n       1  AKIAI44QH8DHBEXAMPLE\n");
    assert_eq!(printed(&world, &["--count-by", "hour", "--csv"]), "count,hour\n6,2016-12-14T18:00Z\n");
    let repositories = printed(&world, &["--count-by", "repository", "--writes"]);
    assert_eq!(repositories, "       1  MyDemoRepo\n       1  MySecondRepo\n");
    let table = printed(&world, &["--csv", "--name", "CreateRepository"]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0][..3], ["time", "user", "account"]);
    assert_eq!(lines[1][..3], ["2016-12-14T18:19:14Z", "Mary_Major", "111122223333"]);
    assert!(lines.len() == 3 && lines.iter().all(|line| line.len() == lines[0].len()), "{table}");
}

#[test]
fn events_can_be_read_from_a_running_server() {
    let world = world();
    let from_folder = printed(&world, &["--json"]);
    let output = Command::new(binary::path())
        .env_clear()
        .args(["events", "--json", "--endpoint", &format!("{}/", world.endpoint())])
        .output()
        .expect("the program is built");
    assert_eq!(String::from_utf8_lossy(&output.stdout), from_folder, "{output:?}");
    assert_eq!(world.events().len(), 6, "reading events leaves no record");
    let unreachable = Command::new(binary::path()).args(["events", "--endpoint", "http://127.0.0.1:1"]).output();
    let unreachable = unreachable.expect("the program is built");
    assert!(!unreachable.status.success());
    assert!(String::from_utf8_lossy(&unreachable.stderr).contains("http://127.0.0.1:1"), "{unreachable:?}");
}

#[test]
fn following_a_trail_continues_after_a_reset() {
    let world = World::with(|settings| settings.allow_reset = true);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    for arguments in [vec!["--follow", "--json"], vec!["--follow", "--json", "--endpoint", &world.endpoint()]] {
        let mut child = command(&world, &arguments).stdout(Stdio::piped()).spawn().expect("the program is built");
        let mut lines = BufReader::new(child.stdout.take().expect("the stream is piped")).lines();
        let mut next = || -> Value {
            let line = lines.next().expect("another line follows").expect("the output is UTF-8");
            serde_json::from_str(&line).expect("a line is a record")
        };
        assert_eq!(next()["eventName"], "CreateRepository");
        assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
        world.ok("CreateRepository", &json!({ "repositoryName": "AfterReset" }));
        assert_eq!(next()["requestParameters"]["repositoryName"], "AfterReset");
        child.kill().expect("the process runs");
        child.wait().expect("the process is a child of the test");
    }
}

#[test]
fn records_are_printed_as_they_are() {
    let world = world();
    let trail = std::fs::read_to_string(world.trail_folder().join("events.ndjson")).expect("the file exists");
    assert_eq!(printed(&world, &["--json"]), trail);
}

#[test]
fn control_characters_of_a_record_are_escaped() {
    let world = World::new();
    let name = "a\u{7f}\u{9b}31m\u{202e}b\u{2066}";
    world.call("GetRepository", &json!({ "repositoryName": name }));
    let records = printed(&world, &["--json"]);
    let person = printed(&world, &[]);
    for control in ['\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}'] {
        assert!(!records.contains(control) && !person.contains(control), "{control:?}");
    }
    assert!(records.contains("\\u007f\\u009b31m\\u202eb\\u2066"), "{records}");
    let record: Value = serde_json::from_str(&records).expect("the text is JSON");
    assert_eq!(record["requestParameters"]["repositoryName"], name);
    assert_eq!(record, world.events()[0]);
}

#[test]
fn a_line_without_a_record_is_skipped() {
    let world = World::new();
    world.ok("ListRepositories", &json!({}));
    let path = world.trail_folder().join("events.ndjson");
    let mut content = std::fs::read(&path).expect("the file exists");
    content.extend(b"\xff\xfe\0\0\n");
    std::fs::write(&path, content).expect("the folder is writable");
    world.ok("ListRepositories", &json!({}));
    assert_eq!(printed(&world, &["--json"]).lines().count(), 2);
}

#[test]
fn each_event_is_printed_on_one_line() {
    let world = world();
    let text = printed(&world, &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(!text.contains('\u{1b}'), "a pipe gets no colours");
    for (line, words) in lines.iter().zip([
        ["2016-12-14T18:19:14Z", "Mary_Major", "CreateRepository", "MyDemoRepo"],
        ["2016-12-14T18:19:15Z", "111122223333", "us-east-1", "MySecondRepo"],
        ["2016-12-14T18:19:16Z", "Mary_Major", "GetRepository", "MyDemoRepo"],
        ["GetRepository", "Other", "RepositoryDoesNotExistException", "Other does not exist"],
        ["AKIAI44QH8DHBEXAMPLE", "us-east-2", "ListRepositories", "111122223333"],
        ["2016-12-14T18:19:19Z", "Mary_Major", "GitPull", "MyDemoRepo"],
    ]) {
        for word in words {
            assert!(line.contains(word), "{word:?} is not in {line:?}");
        }
    }
}

#[test]
fn events_of_every_service_show_their_resource() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let repository = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
    let trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local";
    let both = json!([trail, repository]);
    world.ok("TagResources", &json!({ "ResourceARNList": both, "Tags": { "Team": "blue" } }));
    world.ok("GetResources", &json!({ "ResourceARNList": both }));
    world.ok("GetResources", &json!({ "ResourceTypeFilters": ["codecommit:repository"] }));
    world.ok("UntagResources", &json!({ "ResourceARNList": both, "TagKeys": ["Team"] }));
    world.ok("BatchGetRepositories", &json!({ "repositoryNames": ["MyDemoRepo", "Other"] }));
    world.ok("TagResource", &json!({ "resourceArn": repository, "tags": { "Team": "blue" } }));
    world.ok("ListTags", &json!({ "ResourceIdList": [trail] }));
    world.ok("GetTrail", &json!({ "Name": "codecommit-local" }));
    let text = printed(&world, &[]);
    let both = "trail/codecommit-local, MyDemoRepo";
    for (name, about) in [
        ("TagResources", both),
        ("AddTags", "trail/codecommit-local"),
        ("GetResources", both),
        ("GetResources", "codecommit:repository"),
        ("UntagResources", both),
        ("BatchGetRepositories", "MyDemoRepo, Other"),
        ("TagResource", "MyDemoRepo"),
        ("ListTags", "trail/codecommit-local"),
        ("GetTrail", "trail/codecommit-local"),
    ] {
        let name = format!(" {name} ");
        assert!(text.lines().any(|line| line.contains(&name) && line.ends_with(about)), "{name}{about}: {text}");
    }
    for name in ["TagResources", "UntagResources"] {
        assert_eq!(admitted(&world, &["--repository", "MyDemoRepo", "--name", name]).len(), 1, "{name}");
    }
    assert!(!text.lines().any(|line| line.ends_with('-')), "{text}");
}

#[test]
fn following_a_trail_prints_new_events() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut child =
        command(&world, &["--follow", "--json"]).stdout(Stdio::piped()).spawn().expect("the program is built");
    let mut lines = BufReader::new(child.stdout.take().expect("the stream is piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("another line follows").expect("the output is UTF-8");
        serde_json::from_str(&line).expect("a line is a record")
    };
    assert_eq!(next()["eventName"], "CreateRepository");
    world.ok("ListRepositories", &json!({}));
    assert_eq!(next()["eventName"], "ListRepositories");
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(next()["eventName"], "DeleteRepository");
    child.kill().expect("the process runs");
    child.wait().expect("the process is a child of the test");
}

#[test]
fn a_missing_trail_is_reported_with_a_remedy() {
    let world = World::new();
    let output = Command::new(binary::path())
        .env_clear()
        .current_dir(world.folder())
        .args(["events", "--trail-dir", "nothing"])
        .output()
        .expect("the program is built");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("--trail-dir"), "{message}");
    let by_variable = Command::new(binary::path())
        .env_clear()
        .current_dir(world.folder())
        .env("CODECOMMIT_LOCAL_DATA_DIR", "data")
        .arg("events")
        .output()
        .expect("the program is built");
    assert!(by_variable.status.success(), "{by_variable:?}");
}

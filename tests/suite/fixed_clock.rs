//! Fixed times and ids: the same calls leave the same records, ids and commits in every run.

use std::path::Path;

use serde_json::Value;
use tests::binary::Running;
use tests::clients::{aws, git};
use tests::read_events;

/// Flags that fix everything.
const FIXED: [&str; 5] = ["--allow-reset", "--clock", "2026-01-31T12:00:00Z", "--id-seed", "lab"];

/// Sends a call as a user of the default account; returns the reply's body.
fn call(server: &Running, target: Option<&str>, body: &str) -> String {
    let mut request =
        ureq::post(server.endpoint()).header("authorization", tests::wire::signed("Li_Juan", "us-east-1"));
    request = match target {
        Some(operation) => request.header("x-amz-target", format!("CodeCommit_20150413.{operation}")),
        None => request.content_type("application/x-www-form-urlencoded"),
    };
    let mut reply = request.send(body).expect("the call succeeds");
    reply.body_mut().read_to_string().expect("the reply is text").replace(server.endpoint(), "URL")
}

/// Runs calls of several services and a push; returns their replies.
fn story(server: &Running, folder: &Path) -> Vec<String> {
    let url = format!("{}/v1/repos/demo", server.endpoint());
    let mut replies = vec![
        call(server, Some("CreateRepository"), r#"{"repositoryName":"demo"}"#),
        call(server, Some("PutFile"), PUT_FILE),
        call(server, None, "Action=CreateUser&Version=2010-05-08&UserName=Ana"),
        call(
            server,
            None,
            &format!("Action=CreateRole&Version=2010-05-08&RoleName=build&AssumeRolePolicyDocument={TRUST}"),
        ),
    ];
    for form in [
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/build&RoleSessionName=s1",
        "Action=CreateAccessKey&Version=2010-05-08&UserName=Ana",
    ] {
        // Secrets are derived from a random key of the data folder.
        let reply = call(server, None, form);
        let (before, rest) = reply.split_once("<SecretAccessKey>").expect("the reply has a secret");
        let (_, after) = rest.split_once("</SecretAccessKey>").expect("the element has an end");
        replies.push(format!("{before}{after}"));
    }
    let clone = folder.join("clone");
    git(folder, &["clone", "--quiet", &url, "clone"]).ok();
    git(&clone, &["commit", "--quiet", "--allow-empty", "--message", "empty"]).ok();
    git(&clone, &["push", "--quiet", "origin", "HEAD:other"]).ok();
    replies.push(call(server, Some("ListBranches"), r#"{"repositoryName":"demo"}"#));
    replies.push(git(&clone, &["log", "--format=%H %cI %an"]).ok());
    std::fs::remove_dir_all(clone).expect("the folder is writable");
    replies
}

const PUT_FILE: &str = r#"{"repositoryName":"demo","branchName":"main","filePath":"a","fileContent":"YQ=="}"#;

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22\
    AWS%22%3A%22*%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

/// The records without what names the port, and the client's process.
fn records(trail: &Path, server: &Running) -> Vec<Value> {
    let address = server.endpoint().trim_start_matches("http://");
    let text = serde_json::to_string(&read_events(trail)).expect("records are JSON").replace(address, "ADDRESS");
    serde_json::from_str(&text).expect("the text was JSON")
}

fn post(server: &Running, path: &str) {
    let sent = ureq::post(format!("{}{path}", server.endpoint())).send_empty();
    assert_eq!(sent.expect("the server allows it").status(), 200);
}

#[test]
fn records_ids_and_commits_are_the_same_in_every_run_and_after_a_reset_or_restore() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let data = folder.path().join("data");
        let server = Running::start(&[&["--data-dir", data.to_str().expect("the path is UTF-8")], &FIXED[..]].concat());
        let run = |name: &str| {
            let replies = story(&server, folder.path());
            (name.to_owned(), replies, records(&data.join("trail"), &server))
        };
        post(&server, "/_local/snapshots/empty");
        runs.push(run("start"));
        post(&server, "/_local/reset");
        runs.push(run("reset"));
        post(&server, "/_local/snapshots/empty/restore");
        runs.push(run("restore"));
    }
    let (_, replies, records) = runs.swap_remove(0);
    for (name, other_replies, other_records) in runs {
        assert_eq!(other_replies, replies, "{name}");
        assert_eq!(other_records, records, "{name}");
    }
    let times: Vec<_> = records.iter().map(|event| event["eventTime"].as_str().expect("the time is text")).collect();
    assert_eq!(times[..3], ["2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z", "2026-01-31T12:00:02Z"]);
}

#[test]
fn the_step_is_the_time_between_calls() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let flags = ["--clock", "1999-12-31T23:59:00Z", "--clock-step", "1m", "--data-dir"];
    let server = Running::start(&[&flags[..], &[data.to_str().expect("the path is UTF-8")]].concat());
    for _ in 0..3 {
        call(&server, Some("ListRepositories"), "{}");
    }
    let events = read_events(&data.join("trail"));
    let times: Vec<_> = events.iter().map(|event| event["eventTime"].as_str().expect("the time is text")).collect();
    assert_eq!(times, ["1999-12-31T23:59:00Z", "2000-01-01T00:00:00Z", "2000-01-01T00:01:00Z"]);
}

#[test]
fn signatures_are_checked_against_the_machines_clock() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let key =
        ["--root-access-key", "AKIAIOSFODNN7EXAMPLE", "--root-secret-key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"];
    let flags = [&["--ephemeral", "--access", "signed"], &FIXED[..], &key].concat();
    let server = Running::start(&flags);
    aws(folder.path(), server.endpoint(), &["codecommit", "list-repositories"]).ok();
}

//! The identities file and the sheets of `codecommit-local identities`, with the real server and clients.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::binary::Running;
use tests::clients::{Outcome, outcome, python_folder};
use tests::read_events;

use crate::settings::{folder, program};

/// The address on the sheets; it is replaced by the real one.
const ADDRESS: &str = "127.0.0.1:4599";

/// Writes an identities file and the sheets with flags, and starts a server with an access mode.
fn start(folder: &Path, flags: &[&str], access: &str) -> Running {
    let mut command = program(folder);
    let written = outcome(command.args(["identities", "--users", "20", "--sheets", "sheets"]).args(flags));
    assert!(written.success && written.out.is_empty(), "{}", written.err);
    let mut command = program(folder);
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        "data",
        "--access",
        access,
        "--identities",
        "identities.toml",
    ]);
    Running::start_command(command)
}

/// Pastes a sheet into a shell that has no settings; the first command that fails ends it.
fn paste(folder: &Path, running: &Running, user: &str) -> Outcome {
    let sheet = fs::read_to_string(folder.join(format!("sheets/{user}.txt"))).expect("the user has a sheet");
    let (_, address) = running.endpoint().split_once("://").expect("the endpoint is a URL");
    let work = folder.join(user);
    fs::create_dir(&work).expect("the folder is writable");
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", &sheet.replace(ADDRESS, address)])
        .current_dir(&work)
        .env_clear()
        .env("PATH", format!("{}:{}", python_folder().display(), std::env::var("PATH").unwrap_or_default()))
        .env("HOME", &work)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "");
    outcome(&mut command)
}

/// Returns the ARNs of the callers of Git, in the order of the events.
fn git_callers(folder: &Path) -> Vec<String> {
    let events = read_events(&folder.join("data/trail")).into_iter();
    let events = events.filter(|event| event["eventName"].as_str().is_some_and(|name| name.starts_with("Git")));
    events.map(|event| event["userIdentity"]["arn"].as_str().expect("the caller has an ARN").to_owned()).collect()
}

#[test]
fn each_line_of_a_sheet_works_and_calls_as_its_user() {
    let folder = folder();
    let running = start(folder.path(), &[], "signed");
    for user in ["student01", "student20"] {
        let arn = format!("arn:aws:iam::111122223333:user/{user}");
        let before = git_callers(folder.path()).len();
        let printed = paste(folder.path(), &running, user);
        assert!(printed.success, "{}{}", printed.out, printed.err);
        assert_eq!(printed.out.lines().next(), Some(arn.as_str()));
        assert!(!printed.err.contains("Unknown options"), "{}", printed.err);
        // A clone of nothing is one request; a push and two further clones are two each.
        let callers = git_callers(folder.path()).split_off(before);
        assert!(callers.len() == 7 && callers.iter().all(|caller| *caller == arn), "{callers:?}");
        for clone in ["", "-git-credentials", "-git-remote-codecommit"] {
            let clone = folder.path().join(user).join(format!("{user}{clone}"));
            assert_eq!(tests::clients::git(&clone, &["log", "--format=%s %an"]).ok(), format!("First commit {user}"));
        }
    }
    // Another file has other keys of the same names.
    let other = tempfile::tempdir_in(folder.path()).expect("the folder is writable");
    outcome(program(other.path()).args(["identities", "--users", "1", "--sheets", "sheets"])).ok();
    let refused = paste(other.path(), &running, "student01").failed();
    assert!(refused.contains("InvalidClientTokenId"), "{refused}");
}

#[test]
fn sheets_name_another_account_and_region_use_tls_and_need_the_default_policy_only() {
    let folder = folder();
    let flags = ["--endpoint", &format!("https://{ADDRESS}"), "--account", "444455556666", "--region", "eu-west-1"];
    let running = start(folder.path(), &flags, "enforced");
    paste(folder.path(), &running, "student07").ok();
    let events = read_events(&folder.path().join("data/trail"));
    let of_service = |event: &&Value| event["eventSource"] == "codecommit.amazonaws.com";
    for event in events.iter().filter(of_service) {
        assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::444455556666:user/student07");
        assert_eq!(event["awsRegion"], "eu-west-1");
    }
    assert_eq!(events.iter().filter(of_service).count(), 8);
    let created = events.iter().find(|event| event["eventName"] == "CreateRepository").expect("the user creates one");
    let url = &created["responseElements"]["repositoryMetadata"]["cloneUrlHttp"];
    assert!(url.as_str().is_some_and(|url| url.starts_with("https://")), "{url}");
}

#[test]
fn the_file_can_be_written_to_standard_output() {
    let folder = folder();
    let file = outcome(program(folder.path()).args(["identities", "--users", "2", "--out", "-"])).ok();
    assert!(file.contains("name = \"student02\""), "{file}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder exists").count(), 0);
}

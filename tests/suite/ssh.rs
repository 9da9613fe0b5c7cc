//! Git over SSH with OpenSSH's client: sessions, refusals, records, and the ends of connections.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use git::Offers;
use serde_json::{Value, json};
use tests::clients::outcome;
use tests::ssh::KEY_ID;
use tests::{World, wait_until};

/// The installed programs `git`.
pub(crate) fn programs() -> impl Iterator<Item = &'static str> {
    ["/usr/bin/git", "/usr/local/bin/git"].into_iter().filter(|program| Path::new(program).exists())
}

fn world(change: impl FnOnce(&mut server::Settings)) -> World {
    let world = World::with_ssh(change);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Creates a repository with two commits and pushes it over SSH; returns the id of the second.
fn push(world: &World) -> String {
    world.git_repository("work");
    let id = world.git_commit("work", "two", "2\n");
    world.git_over_ssh("git", "declared", "work", &["push", "--quiet", &world.ssh_url("MyDemoRepo"), "main"]).ok();
    id
}

/// Returns the events of Git.
fn git_events(world: &World) -> Vec<Value> {
    let is_git = |event: &Value| event["eventName"].as_str().is_some_and(|name| name.starts_with("Git"));
    world.events().into_iter().filter(is_git).collect()
}

/// Starts a session whose client sends nothing, and waits for its advertisement.
fn silent_client(world: &World) -> Child {
    let mut command = world.ssh_command("declared", KEY_ID);
    let command = command.arg("git-receive-pack '/v1/repos/MyDemoRepo'");
    let before = git_events(world).len();
    let child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ssh is there");
    wait_until("the advertisement is recorded", || git_events(world).len() > before);
    child
}

#[test]
fn every_git_clones_fetches_and_pushes_in_every_version() {
    let world = world(|settings| settings.git.offers = Offers::FULL);
    let id = push(&world);
    let url = world.ssh_url("MyDemoRepo");
    for (number, program) in programs().enumerate() {
        for version in ["0", "1", "2"] {
            let protocol = format!("protocol.version={version}");
            let git = |folder: &str, arguments: &[&str]| {
                world.git_over_ssh(program, "declared", folder, &[&["-c", &protocol], arguments].concat()).ok()
            };
            let clone = format!("clone-{number}-{version}");
            git(".", &["clone", "--quiet", &url, &clone]);
            assert_eq!(git(&clone, &["rev-parse", "HEAD"]), id, "{program} {version}");
            let shallow = format!("shallow-{number}-{version}");
            git(".", &["clone", "--quiet", "--depth=1", &url, &shallow]);
            assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "1");
            git(&shallow, &["fetch", "--quiet", "--unshallow"]);
            assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "2");
            world.git_commit(&clone, "three", &format!("{number} {version}\n"));
            let branch = format!("b{number}-{version}");
            git(&clone, &["push", "--quiet", "origin", &format!("HEAD:{branch}")]);
            git(&shallow, &["fetch", "--quiet", "origin", &branch]);
            assert_eq!(git(&shallow, &["rev-parse", "FETCH_HEAD"]), git(&clone, &["rev-parse", "HEAD"]));
            assert!(git(&clone, &["ls-remote", &url]).contains(&format!("refs/heads/{branch}")));
            git(&clone, &["push", "--quiet", "origin", &format!(":{branch}")]);
            assert!(!git(&clone, &["ls-remote", &url]).contains(&format!("refs/heads/{branch}")));
            git(&clone, &["push", "--quiet", "origin", "HEAD~1:main"]);
            git(&clone, &["fsck", "--strict"]);
        }
    }
}

#[test]
fn the_capabilities_of_codecommit_serve_clone_push_and_negotiation() {
    let world = world(|_| ());
    let id = push(&world);
    let url = world.ssh_url("MyDemoRepo");
    world.git_over_ssh("git", "declared", ".", &["clone", "--quiet", &url, "clone"]).ok();
    assert_eq!(world.git("clone", &["rev-parse", "HEAD"]).ok(), id);
    // Enough commits of its own for several rounds of the negotiation.
    for number in 0..40 {
        world.git_commit("clone", "file", &number.to_string());
    }
    world.git_commit("work", "three", "3\n");
    world.git_over_ssh("git", "declared", "work", &["push", "--quiet", &url, "main"]).ok();
    world.git_over_ssh("git", "declared", "clone", &["fetch", "--quiet"]).ok();
    let fetched = world.git("clone", &["rev-parse", "origin/main"]).ok();
    assert_eq!(fetched, world.git("work", &["rev-parse", "main"]).ok());
}

#[test]
fn records_have_the_user_and_the_client_of_ssh() {
    let world = world(|settings| settings.event_version = trail::EventVersion::V1_11);
    let id = push(&world);
    world.git_over_ssh("git", "declared", ".", &["clone", "--quiet", &world.ssh_url("MyDemoRepo"), "clone"]).ok();
    world.git_over_ssh("git", "declared", "clone", &["fetch", "--quiet"]).ok();
    let events = git_events(&world);
    let transferred = |event: &Value| event["additionalEventData"]["dataTransferred"].clone();
    let names: Vec<_> = events.iter().map(|event| (event["eventName"].clone(), transferred(event))).collect();
    let expected = [("GitPush", false), ("GitPush", true), ("GitPull", false), ("GitPull", true), ("GitPull", false)];
    assert_eq!(names, expected.map(|(name, transferred)| (json!(name), json!(transferred))));
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event["eventID"].to_string()).collect();
    assert_eq!(ids.len(), events.len(), "every event has an id of its own");
    for event in &events {
        assert_eq!(event["userIdentity"]["type"], "IAMUser");
        assert_eq!(event["userIdentity"]["userName"], "Li_Juan");
        assert_eq!(event["userIdentity"].get("accessKeyId"), None);
        assert!(event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("SSH-2.0-OpenSSH_")), "{event:#}");
        assert_eq!(event["sourceIPAddress"], "127.0.0.1");
        assert_eq!(event["additionalEventData"]["protocol"], "SSH");
        assert_eq!(event["additionalEventData"]["repositoryName"], "MyDemoRepo");
        assert_eq!(event.get("tlsDetails"), None);
        assert_eq!(event.get("errorCode"), None);
        assert_eq!(event["resources"][0]["ARN"], "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo");
    }
    let references = json!([{ "commit": id, "ref": "refs/heads/main" }]);
    assert_eq!(events[1]["requestParameters"]["references"], references);
    assert_eq!(events[3]["additionalEventData"]["shallow"], false);
}

#[test]
fn other_keys_and_login_names_are_refused_without_a_record() {
    let world = world(|_| ());
    let events = world.events().len();
    let command = "git-upload-pack '/v1/repos/MyDemoRepo'";
    for (key, login) in [("other", KEY_ID), ("declared", "APKAEIBAERJR2UNKNOWN"), ("declared", "Li_Juan")] {
        let refused = outcome(world.ssh_command(key, login).arg(command)).failed();
        assert!(refused.contains("Permission denied (publickey)"), "{refused}");
    }
    let url = world.ssh_url("MyDemoRepo");
    let refused = world.git_over_ssh("git", "other", ".", &["ls-remote", &url]).failed();
    assert!(refused.contains("Permission denied (publickey)"), "{refused}");
    assert_eq!(world.events().len(), events);
}

#[test]
fn only_the_two_services_of_git_are_served() {
    let world = world(|_| ());
    let events = world.events().len();
    let greeting = "You have successfully authenticated over SSH. You can use Git to interact with AWS CodeCommit. Interactive \
                    shells are not supported.";
    for (terminal, expected) in [("-T", greeting), ("-tt", "PTY allocation request failed")] {
        let mut command = world.ssh_command("declared", KEY_ID);
        let refused = outcome(command.arg(terminal).stdin(Stdio::null())).failed();
        assert!(refused.contains(expected), "{refused}");
    }
    for (command, reason) in [
        ("ls", "git-upload-pack and git-receive-pack only"),
        ("git-upload-archive '/v1/repos/MyDemoRepo'", "git-upload-pack and git-receive-pack only"),
        ("git-upload-pack '/v1/repos/MyDemoRepo'; ls", "git-upload-pack and git-receive-pack only"),
        ("git-upload-pack '/etc/passwd'", "'/etc/passwd' is not the path of a repository"),
    ] {
        let refused = world.ssh(&[command]).failed();
        assert!(refused.contains(reason), "{command}: {refused}");
    }
    assert!(!world.ssh(&["-s", "sftp"]).success);
    let mut forward = world.ssh_command("declared", KEY_ID);
    let forwarded = outcome(forward.args(["-W", &format!("127.0.0.1:{}", world.port())]).stdin(Stdio::null()));
    assert!(!forwarded.success);
    assert_eq!(world.events().len(), events);
    let missing = world.ssh(&["git-upload-pack '/v1/repos/missing'"]).failed();
    assert!(missing.contains("missing does not exist in us-east-1 of account 111122223333"), "{missing}");
    let event = world.events().pop().expect("the refusal is recorded");
    assert_eq!(event["errorCode"], "RepositoryDoesNotExistException");
    assert_eq!(event["additionalEventData"]["protocol"], "SSH");
}

#[test]
fn a_path_can_name_account_and_region() {
    let world = world(|_| ());
    push(&world);
    for (scope, served) in [("/111122223333/us-east-1", true), ("/111122223333/us-east-2", false)] {
        let url = world.ssh_url("MyDemoRepo").replace("/v1/", &format!("{scope}/v1/"));
        assert_eq!(world.git_over_ssh("git", "declared", ".", &["ls-remote", &url]).success, served, "{scope}");
    }
}

#[test]
fn the_host_key_stays_and_clone_urls_name_this_server() {
    let mut world = world(|_| ());
    let line = world.send("GET", "/_local/known_hosts", &[("host", "localhost:4599")], b"").text();
    assert!(line.starts_with(&format!("[localhost]:{} ssh-ed25519 AAAA", world.ssh_port())), "{line}");
    let key = line.split_once(' ').expect("the line has a key").1.to_owned();
    let metadata = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let url = format!("ssh://127.0.0.1:{}/v1/repos/MyDemoRepo", world.ssh_port());
    assert_eq!(metadata["repositoryMetadata"]["cloneUrlSsh"], url);
    world.restart();
    assert!(world.send("GET", "/_local/known_hosts", &[], b"").text().ends_with(&key));
    world.restart_with(|settings| settings.ssh_listen = None);
    let reply = world.send("GET", "/_local/known_hosts", &[], b"");
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("--ssh-listen"));
    let metadata = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let url = "ssh://127.0.0.1/v1/repos/MyDemoRepo";
    assert_eq!(metadata["repositoryMetadata"]["cloneUrlSsh"], url);
}

#[test]
fn a_client_that_sends_nothing_is_disconnected() {
    // The handshakes must fit into the timeout, too.
    let world = world(|settings| settings.git.timeout = Duration::from_secs(3));
    let mut idle = world.ssh_command("declared", KEY_ID).arg("-N").stdin(Stdio::piped()).spawn().expect("ssh is there");
    let mut silent = silent_client(&world);
    // Otherwise waiting would close it, and the session would end without an error.
    let _input = silent.stdin.take();
    let output = silent.wait_with_output().expect("the session ends");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("the client sent nothing for 3s"), "{message}");
    assert!(!output.status.success());
    assert!(!idle.wait().expect("a connection without a session ends").success());
}

#[test]
fn a_stop_waits_for_sessions_and_ends_those_that_last() {
    let mut world = world(|settings| {
        settings.git.timeout = Duration::from_hours(1);
        settings.stop_timeout = Duration::from_millis(300);
    });
    let mut idle = world.ssh_command("declared", KEY_ID).arg("-N").stdin(Stdio::piped()).spawn().expect("ssh is there");
    let mut silent = silent_client(&world);
    world.stop();
    assert!(!silent.wait().expect("the connection ends").success());
    assert!(!idle.wait().expect("the connection ends").success());
}

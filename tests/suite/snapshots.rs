//! Snapshots of all data: what a restore brings back and what it drops, calls that run meanwhile, names and refusals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tests::database::is_sqlite;
use tests::push::{Push, noise};
use tests::{World, files, log_files};

/// Starts a server that may be reset, with the repository `demo` and the work tree `work`, whose branch `main` is pushed.
fn world() -> World {
    let world = World::with(|settings| {
        settings.allow_reset = true;
        settings.stop_timeout = Duration::from_millis(100);
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    world.git_repository("work");
    world.git("work", &["remote", "add", "origin", &world.repository_url("demo")]).ok();
    world.git("work", &["push", "--quiet", "origin", "main"]).ok();
    world
}

fn post(world: &World, path: &str) -> (u16, Value) {
    let reply = world.send("POST", path, &[], b"");
    (reply.status, reply.json())
}

/// Posts a request that must succeed.
fn done(world: &World, path: &str) {
    assert_eq!(post(world, path), (200, json!({ "status": "done" })), "{path}");
}

fn repositories(world: &World) -> Vec<String> {
    let listed = world.ok("ListRepositories", &json!({}));
    let listed = listed["repositories"].as_array().expect("the value is a list");
    listed.iter().map(|entry| entry["repositoryName"].as_str().expect("the name is text").to_owned()).collect()
}

#[test]
fn a_restore_drops_what_came_after_and_keeps_what_came_before() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world();
    world.digest();
    done(&world, "/_local/snapshots/base");
    let (events, data) = (world.events(), world.folder().join("data"));
    let content = || (files(&data.join("repositories")), log_files(&world.trail_folder()));
    let before = content();

    world.git_commit("work", "second", "second");
    world.git("work", &["push", "--quiet", "origin", "main", "main:other"]).ok();
    world.ok("CreateRepository", &json!({ "repositoryName": "later" }));
    world.digest();
    assert!(content().0.len() > before.0.len() && content().1.len() > before.1.len());

    done(&world, "/_local/snapshots/base/restore");
    assert_eq!(content(), before, "objects and log files");
    assert_eq!(world.events(), events, "records");
    assert_eq!(repositories(&world), ["demo"]);
    assert_eq!(world.git("work", &["ls-remote", "--heads", "origin"]).ok().lines().count(), 1);
    let lookup = json!({ "LookupAttributes": [{ "AttributeKey": "ResourceName", "AttributeValue": "later" }] });
    assert_eq!(world.ok("LookupEvents", &lookup)["Events"], json!([]));
    // Everything works on: the same push again, and digests that validate.
    world.git("work", &["push", "--quiet", "origin", "main"]).ok();
    world.digest();
    assert!(world.verify().ok().contains("valid"));
    world.git(".", &["clone", "--quiet", &world.repository_url("demo"), "clone"]).ok();
    world.git("clone", &["fsck", "--full"]).ok();
}

#[test]
fn a_snapshot_can_be_restored_after_a_restart_and_more_than_once() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let mut world = world();
    done(&world, "/_local/snapshots/base");
    for round in 0..3 {
        world.ok("DeleteRepository", &json!({ "repositoryName": "demo" }));
        if round == 1 {
            world.restart();
        }
        done(&world, "/_local/snapshots/base/restore");
        assert_eq!(repositories(&world), ["demo"]);
        world.git(".", &["clone", "--quiet", &world.repository_url("demo"), &format!("clone{round}")]).ok();
    }
    done(&world, "/_local/reset");
    assert_eq!(repositories(&world), [""; 0]);
    done(&world, "/_local/snapshots/base/restore");
    assert_eq!(repositories(&world), ["demo"]);
}

#[test]
fn a_snapshot_of_the_same_name_replaces_the_older_one() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world();
    done(&world, "/_local/snapshots/base");
    world.ok("CreateRepository", &json!({ "repositoryName": "later" }));
    done(&world, "/_local/snapshots/base");
    done(&world, "/_local/reset");
    done(&world, "/_local/snapshots/base/restore");
    assert_eq!(repositories(&world), ["demo", "later"]);
}

#[test]
fn users_of_the_api_come_back_with_their_snapshot() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world();
    let status = |action: &str| {
        let form = format!("Version=2010-05-08&UserName=Ana&Action={action}");
        world.send("POST", "/", &[("content-type", "application/x-www-form-urlencoded")], form.as_bytes()).status
    };
    done(&world, "/_local/snapshots/without");
    assert_eq!(status("CreateUser"), 200);
    done(&world, "/_local/snapshots/with");
    done(&world, "/_local/snapshots/without/restore");
    assert_eq!(status("GetUser"), 404);
    done(&world, "/_local/snapshots/with/restore");
    assert_eq!(status("GetUser"), 200);
}

#[test]
fn calls_that_run_meanwhile_are_complete_or_wait() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world();
    done(&world, "/_local/snapshots/base");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let (world, stop) = (&world, &stop);
                scope.spawn(move || {
                    for count in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let name = format!("repository-{caller}-{count}");
                        let reply = world.call("CreateRepository", &json!({ "repositoryName": name }));
                        assert_eq!(reply.status, 200, "{}", reply.text());
                        // A restore may have come in between.
                        let read = world.call("GetRepository", &json!({ "repositoryName": name }));
                        assert!([200, 400].contains(&read.status), "{}", read.text());
                    }
                })
            })
            .collect();
        for _ in 0..10 {
            done(&world, "/_local/snapshots/base/restore");
        }
        stop.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("every call is answered");
        }
    });
    // What is there is what the records since the last restore say.
    let events = world.events();
    let created = events.iter().filter(|event| event["eventName"] == "CreateRepository");
    let mut created: Vec<_> =
        created.map(|event| event["requestParameters"]["repositoryName"].as_str().expect("the name is text")).collect();
    created.sort_unstable();
    let mut listed = repositories(&world);
    listed.sort_unstable();
    assert_eq!(listed, created);
}

#[test]
fn a_request_that_does_not_end_prevents_the_change_and_nothing_else() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world();
    done(&world, "/_local/snapshots/base");
    world.ok("CreateRepository", &json!({ "repositoryName": "later" }));
    let tip = world.git_commit("work", "noise", &noise(800_000));
    let push = Push::new(&world.folder().join("work"), "refs/heads/slow", None, &tip);
    let sent = push.bytes() / 2;
    let stream = push.begin(&world.repository_url("demo"), sent).expect("the server reads the request");
    stream.peek(&mut [0]).expect("the server starts to answer");
    for path in ["/_local/reset", "/_local/snapshots/other", "/_local/snapshots/base/restore"] {
        let (status, message) = post(&world, path);
        assert_eq!(status, 409, "{path}");
        assert!(message["message"].as_str().is_some_and(|text| text.contains("nothing was changed")), "{message}");
    }
    assert_eq!(repositories(&world), ["demo", "later"]);
    assert!(push.finish(stream, sent).expect("the push goes on").contains("ok refs/heads/slow"));
    done(&world, "/_local/snapshots/base/restore");
    assert_eq!(repositories(&world), ["demo"]);
}

#[test]
fn snapshots_are_listed_and_removed_and_bad_names_are_refused() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world();
    for name in ["two", "one"] {
        done(&world, &format!("/_local/snapshots/{name}"));
    }
    let listed = world.send("GET", "/_local/snapshots", &[], b"").json();
    let names: Vec<_> =
        listed["snapshots"].as_array().expect("the value is a list").iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(world.send("DELETE", "/_local/snapshots/one", &[], b"").status, 200);
    assert_eq!(world.send("DELETE", "/_local/snapshots/one", &[], b"").status, 404);
    assert_eq!(post(&world, "/_local/snapshots/one/restore").0, 404);
    for name in [".hidden", "%2e%2e", "a%2Fb", "a%20b"] {
        assert_eq!(post(&world, &format!("/_local/snapshots/{name}")).0, 400, "{name}");
    }
    assert_eq!(repositories(&world), ["demo"]);
}

#[test]
fn without_the_setting_nothing_is_saved_or_restored() {
    let world = World::new();
    for path in ["/_local/snapshots/base", "/_local/snapshots/base/restore", "/_local/reset"] {
        let (status, message) = post(&world, path);
        assert_eq!(status, 403, "{path}");
        assert!(message["message"].as_str().is_some_and(|text| text.contains("--allow-reset")), "{message}");
    }
}

#[test]
fn clients_of_tls_and_ssh_are_served_by_the_restored_data() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = World::with_ssh(|settings| settings.allow_reset = true);
    let pem = || std::fs::read_to_string(world.authority_file()).expect("the file exists");
    let known_hosts = || world.send("GET", "/_local/known_hosts", &[], b"").text();
    let before = (pem(), known_hosts());
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    done(&world, "/_local/snapshots/base");
    for path in ["/_local/snapshots/base/restore", "/_local/reset"] {
        done(&world, path);
        assert_eq!((pem(), known_hosts()), before, "{path}");
    }
    done(&world, "/_local/snapshots/base/restore");
    world.git_over_ssh("git", "declared", ".", &["clone", "--quiet", &world.ssh_url("demo"), "clone"]).ok();
}

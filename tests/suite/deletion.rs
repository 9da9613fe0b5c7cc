//! Deletion of repositories in use: running calls and pushes answer that the repository does not exist, and no file is left.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use tests::push::{Push, noise};
use tests::{World, wait_until};

/// Number of deletions under load.
const ROUNDS: usize = 20;

fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    world.git_repository("work");
    world
}

/// Returns the folders of repositories.
fn folders(world: &World) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(world.folder().join("data/repositories")).expect("the folder exists");
    entries.flatten().map(|entry| entry.path()).collect()
}

#[test]
fn a_push_to_a_repository_that_is_deleted_during_it_fails_and_leaves_no_files() {
    let world = world();
    let url = world.repository_url("demo");
    world.git("work", &["push", "--quiet", &url, "main:other"]).ok();
    // The push is so large that the server starts to process it before its end.
    let noise = noise(400_000);
    let tip = world.git_commit("work", "noise", &noise);
    let push = Push::new(&world.folder().join("work"), "refs/heads/main", None, &tip);
    let sent = push.bytes() - 1;
    let held = push.begin(&url, sent).expect("the server reads the request");
    // The server sends the response headers after it has opened the objects of the repository.
    held.peek(&mut [0]).expect("the server starts to answer");
    world.ok("DeleteRepository", &json!({ "repositoryName": "demo" }));
    let reply = push.finish(held, sent).expect("the call is answered");
    assert!(reply.contains("unpack ok"), "{reply}");
    assert!(reply.contains("ng refs/heads/main demo does not exist"), "{reply}");
    let event = world.events().pop().expect("the call is recorded");
    assert_eq!(event["eventName"], "GitPush");
    assert_eq!(event["errorCode"], "RepositoryDoesNotExistException");
    wait_until("no folder of the repository is left", || folders(&world).is_empty());
    let refused = world.git("work", &["push", &url, "main"]).failed();
    assert!(refused.contains("not found"), "{refused}");
}

#[test]
fn calls_that_race_with_a_deletion_succeed_or_fail_with_a_missing_repository() {
    let world = world();
    let (url, tip) = (world.repository_url("demo"), world.git("work", &["rev-parse", "main"]).ok());
    let push = Push::new(&world.folder().join("work"), "refs/heads/main", None, &tip);
    let over = AtomicBool::new(false);
    let wrong: Vec<String> = thread::scope(|scope| {
        let files = || {
            let mut wrong = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let mut file = json!({
                    "repositoryName": "demo", "branchName": "main", "filePath": "a", "fileContent": "YQ==",
                });
                let branch = world.call("GetBranch", &json!({ "repositoryName": "demo", "branchName": "main" }));
                if let Value::String(commit) = &branch.json()["branch"]["commitId"] {
                    file["parentCommitId"] = commit.clone().into();
                }
                let read = json!({ "repositoryName": "demo", "filePath": "a" });
                for reply in [world.call("PutFile", &file), world.call("GetFile", &read)] {
                    if ![200, 400].contains(&reply.status) {
                        wrong.push(reply.text());
                    }
                }
            }
            wrong
        };
        let pushes = || {
            let mut wrong = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let reply = push.send(&url).expect("the call is answered");
                let answers = ["ok refs/heads/main", "ng refs/heads/main failed to update ref"];
                let gone = ["HTTP/1.1 404", "demo does not exist", "the repository does not exist"];
                if !answers.iter().chain(&gone).any(|answer| reply.contains(answer)) {
                    wrong.push(reply);
                }
            }
            wrong
        };
        let clients = [scope.spawn(files), scope.spawn(files), scope.spawn(pushes), scope.spawn(pushes)];
        for _ in 0..ROUNDS {
            // Each round starts with a repository with a branch.
            wait_until("somebody has made the branch", || {
                world.call("GetBranch", &json!({ "repositoryName": "demo", "branchName": "main" })).status == 200
            });
            world.ok("DeleteRepository", &json!({ "repositoryName": "demo" }));
            world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("the process ends")).collect()
    });
    assert_eq!(wrong, Vec::<String>::new());
    world.ok("DeleteRepository", &json!({ "repositoryName": "demo" }));
    wait_until("no folder of a repository is left", || folders(&world).is_empty());
}

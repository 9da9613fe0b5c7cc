//! Four nodes under load, one of which is killed again and again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::git;
use tests::wire::{request, try_send};

use super::{Cluster, call, check_records, local, ok};

const NODES: [&str; 4] = ["a", "b", "c", "d"];

/// Number of kills, unless `CRASH_ROUNDS` in the environment sets another.
const ROUNDS: usize = 6;

/// Calls that are answered between two kills.
const CALLS_BETWEEN: usize = 60;

/// An answered call: its id, and the commit that it has made, if any.
type Answered = (String, Option<String>);

/// Calls a node, also after its restarts; commits to the branch of its name.
fn load(endpoint: &Mutex<String>, branch: &str, answered: &Sender<Answered>, is_over: &AtomicBool) {
    let mut tip = None;
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("{branch}-{number}");
        let (operation, input) = match (number % 2, &tip) {
            (0, _) => ("CreateRepository", json!({ "repositoryName": name })),
            (_, None) => ("GetBranch", json!({ "repositoryName": "files", "branchName": branch })),
            (_, Some(tip)) => {
                let file = json!({
                    "repositoryName": "files", "branchName": branch, "parentCommitId": tip,
                    "filePath": name, "fileContent": "QQ==",
                });
                ("PutFile", file)
            }
        };
        let endpoint = endpoint.lock().clone();
        let Ok(reply) = try_send(request(&endpoint, operation, &input)) else {
            // The node was killed, perhaps after its commit.
            tip = None;
            thread::park_timeout(Duration::from_millis(3));
            continue;
        };
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
        let id = reply.header("x-amzn-requestid").expect("each reply has an id").to_owned();
        let commit = |id: &Value| id.as_str().expect("an id is a string").to_owned();
        let made = match operation {
            "GetBranch" => {
                tip = Some(commit(&reply.json()["branch"]["commitId"]));
                None
            }
            "PutFile" => {
                tip = Some(commit(&reply.json()["commitId"]));
                tip.clone()
            }
            _ => None,
        };
        if answered.send((id, made)).is_err() {
            return;
        }
    }
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_nodes_are_killed_again_and_again() {
    let Some(cluster) = Cluster::new() else { return };
    let mut nodes: Vec<Option<Running>> = NODES.map(|name| Some(cluster.start(name))).into();
    let first = nodes[0].as_ref().expect("it runs");
    ok(first, "CreateRepository", &json!({ "repositoryName": "files" }));
    let file = json!({ "repositoryName": "files", "branchName": "main", "filePath": "first", "fileContent": "QQ==" });
    let commit = &ok(first, "PutFile", &file)["commitId"];
    for name in NODES {
        let branch = json!({ "repositoryName": "files", "branchName": name, "commitId": commit });
        assert_eq!(call(first, "CreateBranch", &branch).status, 200);
    }
    let endpoints: Vec<_> = nodes.iter().flatten().map(|node| Mutex::new(node.endpoint().to_owned())).collect();
    let rounds = std::env::var("CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let is_over = AtomicBool::new(false);
    let (sender, receiver) = channel();
    let mut answered = Vec::new();
    thread::scope(|scope| {
        for (name, endpoint) in NODES.iter().zip(&endpoints) {
            let (sender, is_over) = (sender.clone(), &is_over);
            scope.spawn(move || load(endpoint, name, &sender, is_over));
        }
        drop(sender);
        for round in 0..rounds {
            answered.extend(receiver.iter().take(CALLS_BETWEEN));
            let killed = round % NODES.len();
            nodes[killed].take().expect("it runs").kill();
            let node = cluster.start(NODES[killed]);
            node.endpoint().clone_into(&mut endpoints[killed].lock());
            nodes[killed] = Some(node);
        }
        answered.extend(receiver.iter().take(CALLS_BETWEEN));
        is_over.store(true, Ordering::Relaxed);
        answered.extend(receiver.iter());
    });

    let last = nodes[0].as_ref().expect("it runs");
    for node in nodes.iter().flatten() {
        local(node, "POST", "digest");
    }
    let (ids, made): (Vec<_>, Vec<_>) = answered.into_iter().unzip();
    check_records(&cluster, &ids);
    let url = format!("{}/v1/repos/files", last.endpoint());
    git(cluster.folder.path(), &["clone", "--quiet", "--mirror", &url, "clone"]).ok();
    let clone = cluster.folder.path().join("clone");
    git(&clone, &["fsck", "--strict", "--no-dangling"]).ok();
    let commits = git(&clone, &["rev-list", "--all"]).ok();
    let commits: BTreeSet<&str> = commits.lines().collect();
    let made: Vec<_> = made.into_iter().flatten().collect();
    assert!(made.len() >= rounds);
    for commit in made {
        assert!(commits.contains(commit.as_str()), "{commit} was acknowledged");
    }
}

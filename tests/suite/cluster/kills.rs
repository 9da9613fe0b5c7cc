//! Four nodes under load, one of which is killed again and again, while one combines packs and removes unreachable objects.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::git;
use tests::wait_until;
use tests::wire::{request, try_send};

use super::objects::number;
use super::{Cluster, call, check_records, local, ok};

const NODES: [&str; 4] = ["a", "b", "c", "d"];

/// Number of kills, unless `CRASH_ROUNDS` in the environment sets another.
const ROUNDS: usize = 6;

/// Calls that are answered between two kills.
const CALLS_BETWEEN: usize = 60;

/// An answered call: its id, and the commit that it has made on the branch of its node, if any.
type Answered = (String, Option<String>);

/// Calls of a node, also after its restarts.
struct Load<'a> {
    endpoint: &'a Mutex<String>,
    /// The branch of the node.
    branch: &'a str,
    answered: Sender<Answered>,
    is_over: &'a AtomicBool,
}

impl Load<'_> {
    /// Creates repositories, commits to the branch, and makes commits that nothing refers to any more.
    fn run(&self) {
        let mut tip = None;
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            if self.step(number, &mut tip).is_none() {
                // The node was killed, perhaps after its commit.
                tip = None;
                thread::park_timeout(Duration::from_millis(3));
            }
        }
    }

    /// Makes some calls; `None` if the node was killed meanwhile.
    fn step(&self, number: usize, tip: &mut Option<String>) -> Option<()> {
        let name = format!("{}-{number}", self.branch);
        let parent = if let Some(tip) = tip {
            tip.clone()
        } else {
            let found = self.call("GetBranch", &json!({ "repositoryName": "files", "branchName": self.branch }))?;
            text(&found["branch"]["commitId"])
        };
        match number % 3 {
            0 => drop(self.call("CreateRepository", &json!({ "repositoryName": name }))?),
            1 => *tip = Some(self.put_file(self.branch, &parent, &name)?),
            _ => {
                let branch = json!({ "repositoryName": "files", "branchName": name, "commitId": parent });
                self.call("CreateBranch", &branch)?;
                self.put_file(&name, &parent, "aside")?;
                self.call("DeleteBranch", &json!({ "repositoryName": "files", "branchName": name }))?;
            }
        }
        Some(())
    }

    fn put_file(&self, branch: &str, parent: &str, path: &str) -> Option<String> {
        let file = json!({
            "repositoryName": "files", "branchName": branch, "parentCommitId": parent, "filePath": path,
            "fileContent": "QQ==",
        });
        Some(text(&self.call("PutFile", &file)?["commitId"]))
    }

    /// Returns the reply of a call that succeeded.
    fn call(&self, operation: &str, input: &Value) -> Option<Value> {
        let endpoint = self.endpoint.lock().clone();
        let reply = try_send(request(&endpoint, operation, input)).ok()?;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
        let id = reply.header("x-amzn-requestid").expect("each reply has an id").to_owned();
        let reply = if reply.text().is_empty() { Value::Null } else { reply.json() };
        let is_kept = operation == "PutFile" && input["branchName"] == self.branch;
        // The test may have failed.
        let _ = self.answered.send((id, is_kept.then(|| text(&reply["commitId"]))));
        Some(reply)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("the value is a string").to_owned()
}

/// Starts a node that combines packs and removes unreachable objects all the time.
fn start(cluster: &Cluster, name: &str) -> Running {
    let mut command = cluster.command(name, name);
    command.args(["--git-pack-limit", "4", "--git-prune-age", "3s"]);
    Running::start_command(command)
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_nodes_are_killed_again_and_again() {
    let Some(cluster) = Cluster::new() else { return };
    let mut nodes: Vec<Option<Running>> = NODES.map(|name| Some(start(&cluster, name))).into();
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
        for (branch, endpoint) in NODES.iter().zip(&endpoints) {
            let load = Load { endpoint, branch, answered: sender.clone(), is_over: &is_over };
            scope.spawn(move || load.run());
        }
        drop(sender);
        for round in 0..rounds {
            answered.extend(receiver.iter().take(CALLS_BETWEEN));
            let killed = round % NODES.len();
            nodes[killed].take().expect("it runs").kill();
            let node = start(&cluster, NODES[killed]);
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
    let prunes = || number(&cluster, "SELECT prunes FROM repositories WHERE name = 'files'");
    wait_until("unreachable objects were removed", || prunes() > 0);
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

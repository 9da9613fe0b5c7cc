//! Git objects that several nodes share.

mod backup;
mod bucket;
mod moving;
mod seaweedfs;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tests::binary::Running;
use tests::clients::{git, git_command, outcome};
use tests::lfs::{LFS_TYPE, batch_of};
use tests::wait_until;
use tests::wire::{Reply, send};
use ureq::http::Request;

use super::{Cluster, call, local, ok};

const NAME: &str = "MyDemoRepo";

fn url(node: &Running) -> String {
    format!("{}/v1/repos/{NAME}", node.endpoint())
}

fn create(node: &Running) {
    ok(node, "CreateRepository", &json!({ "repositoryName": NAME }));
}

/// Makes a repository with a commit, which is on no server.
pub(super) fn work(cluster: &Cluster, name: &str) -> std::path::PathBuf {
    let folder = cluster.folder.path().join(name);
    fs::create_dir(&folder).expect("the folder is new");
    git(&folder, &["init", "--quiet", "--initial-branch=main"]).ok();
    commit(&folder, name);
    folder
}

/// Commits a file with a content of its own; returns the id of the commit.
pub(super) fn commit(folder: &Path, content: &str) -> String {
    fs::write(folder.join("file"), content).expect("the folder is writable");
    git(folder, &["add", "file"]).ok();
    git(folder, &["commit", "--quiet", "--message", content]).ok();
    git(folder, &["rev-parse", "HEAD"]).ok().trim().to_owned()
}

/// Clones the repository of a node, checks that it is complete, and returns the tip of `main`.
fn cloned_tip(cluster: &Cluster, node: &Running, name: &str) -> String {
    git(cluster.folder.path(), &["clone", "--quiet", "--mirror", &url(node), name]).ok();
    let folder = cluster.folder.path().join(name);
    git(&folder, &["fsck", "--strict", "--no-dangling"]).ok();
    git(&folder, &["rev-parse", "main"]).ok().trim().to_owned()
}

fn put_file(node: &Running, parent: &str, path: &str, content: &str) -> String {
    let reply = ok(
        node,
        "PutFile",
        &json!({
            "repositoryName": NAME, "branchName": "main", "parentCommitId": parent, "filePath": path,
            "fileContent": STANDARD.encode(content),
        }),
    );
    reply["commitId"].as_str().expect("the member is a string").to_owned()
}

/// Clones the repository of a node and checks that it is complete, unless the branch was moved and its old commit removed meanwhile.
fn clone_or_miss(cluster: &Cluster, node: &Running, name: &str) {
    let arguments = ["clone", "--quiet", "--mirror", &url(node), name];
    let output = git_command(cluster.folder.path(), &arguments).output().expect("git runs");
    if output.status.success() {
        git(&cluster.folder.path().join(name), &["fsck", "--strict", "--no-dangling"]).ok();
    } else {
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains("not our ref"), "{message}");
    }
}

/// Pushes `main`, again if a node has removed unreachable objects meanwhile, as it does at once in this test.
fn push(work: &Path, node: &Running) {
    loop {
        let output = git_command(work, &["push", "--force", &url(node), "main"]).output().expect("git runs");
        let message = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return;
        }
        assert!(message.contains("unreachable objects were removed meanwhile"), "{message}");
    }
}

/// Lists the names of the files of packs in the shared folder.
fn shared_files(cluster: &Cluster) -> Vec<String> {
    let files = tests::files(&cluster.folder.path().join("objects"));
    let names = files.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
    names.filter(|name| name.starts_with("pack-")).collect()
}

#[test]
fn what_a_node_stores_is_read_and_built_upon_on_each_other_one() {
    let Some(cluster) = Cluster::new() else { return };
    build_upon_each_other(&cluster, |name| cluster.start(name));
}

/// Pushes to two nodes and writes files there, and reads all on a third one.
fn build_upon_each_other(cluster: &Cluster, start: impl Fn(&str) -> Running) {
    let (first, second) = (start("a"), start("b"));
    create(&first);
    let work = work(cluster, "work");
    git(&work, &["push", "--quiet", &url(&first), "main"]).ok();
    let pushed = git(&work, &["rev-parse", "HEAD"]).ok().trim().to_owned();
    assert_eq!(cloned_tip(cluster, &second, "clone-1"), pushed);
    let put = put_file(&second, &pushed, "by-api", "content");
    let read = ok(&first, "GetFile", &json!({ "repositoryName": NAME, "filePath": "by-api" }));
    assert_eq!(read["fileContent"], STANDARD.encode("content"));
    assert_eq!(cloned_tip(cluster, &first, "clone-2"), put);
    git(&work, &["pull", "--quiet", "--ff-only", &url(&first), "main"]).ok();
    let next = commit(&work, "next");
    git(&work, &["push", "--quiet", &url(&second), "main"]).ok();
    assert_eq!(cloned_tip(cluster, &first, "clone-3"), next);

    // A node that has nothing yet.
    let third = start("c");
    assert_eq!(cloned_tip(cluster, &third, "clone-4"), next);

    ok(&first, "DeleteRepository", &json!({ "repositoryName": NAME }));
    assert_eq!(call(&second, "GetRepository", &json!({ "repositoryName": NAME })).status, 400);
    git(&work, &["ls-remote", &url(&third)]).failed();
    create(&third);
    git(&work, &["push", "--quiet", &url(&second), "main"]).ok();
    assert_eq!(cloned_tip(cluster, &first, "clone-5"), next);
}

/// Sends a batch of Git LFS for a content to a node, and does the action of its one object there.
fn large_file(node: &Running, operation: &str, method: &str, content: &[u8], body: &[u8]) -> Reply {
    let batch = Request::post(format!("{}.git/info/lfs/objects/batch", url(node)));
    let batch = batch.header("accept", LFS_TYPE).header("content-type", LFS_TYPE);
    let batch = batch.body(batch_of(operation, &[content]).to_string().into_bytes());
    let answer = send(batch.expect("the request is well formed")).json();
    let action = &answer["objects"][0]["actions"][operation];
    let href = action["href"].as_str().expect("an action has a URL");
    let mut request = Request::builder().method(method).uri(href);
    for (name, value) in action["header"].as_object().expect("an action has headers") {
        request = request.header(name, value.as_str().expect("a header is a text"));
    }
    send(request.body(body.to_vec()).expect("the request is well formed"))
}

#[test]
fn a_large_file_is_on_all_nodes() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, second) = (cluster.start("a"), cluster.start("b"));
    create(&first);
    let content = b"The content of a large file.\n";
    assert_eq!(large_file(&first, "upload", "PUT", content, content).status, 200);
    let stored = large_file(&second, "download", "GET", content, b"");
    assert_eq!((stored.status, &stored.body[..]), (200, &content[..]));
}

#[test]
fn of_two_nodes_that_move_a_branch_from_the_same_commit_one_wins() {
    let Some(cluster) = Cluster::new() else { return };
    let nodes = [cluster.start("a"), cluster.start("b")];
    create(&nodes[0]);
    let works = ["one", "two"].map(|name| work(&cluster, name));
    let base = git(&works[0], &["rev-parse", "HEAD"]).ok().trim().to_owned();
    git(&works[0], &["push", "--quiet", &url(&nodes[0]), "main"]).ok();
    let mut tip = base;
    for round in 0..8 {
        for (work, node) in works.iter().zip(&nodes) {
            git(work, &["fetch", "--quiet", &url(node), "main"]).ok();
            git(work, &["reset", "--quiet", "--hard", &tip]).ok();
        }
        let commits = [0, 1].map(|index| commit(&works[index], &format!("{round} of {index}")));
        let results: Vec<_> = std::thread::scope(|scope| {
            let pushes = [0, 1].map(|index| {
                let mut push = git_command(&works[index], &["push", "--porcelain", &url(&nodes[index]), "main"]);
                scope.spawn(move || push.output().expect("git runs"))
            });
            pushes.into_iter().map(|push| push.join().expect("the thread does not panic")).collect()
        });
        let won: Vec<_> = (0..2).filter(|index| results[*index].status.success()).collect();
        assert_eq!(won.len(), 1, "{results:?}");
        tip.clone_from(&commits[won[0]]);
        assert_eq!(cloned_tip(&cluster, &nodes[1 - won[0]], &format!("clone-{round}")), tip);
    }
}

/// Reads a number in the database.
pub(super) fn number(cluster: &Cluster, sql: &str) -> i64 {
    let number: Result<_, store::Error> =
        cluster.store().read(|transaction| transaction.query_one(sql, &[], |row| row.integer(0)));
    number.expect("the table exists").expect("there is a row")
}

#[test]
fn one_node_combines_the_packs_while_all_serve_them() {
    let Some(cluster) = Cluster::new() else { return };
    let start = |name: &str| {
        let mut command = cluster.command(name, name);
        command.args(["--git-pack-limit", "4", "--git-prune-age", "1ms"]);
        Running::start_command(command)
    };
    let nodes = [start("a"), start("b")];
    create(&nodes[1]);
    let work = work(&cluster, "work");
    git(&work, &["push", "--quiet", &url(&nodes[1]), "main"]).ok();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
                clone_or_miss(&cluster, &nodes[number % 2], &format!("clone-{number}"));
            }
        });
        for number in 0..24 {
            commit(&work, &format!("commit {number}"));
            push(&work, &nodes[number % 2]);
            // The commits before become unreachable.
            if number % 8 == 7 {
                git(&work, &["reset", "--quiet", "--soft", "HEAD~4"]).ok();
                git(&work, &["commit", "--quiet", "--amend", "--message", "another history"]).ok();
                push(&work, &nodes[number % 2]);
            }
        }
        is_done.store(true, Ordering::Relaxed);
    });
    let last = git(&work, &["rev-parse", "HEAD"]).ok().trim().to_owned();
    wait_until("there are few packs", || number(&cluster, "SELECT COUNT(*) FROM packs WHERE gone IS NULL") <= 4);
    assert!(number(&cluster, "SELECT prunes FROM repositories") > 0, "unreachable objects were removed");
    for (node, name) in nodes.iter().zip(["last-a", "last-b"]) {
        assert_eq!(cloned_tip(&cluster, node, name), last);
    }
    assert!(shared_files(&cluster).len() > 8, "the files of earlier packs stay for a while");
}

#[test]
fn a_node_with_other_objects_is_refused() {
    let Some(cluster) = Cluster::new() else { return };
    let first = cluster.start("a");
    create(&first);
    let mut command = cluster.command_over("b", "b", cluster.folder.path().join("other").as_os_str());
    command.stdin(Stdio::null());
    let refused = outcome(&mut command).failed();
    assert!(refused.contains("the Git objects of the database are in another place"), "{refused}");
    let mut command = Command::new(tests::binary::path());
    command.env_clear().args(["--listen", "127.0.0.1:0", "--objects"]).arg(cluster.folder.path().join("objects"));
    let refused = outcome(command.arg("--data-dir").arg(cluster.folder.path().join("c"))).failed();
    assert!(refused.contains("objects needs database"), "{refused}");
}

#[test]
fn acknowledged_pushes_and_files_stay_when_their_node_is_killed() {
    let Some(cluster) = Cluster::new() else { return };
    let second = cluster.start("b");
    create(&second);
    let work = work(&cluster, "work");
    git(&work, &["push", "--quiet", &url(&second), "main"]).ok();
    for round in 0..6 {
        let first = cluster.start("a");
        let endpoint = first.endpoint().to_owned();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0.. {
                    let branch = format!("round-{round}-{number}");
                    let commit = commit(&work, &branch);
                    let target = format!("{endpoint}/v1/repos/{NAME}");
                    let mut push =
                        git_command(&work, &["push", "--quiet", &target, &format!("HEAD:refs/heads/{branch}")]);
                    if !push.output().expect("git runs").status.success() {
                        break;
                    }
                    sender.send((branch, commit)).expect("the test listens");
                }
            });
            let mut acknowledged: Vec<_> = receiver.iter().take(4).collect();
            first.kill();
            acknowledged.extend(receiver.try_iter());
            for (branch, commit) in acknowledged {
                let reply = ok(&second, "GetBranch", &json!({ "repositoryName": NAME, "branchName": branch }));
                assert_eq!(reply["branch"]["commitId"], commit);
            }
        });
        git(cluster.folder.path(), &["clone", "--quiet", "--mirror", &url(&second), &format!("clone-{round}")]).ok();
        git(&cluster.folder.path().join(format!("clone-{round}")), &["fsck", "--strict", "--no-dangling"]).ok();
    }
    local(&second, "POST", "flush");
}

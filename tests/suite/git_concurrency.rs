//! Concurrent clients of one repository: each reads a consistent state, and readers never wait for writers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use serde_json::json;
use tests::World;
use tests::clients::{git, git_fed};
use tests::push::Push;

/// Number of clients that clone and of clients that push at the same time.
const CLIENTS: usize = 50;

/// Number of clients that update one reference at the same time.
const RIVALS: usize = 10;

/// Starts a server with `main` in the repository `demo`, and creates the folder `work` with one more commit on each of `b0`, `b1`...
struct Scene {
    world: World,
    work: PathBuf,
    url: String,
}

impl Scene {
    fn new(branches: usize) -> Self {
        let world = World::new();
        world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
        world.git(".", &["init", "--quiet", "--bare", "work"]).ok();
        let commit = |branch: &str, from: &str, name: &str| {
            let content = format!("{}{name}\n", "a line that all files have\n".repeat(40));
            [
                format!("commit refs/heads/{branch}\ncommitter Mary Major <mary@example.com> 1481739554 +0000\n"),
                format!("data 6\nChange\n{from}M 100644 inline files/{name}\ndata {}\n{content}\n", content.len()),
            ]
            .concat()
        };
        let main = (0..20).map(|number| commit("main", "", &format!("file-{number}")));
        let from_main = "from refs/heads/main\n";
        let others = (0..branches).map(|number| commit(&format!("b{number}"), from_main, &format!("other-{number}")));
        let stream: String = main.chain(others).collect();
        let work = world.folder().join("work");
        git_fed(&work, &["fast-import", "--quiet"], stream.as_bytes());
        let url = world.repository_url("demo");
        git(&work, &["push", "--quiet", &url, "main"]).ok();
        Self { world, work, url }
    }

    fn tip(&self, branch: &str) -> String {
        git(&self.work, &["rev-parse", branch]).ok()
    }

    /// Creates the push that updates `main` to branch `b<number>`.
    fn push(&self, number: usize) -> Push {
        Push::new(&self.work, "refs/heads/main", Some(&self.tip("main")), &self.tip(&format!("b{number}")))
    }
}

/// Returns the references of a folder with their ids.
fn references(folder: &Path) -> BTreeSet<String> {
    git(folder, &["for-each-ref", "--format=%(refname) %(objectname)"]).ok().lines().map(str::to_owned).collect()
}

#[test]
fn a_hundred_concurrent_clones_and_pushes_are_consistent() {
    let scene = Scene::new(CLIENTS);
    let (expected, folder) = (references(&scene.work), scene.world.folder());
    let start = Barrier::new(2 * CLIENTS);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (scene, start, expected) = (&scene, &start, &expected);
            scope.spawn(move || {
                start.wait();
                git(&scene.work, &["push", "--quiet", &scene.url, &format!("b{number}")]).ok();
            });
            scope.spawn(move || {
                let name = format!("clone-{number}");
                start.wait();
                git(folder, &["clone", "--quiet", "--mirror", &scene.url, &name]).ok();
                let clone = folder.join(name);
                git(&clone, &["fsck", "--full", "--strict"]).ok();
                let found = references(&clone);
                assert!(found.is_subset(expected) && !found.is_empty(), "{found:?}");
            });
        }
    });
    git(folder, &["clone", "--quiet", "--mirror", &scene.url, "last"]).ok();
    git(&folder.join("last"), &["fsck", "--full", "--strict"]).ok();
    assert_eq!(references(&folder.join("last")), expected);
}

#[test]
fn of_concurrent_pushes_to_a_reference_one_succeeds_and_the_others_get_the_reason() {
    let scene = Scene::new(RIVALS);
    let pushes: Vec<Push> = (0..RIVALS).map(|number| scene.push(number)).collect();
    // All pushes have started before the first one ends.
    let begun: Vec<_> = pushes
        .iter()
        .map(|push| push.begin(&scene.url, push.bytes() - 1).expect("the server reads the request"))
        .collect();
    let start = Barrier::new(RIVALS);
    let replies: Vec<String> = thread::scope(|scope| {
        let rivals = pushes.iter().zip(begun).map(|(push, stream)| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                push.finish(stream, push.bytes() - 1).expect("the call is answered")
            })
        });
        let rivals: Vec<_> = rivals.collect();
        rivals.into_iter().map(|rival| rival.join().expect("the call is answered")).collect()
    });
    let won: Vec<usize> = (0..RIVALS).filter(|number| replies[*number].contains("ok refs/heads/main")).collect();
    assert_eq!(won.len(), 1, "{replies:?}");
    let lost = replies.iter().filter(|reply| reply.contains("ng refs/heads/main failed to update ref"));
    assert_eq!(lost.count(), RIVALS - 1, "{replies:?}");
    let listed = git(&scene.work, &["ls-remote", &scene.url, "refs/heads/main"]).ok();
    assert_eq!(listed, format!("{}\trefs/heads/main", scene.tip(&format!("b{}", won[0]))));
    let events = scene.world.events();
    let failed = events.iter().filter(|event| event["errorMessage"] == "refs/heads/main failed to update ref");
    assert_eq!(failed.count(), RIVALS - 1, "the trail says so too");
}

#[test]
fn of_concurrent_clients_on_a_reference_one_succeeds_and_the_others_are_rejected() {
    let scene = Scene::new(RIVALS);
    let start = Barrier::new(RIVALS);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let rivals = (0..RIVALS).map(|number| {
            let (scene, start) = (&scene, &start);
            scope.spawn(move || {
                start.wait();
                git(&scene.work, &["push", &scene.url, &format!("b{number}:main")])
            })
        });
        let rivals: Vec<_> = rivals.collect();
        rivals.into_iter().map(|rival| rival.join().expect("git ends")).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|outcome| outcome.success);
    assert_eq!(won.len(), 1);
    for outcome in lost {
        // A client that reads the references late detects the conflict itself.
        assert!(
            ["! [remote rejected] ", "! [rejected] "].iter().any(|status| outcome.err.contains(status)),
            "{}",
            outcome.err
        );
    }
}

#[test]
fn an_unfinished_push_delays_no_other_request() {
    let scene = Scene::new(2);
    let folder = scene.world.folder();
    let push = scene.push(0);
    for sent in [0, 100, push.bytes() / 2, push.bytes() - 1] {
        let held = push.begin(&scene.url, sent).expect("the server reads the request");
        let clone = format!("clone-{sent}");
        git(folder, &["clone", "--quiet", &scene.url, &clone]).ok();
        assert_eq!(git(&folder.join(clone), &["rev-parse", "HEAD"]).ok(), scene.tip("main"));
        git(&scene.work, &["push", "--quiet", &scene.url, &format!("b1:other-{sent}")]).ok();
        if sent == push.bytes() - 1 {
            let reply = push.finish(held, sent).expect("the call is answered");
            assert!(reply.contains("ok refs/heads/main"), "{reply}");
        }
    }
    git(&folder.join("clone-0"), &["fetch", "--quiet"]).ok();
    assert_eq!(git(&folder.join("clone-0"), &["rev-parse", "origin/main"]).ok(), scene.tip("b0"));
}

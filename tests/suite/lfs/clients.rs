//! The client git-lfs: push, clone, fetch, pull, prune, locks, broken transfers, credentials, and SSH.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::{Outcome, outcome, python_folder};
use tests::push::noise;
use tests::{World, wait_until, wire};

use super::{CONTENT, stored, world};
use crate::signed::{LI_JUAN, MARY_MAJOR, world_with as signed_world};

fn file(world: &World, path: &str) -> Vec<u8> {
    fs::read(world.folder().join(path)).expect("the file is there")
}

/// Creates a work tree with a large file, and pushes it.
fn push(world: &World, url: &str) {
    world.git_lfs_repository("work", url);
    world.git_lfs_commit("work", "a.bin", CONTENT);
    world.git_lfs("work", &["push", "--quiet", "origin", "main"]).ok();
}

#[test]
fn git_lfs_pushes_clones_fetches_pulls_and_prunes() {
    let world = world();
    let url = world.repository_url("MyDemoRepo");
    push(&world, &url);
    assert_eq!(stored(&world).len(), 1);
    world.git_lfs(".", &["clone", "--quiet", &url, "clone"]).ok();
    assert_eq!(file(&world, "clone/a.bin"), CONTENT);
    let pointer = world.git("clone", &["show", "HEAD:a.bin"]).ok();
    assert!(pointer.starts_with("version https://git-lfs.github.com/spec/v1"), "{pointer}");

    let second = CONTENT.to_ascii_uppercase();
    world.git_lfs_commit("clone", "a.bin", &second);
    world.git_lfs("clone", &["push", "--quiet", "origin", "main"]).ok();
    world.git_lfs("work", &["pull", "--quiet", "origin", "main"]).ok();
    assert_eq!(file(&world, "work/a.bin"), second);

    let mut bare = world.git_lfs_command(".", &["clone", "--quiet", &url, "skipped"]);
    outcome(bare.env("GIT_LFS_SKIP_SMUDGE", "1")).ok();
    assert!(file(&world, "skipped/a.bin").starts_with(b"version "));
    world.git_lfs("skipped", &["lfs", "fetch", "--all"]).ok();
    world.git_lfs("skipped", &["lfs", "checkout"]).ok();
    assert_eq!(file(&world, "skipped/a.bin"), second);
    world.git_lfs("skipped", &["checkout", "--quiet", "HEAD~1"]).ok();
    assert_eq!(file(&world, "skipped/a.bin"), CONTENT);
    world.git_lfs("skipped", &["lfs", "fsck"]).ok();

    let pruned = world.git_lfs("clone", &["lfs", "prune", "--verify-remote", "--verbose", "--force"]);
    assert!(pruned.success, "{pruned:?}");
    assert!(world.events().iter().all(|event| event.get("errorCode").is_none()), "no request of the client fails");
}

#[test]
fn the_url_with_the_end_git_and_a_configured_one_serve_too() {
    let world = world();
    let url = world.repository_url("MyDemoRepo");
    world.git_lfs_repository("work", &url);
    world.git_lfs("work", &["config", "lfs.url", &format!("{url}/info/lfs")]).ok();
    world.git_lfs_commit("work", "a.bin", CONTENT);
    world.git_lfs("work", &["push", "--quiet", "origin", "main"]).ok();
    world.git_lfs(".", &["clone", "--quiet", &url, "clone"]).ok();
    assert_eq!(file(&world, "clone/a.bin"), CONTENT);
}

#[test]
fn many_small_objects_are_transferred_in_batches() {
    let world = world();
    let url = world.repository_url("MyDemoRepo");
    world.git_lfs_repository("work", &url);
    // `scripts/bench lfs` has five thousand, which take half a minute here.
    for number in 0..1_000 {
        fs::write(world.folder().join(format!("work/{number}.bin")), format!("{number}"))
            .expect("the folder is writable");
    }
    world.git_lfs_commit("work", "last.bin", CONTENT);
    world.git_lfs("work", &["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(stored(&world).len(), 1_001);
    world.git_lfs(".", &["clone", "--quiet", &url, "clone"]).ok();
    let batches = |name: &str| {
        world
            .events()
            .iter()
            .filter(|event| event["eventName"] == name && event["additionalEventData"].get("lfs").is_some())
            .count()
    };
    assert_eq!([batches("GitPush"), batches("GitPull")], [11, 11], "a batch has a hundred objects");
    for number in 0..1_000 {
        assert_eq!(file(&world, &format!("clone/{number}.bin")), number.to_string().as_bytes());
    }
}

/// Runs a command with large files of dulwich, which implements the protocol itself, in the folder of the test.
fn dulwich(world: &World, arguments: &[&str]) -> String {
    let program = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/dulwich/large_files.py");
    let python = python_folder().canonicalize().expect("scripts/clients was run").join("python");
    let mut command = Command::new(python);
    command.arg(program).args(arguments).current_dir(world.folder()).env("HOME", world.folder());
    outcome(command.env("GIT_CONFIG_NOSYSTEM", "1")).ok()
}

#[test]
fn dulwich_pushes_and_gets_large_files_and_shares_them_with_git_lfs() {
    let world = world();
    let url = world.repository_url("MyDemoRepo");
    dulwich(&world, &["commit", "one", &url, "a.bin", "the first content"]);
    assert_eq!(dulwich(&world, &["push", "one", "refs/heads/main"]), "1");
    assert_eq!(stored(&world).len(), 1);
    world.git_lfs(".", &["clone", "--quiet", "--branch", "main", &url, "two"]).ok();
    assert_eq!(file(&world, "two/a.bin"), b"the first content");
    world.git_lfs_commit("two", "b.bin", CONTENT);
    world.git_lfs("two", &["push", "--quiet", "origin", "main"]).ok();
    dulwich(&world, &["clone", &url, "three"]);
    assert_eq!([file(&world, "three/a.bin"), file(&world, "three/b.bin")], [&b"the first content"[..], CONTENT]);
    world.git(".", &["clone", "--quiet", "--branch", "main", &url, "four"]).ok();
    assert!(file(&world, "four/b.bin").starts_with(b"version "), "git alone has the pointer");
    assert_eq!(dulwich(&world, &["pull", "four"]), "2");
    assert_eq!(file(&world, "four/b.bin"), CONTENT);
    assert!(world.events().iter().all(|event| event.get("errorCode").is_none()), "no request of the clients fails");
}

#[test]
fn git_lfs_locks_and_a_push_of_a_path_that_another_user_locks_is_refused() {
    let world = world();
    let url_of = |key: &str| world.repository_url("MyDemoRepo").replace("http://", &format!("http://{key}:x@"));
    let (mary, li) = (url_of(MARY_MAJOR.0), url_of(LI_JUAN.0));
    push(&world, &mary);
    world.git_lfs(".", &["clone", "--quiet", &li, "clone"]).ok();
    world.git_lfs("clone", &["config", "lfs.locksverify", "true"]).ok();
    world.git_lfs("work", &["lfs", "lock", "a.bin"]).ok();
    assert!(world.git_lfs("clone", &["lfs", "locks"]).ok().contains("a.bin"));
    assert!(world.git_lfs("work", &["lfs", "locks", "--verify"]).ok().contains("a.bin"));
    world.git_lfs("clone", &["lfs", "lock", "a.bin"]).failed();
    world.git_lfs_commit("clone", "a.bin", b"changed by Li");
    let refused = world.git_lfs("clone", &["push", "origin", "main"]).failed();
    assert!(refused.contains("locked files"), "{refused}");
    assert_eq!(stored(&world).len(), 1);
    let refused = world.git_lfs("clone", &["lfs", "unlock", "a.bin"]).failed();
    assert!(refused.contains("is locked by"), "{refused}");
    world.git_lfs("clone", &["lfs", "unlock", "--force", "a.bin"]).ok();
    world.git_lfs("clone", &["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(stored(&world).len(), 2);
}

#[test]
fn a_killed_server_keeps_what_it_acknowledged_and_the_client_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data").display().to_string();
    let server = Running::start(&["--data-dir", &data]);
    let create = json!({ "repositoryName": "MyDemoRepo" });
    assert_eq!(wire::send(wire::request(server.endpoint(), "CreateRepository", &create)).status, 200);
    let client = World::new();
    let url = |server: &Running| format!("{}/v1/repos/MyDemoRepo", server.endpoint());
    client.git_lfs_repository("work", &url(&server));
    for number in 0..60 {
        fs::write(client.folder().join(format!("work/{number}.bin")), format!("{number}{}", noise(200_000)))
            .expect("writable");
    }
    client.git_lfs_commit("work", "last.bin", CONTENT);
    let objects = || {
        let found = tests::files(std::path::Path::new(&data)).into_iter();
        found.filter(|path| path.components().any(|part| part.as_os_str() == "lfs")).count()
    };
    let mut pushing = client.git_lfs_command("work", &["push", "--quiet", "origin", "main"]);
    let mut pushing = pushing.stderr(Stdio::null()).spawn().expect("git is installed");
    wait_until("some objects have arrived", || objects() > 5);
    server.kill();
    assert!(!pushing.wait().expect("git ends").success());
    let server = Running::start(&["--data-dir", &data]);
    client.git_lfs("work", &["remote", "set-url", "origin", &url(&server)]).ok();
    client.git_lfs("work", &["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(objects(), 61);
    client.git_lfs(".", &["clone", "--quiet", &url(&server), "clone"]).ok();
    client.git_lfs("clone", &["lfs", "fsck"]).ok();
    assert!(file(&client, "clone/59.bin").starts_with(b"59"));
}

/// Runs `git` with git-lfs, the credential helper of the AWS CLI, and an access key.
fn git_as(world: &World, (key, secret): (&str, &str), folder: &str, arguments: &[&str]) -> Outcome {
    let helper = "credential.helper=!f() { aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }; f";
    let arguments = [&["-c", helper, "-c", "credential.UseHttpPath=true"], arguments].concat();
    let mut command: Command = world.git_lfs_command(folder, &arguments);
    let clients = python_folder().canonicalize().expect("scripts/clients was run").display().to_string();
    command.env("PATH", format!("{clients}:{}", std::env::var("PATH").unwrap_or_default()));
    command.env("CODE_COMMIT_ENDPOINT", world.endpoint().trim_start_matches("http://"));
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_REGION", "us-east-1");
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
    outcome(&mut command)
}

#[test]
fn verified_credentials_of_each_kind_serve_git_lfs() {
    let world = signed_world(crate::signed::IDENTITIES, |_| ());
    let input = json!({ "repositoryName": "MyDemoRepo" });
    let key = tests::signing::AccessKey { id: MARY_MAJOR.0, secret: MARY_MAJOR.1 };
    let target = tests::model::target("CreateRepository");
    assert_eq!(world.call_signed(key, &target, "us-east-1", &[], input.to_string().as_bytes()).status, 200);
    let url = world.repository_url("MyDemoRepo");
    world.git_lfs_repository("work", &url);
    world.git_lfs_commit("work", "a.bin", CONTENT);
    let first = world.events().len();
    git_as(&world, MARY_MAJOR, "work", &["push", "origin", "main"]).ok();
    git_as(&world, MARY_MAJOR, ".", &["clone", &url, "clone"]).ok();
    assert_eq!(file(&world, "clone/a.bin"), CONTENT);
    let password = "k1zPZM6uVxMQ3oxqgoYlNuJPyRTZ1vREs76zTQE3eJk%3D";
    let static_url = url.replace("http://", &format!("http://Mary_Major-at-111122223333:{password}@"));
    world.git_lfs(".", &["clone", "--quiet", &static_url, "static"]).ok();
    assert_eq!(file(&world, "static/a.bin"), CONTENT);
    let events = world.events().split_off(first);
    let of_lfs: Vec<&Value> = events.iter().filter(|event| event["additionalEventData"].get("lfs").is_some()).collect();
    assert_eq!(of_lfs.len(), 3);
    assert!(events.iter().all(|event| event["userIdentity"]["userName"] == "Mary_Major"), "{events:#?}");
    let batch = tests::lfs::batch_of("download", &[CONTENT]);
    let refused = world.lfs("MyDemoRepo", "objects/batch", &[], &batch);
    assert_eq!((refused.status, refused.header("lfs-authenticate")), (401, Some("Basic realm=\"AWS CodeCommit\"")));
    let bearer = world.lfs("MyDemoRepo", "objects/batch", &[("authorization", "Bearer x.y")], &batch);
    assert_eq!(bearer.status, 403);
}

#[test]
fn git_lfs_over_ssh_gets_its_url_and_token_from_the_server() {
    let world = World::with_ssh(|settings| settings.event_version = trail::EventVersion::V1_11);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let url = world.ssh_url("MyDemoRepo");
    world.git_lfs_repository("work", &url);
    world.git_lfs_commit("work", "a.bin", CONTENT);
    let over_ssh = |folder: &str, arguments: &[&str]| {
        let mut command = world.git_lfs_command(folder, arguments);
        outcome(command.env("GIT_SSH_COMMAND", format!("ssh {}", world.ssh_options("declared").join(" "))))
    };
    let first = world.events().len();
    over_ssh("work", &["push", "origin", "main"]).ok();
    over_ssh(".", &["clone", &url, "clone"]).ok();
    assert_eq!(file(&world, "clone/a.bin"), CONTENT);
    over_ssh("clone", &["lfs", "lock", "a.bin"]).ok();
    let events = world.events().split_off(first);
    assert!(events.iter().all(|event| event["userIdentity"]["userName"] == "Li_Juan"), "{events:#?}");
    assert!(events.iter().any(|event| event["eventName"] == "CreateLfsLock"));
    let lfs = events.iter().filter_map(|event| event["additionalEventData"].get("lfs")).count();
    assert_eq!(lfs, 2);

    let answer = world.ssh(&["git-lfs-authenticate /v1/repos/MyDemoRepo download"]).ok();
    let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
    assert_eq!(answer["href"], format!("{}/info/lfs", world.repository_url("MyDemoRepo")));
    let token = answer["header"]["Authorization"].as_str().expect("a token").to_owned();
    let batch = |operation: &str| {
        let body = tests::lfs::batch_of(operation, &[CONTENT]);
        world.lfs("MyDemoRepo", "objects/batch", &[("authorization", &token)], &body).status
    };
    assert_eq!((batch("download"), batch("upload")), (200, 403));
    let refused = world.ssh(&["git-lfs-authenticate /v1/repos/absent upload"]).failed();
    assert!(refused.contains("absent does not exist"), "{refused}");
    world.ssh(&["git-lfs-transfer /v1/repos/MyDemoRepo upload"]).failed();
}

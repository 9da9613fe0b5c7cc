//! SIGKILL under load and restart: acknowledged changes are kept, with exactly one record each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use parking_lot::Mutex;
use serde_json::json;
use tests::binary::Running;
use tests::clients::{aws, git};
use tests::digests::{Digest, digests, signing_key, verify};
use tests::signing::{self, AccessKey};
use tests::wire::{request, try_send};
use tests::{log_files, read_events, read_log_files, wait_until};

/// Number of kills, unless `CRASH_ROUNDS` in the environment sets another.
const ROUNDS: usize = 3;

/// Number of acknowledged calls before a kill.
const CALLS_PER_ROUND: usize = 150;

/// An identities file with an administrator, and a user who may do nothing.
const IDENTITIES: &str = r#"
[[account]]
id = "111122223333"

[[account.user]]
name = "Mary_Major"
policies = ["AdministratorAccess"]
git_credentials = [{ password = "password" }]
access_keys = ["AKIAIOSFODNN7EXAMPLE"]

[[account.user]]
name = "Li_Juan"
access_keys = [{ id = "AKIAI44QH8DHBEXAMPLE", secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" }]
"#;

const MARY_MAJOR: AccessKey<'static> =
    AccessKey { id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const LI_JUAN: AccessKey<'static> =
    AccessKey { id: "AKIAI44QH8DHBEXAMPLE", secret: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" };

/// The acknowledged changes.
#[derive(Default)]
struct Acknowledged {
    /// The ids of calls that were answered, refused ones included.
    request_ids: BTreeSet<String>,
    repositories: BTreeSet<String>,
    /// The last acknowledged commit of each pushed branch.
    branches: BTreeMap<String, String>,
}

#[test]
fn no_acknowledged_change_is_lost_or_recorded_twice() {
    kill_under_load(&[]);
}

#[test]
fn no_acknowledged_change_or_refusal_is_lost_or_recorded_twice_if_policies_decide() {
    kill_under_load(&["--access", "enforced", "--max-clock-skew", "off"]);
}

/// Runs the rounds with the flags of enforced access; without them, the credentials of the calls only name their caller.
fn kill_under_load(access: &[&str]) {
    let is_enforced = !access.is_empty();
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let key = signing_key();
    let data_dir = data.to_str().expect("the path is UTF-8");
    let data_dir =
        ["--data-dir", data_dir, "--log-interval", "100ms", "--log-size", "64KB", "--repository-limit", "1000000"];
    let digests = ["--digest-interval", "1s", "--signing-key", key.to_str().expect("the path is UTF-8")];
    let identities = folder.path().join("identities.toml");
    std::fs::write(&identities, IDENTITIES).expect("the folder is writable");
    let identities = ["--identities", identities.to_str().expect("the path is UTF-8")];
    let access = if is_enforced { [access, &identities].concat() } else { Vec::new() };
    let data_dir = [&data_dir[..], &digests, &access].concat();
    let acknowledged = Mutex::new(Acknowledged::default());
    let commits = history(&folder.path().join("work"));

    let server = Running::start(&data_dir);
    create(server.endpoint(), "pushed", &acknowledged).expect("the server runs");
    let trail_input = json!({
        "Name": "Second", "S3BucketName": "second-logs", "IsMultiRegionTrail": true, "EnableLogFileValidation": true,
    });
    for (operation, input) in [("CreateTrail", trail_input), ("StartLogging", json!({ "Name": "Second" }))] {
        let call = signing::sign(request(server.endpoint(), operation, &input), MARY_MAJOR);
        let reply = try_send(call).expect("the server runs");
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    drop(server);
    let rounds = std::env::var("CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    for round in 0..rounds {
        let server = Running::start(&data_dir);
        load(server, round, folder.path(), &commits, &acknowledged, is_enforced);
    }

    let server = Running::start(&data_dir);
    let acknowledged = acknowledged.into_inner();
    for name in &acknowledged.repositories {
        let reply = call(server.endpoint(), "GetRepository", name, MARY_MAJOR).expect("the server runs");
        assert_eq!(reply.status, 200, "{name} was acknowledged: {}", reply.text());
    }
    let clone = folder.path().join("clone");
    let url = url(server.endpoint());
    git(folder.path(), &["clone", "--quiet", "--mirror", &url, "clone"]).ok();
    git(&clone, &["fsck", "--full", "--strict"]).ok();
    for (branch, commit) in &acknowledged.branches {
        let found = git(&clone, &["rev-parse", branch]).ok();
        assert!(is_at_or_after(&commits, commit, &found), "{branch} is at {found}, and {commit} was acknowledged");
    }

    let trail = data.join("trail");
    let written = read_events(&trail);
    let ids: Vec<&str> =
        written.iter().map(|event| event["eventID"].as_str().expect("the member is a string")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no record is there twice");
    let mut records = BTreeMap::<_, usize>::new();
    for event in &written {
        *records.entry(event["requestID"].as_str().expect("the member is a string")).or_default() += 1;
    }
    for id in &acknowledged.request_ids {
        assert_eq!(records.get(id.as_str()), Some(&1), "call {id} was acknowledged");
    }
    // The stop delivers the remaining events.
    assert_eq!(server.terminate(), Some(0));
    let written = read_events(&trail);
    let mut delivered = read_log_files(&trail);
    let by_id = |event: &serde_json::Value| event["eventID"].as_str().map(str::to_owned);
    delivered.sort_by_key(by_id);
    let mut expected = written;
    expected.sort_by_key(by_id);
    assert_eq!(delivered.len(), expected.len());
    assert!(delivered == expected, "each record is in exactly one log file");
    let mut second = read_log_files(&data.join("buckets/second-logs"));
    second.sort_by_key(by_id);
    // The second trail lacks the two calls before it was started.
    let ids: BTreeSet<_> = second.iter().filter_map(by_id).collect();
    expected.retain(|event| by_id(event).is_some_and(|id| ids.contains(&id)));
    assert_eq!(delivered.len(), second.len() + 2);
    assert!(second == expected, "each record is in exactly one log file of the second trail");
    assert!(
        log_files(&trail).iter().all(|path| path.extension().is_some_and(|end| end == "gz")),
        "nothing half-written"
    );
    verify(&trail, &[]).ok();
    let server = Running::start(&data_dir);
    for (name, bucket) in [("codecommit-local", "trail"), ("Second", "buckets/second-logs")] {
        validate(&server, name, &data.join(bucket));
    }
    let repository_folders = std::fs::read_dir(data.join("repositories")).expect("the folder exists");
    assert_eq!(repository_folders.count(), 1, "only the repository with objects has a folder");
}

/// Validates a trail with the AWS CLI after all its log files are in a digest.
fn validate(server: &Running, trail: &str, bucket: &Path) {
    let covered = || -> usize {
        let count = |digest: &Digest| digest.content["logFiles"].as_array().map_or(0, Vec::len);
        digests(bucket).iter().map(count).sum()
    };
    let delivered = log_files(bucket).len();
    wait_until("all log files are in a digest", || covered() >= delivered);
    let arn = format!("arn:aws:cloudtrail:us-east-1:111122223333:trail/{trail}");
    let arguments = ["cloudtrail", "validate-logs", "--trail-arn", &arn, "--start-time", "2020-01-01T00:00:00Z"];
    let shown = aws(bucket, server.endpoint(), &arguments).ok();
    let valid = shown.lines().find_map(|line| line.strip_suffix(" log files valid")?.split_once('/'));
    let (valid, all) = valid.unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(valid, all, "{shown}");
    assert!(valid.parse::<usize>().is_ok_and(|count| count >= delivered), "{delivered} were delivered: {shown}");
}

/// Calls and pushes until enough changes are acknowledged, then kills the server during further calls.
fn load(
    server: Running,
    round: usize,
    folder: &Path,
    commits: &[String],
    acknowledged: &Mutex<Acknowledged>,
    is_enforced: bool,
) {
    let endpoint = &server.endpoint().to_owned();
    let (done, progress) = channel();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let done = done.clone();
            scope.spawn(move || create_many(endpoint, &format!("r{round}-{thread}"), acknowledged, &done));
        }
        if is_enforced {
            scope.spawn(move || refuse_many(endpoint, acknowledged));
        }
        let pushes = done.clone();
        scope.spawn(move || push_many(endpoint, round, folder, commits, acknowledged, &pushes));
        drop(done);
        assert!(progress.iter().take(CALLS_PER_ROUND).count() == CALLS_PER_ROUND, "the loops are long enough");
        server.kill();
    });
}

fn create_many(endpoint: &str, prefix: &str, acknowledged: &Mutex<Acknowledged>, done: &Sender<()>) {
    for number in 0..400 {
        if create(endpoint, &format!("{prefix}-{number}"), acknowledged).is_err() {
            return;
        }
        // The receiver ends when it has counted enough.
        let _ = done.send(());
    }
}

/// Calls as a user without policies until the server is killed.
fn refuse_many(endpoint: &str, acknowledged: &Mutex<Acknowledged>) {
    while let Ok(reply) = call(endpoint, "DeleteRepository", "pushed", LI_JUAN) {
        assert_eq!(reply.json()["__type"], "AccessDeniedException", "{}", reply.text());
        let id = reply.header("x-amzn-requestid").expect("every reply has one").to_owned();
        acknowledged.lock().request_ids.insert(id);
    }
}

fn create(endpoint: &str, name: &str, acknowledged: &Mutex<Acknowledged>) -> Result<(), ureq::Error> {
    let reply = call(endpoint, "CreateRepository", name, MARY_MAJOR)?;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut acknowledged = acknowledged.lock();
    acknowledged.request_ids.insert(reply.header("x-amzn-requestid").expect("every reply has one").to_owned());
    acknowledged.repositories.insert(name.to_owned());
    Ok(())
}

fn call(endpoint: &str, operation: &str, name: &str, key: AccessKey<'_>) -> Result<tests::Reply, ureq::Error> {
    try_send(signing::sign(request(endpoint, operation, &json!({ "repositoryName": name })), key))
}

/// Returns the URL of the repository of the pushes, with Git credentials.
fn url(endpoint: &str) -> String {
    format!("{}/v1/repos/pushed", endpoint.replace("http://", "http://Mary_Major-at-111122223333:password@"))
}

/// Pushes the commits of the history to a branch of this round, one at a time.
fn push_many(
    endpoint: &str,
    round: usize,
    folder: &Path,
    commits: &[String],
    acknowledged: &Mutex<Acknowledged>,
    done: &Sender<()>,
) {
    let url = url(endpoint);
    let branch = format!("refs/heads/round-{round}");
    for commit in commits {
        let refspec = format!("{commit}:{branch}");
        if !git(&folder.join("work"), &["push", "--quiet", &url, &refspec]).success {
            return;
        }
        acknowledged.lock().branches.insert(branch.clone(), commit.clone());
        let _ = done.send(());
    }
}

/// Creates a repository with a linear history of forty commits; returns their ids.
fn history(folder: &Path) -> Vec<String> {
    std::fs::create_dir(folder).expect("the folder is writable");
    git(folder, &["init", "--quiet", "--initial-branch=main"]).ok();
    let commit = |number: usize| {
        std::fs::write(folder.join(format!("file-{number}")), "content\n".repeat(number))
            .expect("the folder is writable");
        git(folder, &["add", "--all"]).ok();
        git(folder, &["commit", "--quiet", "--message", &number.to_string()]).ok();
        git(folder, &["rev-parse", "HEAD"]).ok()
    };
    (0..40).map(commit).collect()
}

fn is_at_or_after(commits: &[String], acknowledged: &str, found: &str) -> bool {
    let position = |id: &str| commits.iter().position(|commit| commit == id);
    position(found) >= position(acknowledged)
}

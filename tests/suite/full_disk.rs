//! A disk that fills and empties under load: acknowledged changes are kept and recorded once in each place.
//!
//! The disk is a small file system in memory, in a mount namespace of the server. It needs no privileges where the system allows user
//! namespaces.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use store::{Durability, Store};
use tests::binary::{self, Running};
use tests::clients::git;
use tests::digests::signing_key;
use tests::wire::{request, try_send};
use tests::{read_events, read_log_files, wait_until};

/// Number of times that the disk fills, unless `DISK_ROUNDS` in the environment sets another.
const ROUNDS: usize = 4;

/// Number of refused calls before the disk empties, and of acknowledged calls before it fills again.
const CALLS_PER_ROUND: usize = 40;

/// Number of references of a large repository; deleting them exceeds the cache of a database connection.
const REFERENCES: usize = 1_500;

/// The outcomes of calls.
#[derive(Default)]
struct Outcomes {
    /// The request ids of the acknowledged calls.
    acknowledged: Mutex<BTreeSet<String>>,
    /// Whether the repository with a name exists according to the last outcome.
    created: Mutex<BTreeMap<String, bool>>,
    /// The repositories and commits of acknowledged calls, each of which has an event.
    commits: Mutex<BTreeSet<String>>,
    /// The numbers of acknowledged and of refused calls.
    counts: [AtomicUsize; 2],
    is_over: AtomicBool,
}

impl Outcomes {
    /// Calls an operation and notes the outcome; a call that is not acknowledged was rolled back.
    fn call(&self, endpoint: &str, operation: &str, input: &Value) -> Option<Value> {
        let reply = try_send(request(endpoint, operation, input)).expect("the server goes on");
        let is_done = reply.status == 200;
        assert!(is_done || reply.status == 500, "{operation}: {}", reply.text());
        let id = reply.header("x-amzn-requestid").expect("each reply has an id").to_owned();
        if is_done {
            self.acknowledged.lock().insert(id);
        }
        self.counts[usize::from(!is_done)].fetch_add(1, Ordering::SeqCst);
        is_done.then(|| serde_json::from_str(&reply.text()).expect("the text is JSON"))
    }

    fn create(&self, endpoint: &str, name: &str) {
        let is_created = self.call(endpoint, "CreateRepository", &json!({ "repositoryName": name })).is_some();
        self.created.lock().insert(name.to_owned(), is_created);
    }

    /// Waits until `count` more calls were acknowledged or refused.
    fn wait(&self, refused: bool, count: usize) {
        let counted = &self.counts[usize::from(refused)];
        let end = counted.load(Ordering::SeqCst) + count;
        wait_until("calls go on", || counted.load(Ordering::SeqCst) >= end);
    }
}

/// Stops the callers when it is dropped.
struct IsOver<'a>(&'a AtomicBool);

impl Drop for IsOver<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A server on its own disk.
struct SmallDisk {
    server: Running,
    log: PathBuf,
    disk: PathBuf,
}

impl SmallDisk {
    fn start(folder: &Path) -> Self {
        let (mounted, log) = (folder.join("disk"), folder.join("log"));
        fs::create_dir(&mounted).expect("the folder is writable");
        let namespace = ["--user", "--map-root-user", "--mount"];
        let is_allowed =
            Command::new("unshare").args(namespace).arg("true").status().is_ok_and(|ended| ended.success());
        assert!(
            is_allowed,
            "this test mounts a disk of its own: the system must allow user namespaces (unshare --user --mount)"
        );
        let script = "mount -t tmpfs -o size=192m none \"$1\" && log=$2 && shift 2 && exec \"$@\" 2>\"$log\"";
        let mut command = Command::new("unshare");
        command.args(namespace).args(["sh", "-c", script, "sh"]).arg(&mounted).arg(&log).arg(binary::path());
        command.args(["--listen", "127.0.0.1:0", "--log-interval", "100ms", "--data-dir"]).arg(mounted.join("data"));
        command.args(["--repository-limit", "1000000", "--signing-key"]).arg(signing_key());
        let server = Running::start_command(command);
        let root = PathBuf::from(format!("/proc/{}/root", server.id()));
        let disk = root.join(mounted.strip_prefix("/").expect("the path is absolute"));
        Self { server, log, disk }
    }

    /// Fills the disk.
    fn fill(&self) {
        let mut file = File::create(self.disk.join("filler")).expect("the folder is writable");
        let mut chunk = vec![1; 1 << 20];
        while !chunk.is_empty() {
            if file.write_all(&chunk).is_err() {
                chunk.truncate(chunk.len() / 2);
            }
        }
    }

    fn empty(&self) {
        fs::remove_file(self.disk.join("filler")).expect("the file exists");
    }
}

/// Pushes a repository with many references, which is deleted while the disk is full.
fn push_large(folder: &Path, endpoint: &str, outcomes: &Outcomes, name: &str) {
    outcomes.create(endpoint, name);
    let url = format!("{endpoint}/v1/repos/{name}");
    git(&folder.join("work"), &["push", "--quiet", "--mirror", &url]).ok();
}

/// Creates a repository with one commit and many tags.
fn large(folder: &Path) {
    git(folder, &["init", "--quiet", "--initial-branch=main", "work"]).ok();
    let work = folder.join("work");
    git(&work, &["commit", "--quiet", "--allow-empty", "--message", "first"]).ok();
    let commit = git(&work, &["rev-parse", "HEAD"]).ok();
    let lines = (0..REFERENCES).map(|number| format!("{commit} refs/tags/{number:05}-{}\n", "x".repeat(2_000)));
    fs::write(work.join(".git/packed-refs"), lines.collect::<String>()).expect("the folder is writable");
}

#[test]
fn changes_acknowledged_on_a_full_disk_are_kept_and_recorded_once() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    large(folder.path());
    let place = SmallDisk::start(folder.path());
    let (endpoint, outcomes) = (place.server.endpoint().to_owned(), Outcomes::default());
    let rounds = std::env::var("DISK_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    for thread in 0..3 {
        outcomes.create(&endpoint, &format!("files-{thread}"));
    }
    for round in 0..rounds {
        push_large(folder.path(), &endpoint, &outcomes, &format!("large-{round}"));
    }
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (outcomes, endpoint) = (&outcomes, &endpoint);
            scope.spawn(move || {
                let repository = format!("files-{thread}");
                let mut parent = Value::Null;
                for number in 0.. {
                    if outcomes.is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    outcomes.create(endpoint, &format!("small-{thread}-{number}"));
                    outcomes.call(endpoint, "ListRepositories", &json!({}));
                    let input = json!({
                        "repositoryName": repository, "branchName": "main", "parentCommitId": parent,
                        "filePath": number.to_string(), "fileContent": "eHh4",
                    });
                    if let Some(made) = outcomes.call(endpoint, "PutFile", &input) {
                        parent = made["commitId"].clone();
                        outcomes.commits.lock().insert(format!("{repository} {parent}"));
                    }
                }
            });
        }
        // The other threads end even if this one panics.
        let _over = IsOver(&outcomes.is_over);
        for round in 0..rounds {
            let large = format!("large-{round}");
            place.fill();
            outcomes.wait(true, CALLS_PER_ROUND);
            let is_deleted =
                outcomes.call(&endpoint, "DeleteRepository", &json!({ "repositoryName": large })).is_some();
            outcomes.created.lock().insert(large.clone(), !is_deleted);
            outcomes.wait(true, CALLS_PER_ROUND);
            place.empty();
            outcomes.wait(false, CALLS_PER_ROUND);
            outcomes.call(&endpoint, "DeleteRepository", &json!({ "repositoryName": large }));
            outcomes.created.lock().insert(large, false);
        }
    });
    check(&place, folder.path(), &outcomes);
    let log = fs::read_to_string(&place.log).expect("the file exists");
    let errors = log.lines().filter(|line| line.contains("ERROR")).count();
    println!("{:?} acknowledged and refused, {errors} lines of errors", outcomes.counts);
    assert!(errors < 100 * rounds, "{errors} lines of errors");
}

/// Compares the outcomes with the rows, the lines and the log files.
fn check(place: &SmallDisk, folder: &Path, outcomes: &Outcomes) {
    let endpoint = place.server.endpoint();
    let acknowledged = outcomes.acknowledged.lock();
    // After the last call, the waiting lines are written without further calls.
    let trail = place.disk.join("data/trail");
    let requests = || -> Vec<String> {
        let text = fs::read_to_string(trail.join("events.ndjson")).expect("the file exists");
        let records = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let records = records.map(|line| serde_json::from_str::<Value>(line).expect("a whole line is a record"));
        records.map(|record| record["requestID"].as_str().unwrap_or_default().to_owned()).collect()
    };
    wait_until("each acknowledged call is a line", || acknowledged.is_subset(&requests().into_iter().collect()));
    assert_eq!(heard_flush(endpoint), 200);
    check_bus_events(place, &outcomes.commits.lock());

    // The disk ends with the server, so the test checks a copy, as it would be after a kill.
    let copy = folder.join("copy");
    let copied = Command::new("cp").arg("-r").arg(place.disk.join("data")).arg(&copy).status();
    assert!(copied.expect("cp is there").success());
    let _ = fs::remove_file(copy.join("codecommit.db-shm"));
    let lines = read_events(&copy.join("trail"));
    let store = Store::open(&copy.join("codecommit.db"), Durability::Normal).expect("the database opens");
    let rows: Result<Vec<(String, String)>, store::Error> = store.read(|transaction| {
        transaction
            .query("SELECT event_id, record FROM events ORDER BY seq", &[], |row| Ok((row.text(0)?, row.text(1)?)))
    });
    let rows = rows.expect("the table is there");
    drop(store);
    let id = |record: &Value| record["eventID"].as_str().expect("the member is a string").to_owned();
    let written: Vec<_> = lines.iter().map(id).collect();
    let kept: Vec<_> = rows.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(written.len(), kept.len(), "lines and rows");
    assert!(written == kept, "lines and rows are in one order");
    let mut delivered: Vec<_> = read_log_files(&copy.join("trail")).iter().map(id).collect();
    let mut expected = written;
    delivered.sort();
    expected.sort();
    assert!(delivered == expected, "each record is in one log file: {} and {}", delivered.len(), expected.len());
    let mut count = BTreeMap::<_, usize>::new();
    for record in lines.iter().filter(|record| record["eventSource"] == "codecommit.amazonaws.com") {
        *count.entry(record["requestID"].as_str().expect("the member is a string")).or_default() += 1;
    }
    for request in &*acknowledged {
        assert_eq!(count.get(request.as_str()), Some(&1), "{request} was acknowledged");
    }
    let of_success = lines.iter().filter(|record| record["errorCode"].is_null() && record["eventName"] != "GitPush");
    for record in of_success {
        let request = record["requestID"].as_str().expect("the member is a string");
        assert!(acknowledged.contains(request), "a record of success that nobody heard of: {record}");
    }
    for (name, is_created) in &*outcomes.created.lock() {
        let reply = try_send(request(endpoint, "GetRepository", &json!({ "repositoryName": name })))
            .expect("another line follows");
        assert_eq!(reply.status == 200, *is_created, "{name}: {}", reply.text());
    }
    for thread in 0..3 {
        let (url, clone) = (format!("{endpoint}/v1/repos/files-{thread}"), format!("clone-{thread}"));
        git(folder, &["clone", "--quiet", "--mirror", &url, &clone]).ok();
        git(&folder.join(clone), &["fsck", "--full", "--strict"]).ok();
    }
}

/// Compares the commits of acknowledged calls with the lines of the file of events.
fn check_bus_events(place: &SmallDisk, commits: &BTreeSet<String>) {
    let of_files = || -> Vec<String> {
        let text = fs::read_to_string(place.disk.join("data/eventbridge.ndjson")).expect("the file exists");
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let events = lines.map(|line| serde_json::from_str::<Value>(line).expect("a whole line is an event"));
        let of_files = events.filter(|event| event["detail"]["referenceFullName"] == "refs/heads/main");
        let commit = |event: Value| {
            let detail = &event["detail"];
            format!("{} {}", detail["repositoryName"].as_str().unwrap_or_default(), detail["commitId"])
        };
        of_files.map(commit).collect()
    };
    wait_until("each acknowledged commit has an event", || commits.is_subset(&of_files().into_iter().collect()));
    let mut written = of_files();
    // The pushes of large repositories have one commit.
    written.retain(|commit| commits.contains(commit));
    assert_eq!(written.len(), commits.len(), "no event is there twice");
}

fn heard_flush(endpoint: &str) -> u16 {
    let flush = ureq::http::Request::post(format!("{endpoint}/_local/flush"))
        .body(Vec::new())
        .expect("the request is well formed");
    try_send(flush).expect("the server goes on").status
}

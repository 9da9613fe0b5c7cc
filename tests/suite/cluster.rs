//! Several servers on one database, one folder of objects and one trail folder. Without a server with PostgreSQL these tests have nothing to
//! look at.

mod balancer;
mod clocks;
mod kills;
mod lost_database;
mod objects;
mod partition;
mod upgrade;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use store::postgres::ServerSettings;
use store::{Durability, Error, Store};
use tempfile::TempDir;
use tests::binary::{self, Running};
use tests::clients::{aws, outcome};
use tests::database::Schema;
use tests::destination::Destination;
use tests::digests::{digests, signing_key, verify};
use tests::wire::{Reply, request, send, signed, try_send};
use tests::{log_files, read_events, read_log_files, wait_until};
use ureq::http::Request;

/// Time within which another node has the roles of one that was killed.
const TAKEOVER_MAX: Duration = Duration::from_secs(12);

/// Acknowledged calls before a node is killed.
const CALLS: usize = 200;

/// Calls after another node has its roles.
const CALLS_AFTERWARDS: usize = 40;

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local";

/// What the nodes of a test share.
struct Cluster {
    folder: TempDir,
    /// The URL of the database.
    database: String,
    /// Kept for the time of the test.
    schema: Option<Schema>,
}

impl Cluster {
    /// Takes a schema for the nodes, if there is a server.
    fn new() -> Option<Self> {
        let Some(schema) = Schema::take() else {
            eprintln!("not run with SQLite: there is no server; scripts/postgres starts one");
            return None;
        };
        let cluster = Self::over(schema.url());
        Some(Self { schema: Some(schema), ..cluster })
    }

    /// Begins a cluster on an empty database.
    fn over(database: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        Self { folder, database: database.to_owned(), schema: None }
    }

    /// Returns the command that starts a node whose data folder has a name of its own.
    fn command(&self, node: &str, data: &str) -> Command {
        self.command_over(node, data, self.folder.path().join("objects").as_os_str())
    }

    /// Returns the command that starts a node over a place of objects.
    fn command_over(&self, node: &str, data: &str, objects: &OsStr) -> Command {
        self.command_with(node, data, objects, &self.database)
    }

    /// Returns the command that starts a node over a place of objects and a URL of the database.
    fn command_with(&self, node: &str, data: &str, objects: &OsStr, database: &str) -> Command {
        let mut command = Command::new(binary::path());
        command.env_clear().args(["--listen", "127.0.0.1:0", "--database", database, "--node-name", node]);
        command.arg("--data-dir").arg(self.folder.path().join(data));
        command.arg("--objects").arg(objects);
        command.arg("--trail-dir").arg(self.trail()).arg("--buckets-dir").arg(self.folder.path().join("buckets"));
        command.args(["--log-interval", "100ms", "--log-size", "64KB", "--digest-interval", "1s", "--allow-reset"]);
        command.args(["--repository-limit", "1000000"]).arg("--signing-key").arg(signing_key());
        command
    }

    /// Starts a node.
    fn start(&self, node: &str) -> Running {
        Running::start_command(self.command(node, node))
    }

    /// Connects to the database.
    fn store(&self) -> Store {
        let settings = ServerSettings::parse(&self.database).expect("the URL is valid");
        Store::connect(settings, Durability::Normal).expect("the database runs")
    }

    fn trail(&self) -> PathBuf {
        self.folder.path().join("trail")
    }

    /// Reads the ids of the stored events, which are numbered without gaps from 1.
    fn stored_events(&self) -> Vec<String> {
        let store = self.store();
        let events: Result<Vec<(i64, String)>, Error> = store.read(|transaction| {
            let sql = "SELECT seq, event_id FROM events ORDER BY seq";
            transaction.query(sql, &[], |row| Ok((row.integer(0)?, row.text(1)?)))
        });
        let events = events.expect("the table exists");
        assert!(events.iter().map(|(seq, _)| *seq).eq(1..=i64::try_from(events.len()).expect("there are few")));
        events.into_iter().map(|(_, id)| id).collect()
    }
}

fn call(node: &Running, operation: &str, input: &Value) -> Reply {
    send(request(node.endpoint(), operation, input))
}

fn ok(node: &Running, operation: &str, input: &Value) -> Value {
    let reply = call(node, operation, input);
    assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
    reply.json()
}

fn local(node: &Running, method: &str, path: &str) -> Reply {
    let uri = format!("{}/_local/{path}", node.endpoint());
    let reply = send(Request::builder().method(method).uri(uri).body(Vec::new()).expect("the request is well formed"));
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply
}

/// Returns the status and the roles of a node, as another one knows them.
fn node(asked: &Running, name: &str) -> (String, Vec<String>) {
    let nodes = local(asked, "GET", "nodes").json();
    let nodes = nodes["nodes"].as_array().expect("the nodes are a list");
    let node = nodes.iter().find(|node| node["name"] == name).expect("the node has joined");
    let roles = node["roles"].as_array().expect("the roles are a list");
    let roles = roles.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (node["status"].as_str().expect("the member is a string").to_owned(), roles)
}

/// Returns whether a node has all of some roles, as another one knows it.
fn has_roles(asked: &Running, name: &str, roles: &[&str]) -> bool {
    let (_, held) = node(asked, name);
    roles.iter().all(|role| held.iter().any(|held| held == role))
}

fn ids(records: &[Value], member: &str) -> Vec<String> {
    records.iter().map(|record| record[member].as_str().expect("the member is a string").to_owned()).collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

/// Calls a node until it ends or enough calls were made; sends the id of each call that was answered.
fn load(endpoint: &str, prefix: &str, answered: &Sender<String>) {
    for number in 0..1_000 {
        let input = json!({ "repositoryName": format!("{prefix}-{number}") });
        let operation = if number % 3 == 2 { "GetRepository" } else { "CreateRepository" };
        let Ok(reply) = try_send(request(endpoint, operation, &input)) else { return };
        let id = reply.header("x-amzn-requestid").expect("each reply has an id").to_owned();
        if answered.send(id).is_err() {
            return;
        }
    }
}

/// Checks that each call that was answered has one record, and that each record is once in valid log files.
fn check_records(cluster: &Cluster, answered: &[String]) {
    let stored = cluster.stored_events();
    let trail = cluster.trail();
    wait_until("events.ndjson has all records", || ids(&read_events(&trail), "eventID").len() >= stored.len());
    let written = read_events(&trail);
    assert_eq!(ids(&written, "eventID"), stored, "in the order of the commits");
    let mut counts = BTreeMap::<String, usize>::new();
    for id in ids(&written, "requestID") {
        *counts.entry(id).or_default() += 1;
    }
    for id in answered {
        assert_eq!(counts.get(id), Some(&1), "call {id} was acknowledged");
    }
    assert_eq!(sorted(ids(&read_log_files(&trail), "eventID")), sorted(stored));
    // A node that was killed can have begun a file, which another one has written.
    let is_complete_or_begun = |path: &PathBuf| path.extension().is_some_and(|end| end == "gz" || end == "partial");
    assert!(log_files(&trail).iter().all(is_complete_or_begun));
    verify(&trail, &[]).ok();
}

#[test]
fn every_acknowledged_call_of_three_nodes_is_recorded_once_although_one_is_killed() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, others) = (cluster.start("a"), [cluster.start("b"), cluster.start("c")]);
    assert!(node(&others[0], "a").1.contains(&"delivery".to_owned()));
    let mut answered = Vec::new();
    let (sender, receiver) = channel();
    let endpoints = [&first, &others[0], &others[1]].map(|node| node.endpoint().to_owned());
    let mut loads = Vec::new();
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        let sender = sender.clone();
        loads.push(std::thread::spawn(move || load(&endpoint, &format!("node-{index}"), &sender)));
    }
    drop(sender);
    answered.extend(receiver.iter().take(CALLS));
    first.kill();
    let killed = Instant::now();
    let taken = || {
        let roles = |name| node(&others[0], name).1;
        let roles = [roles("b"), roles("c")].concat();
        ["delivery", "digests", "triggers"].iter().all(|role| roles.iter().any(|taken| taken == role))
    };
    wait_until("other nodes have the roles of the killed one", || {
        answered.extend(receiver.try_iter());
        taken()
    });
    let time = killed.elapsed();
    assert!(time <= TAKEOVER_MAX, "{time:?}");
    assert_eq!(node(&others[0], "a").0, "lost");
    // The loops end with their channel; what they were sending is not counted.
    drop(receiver);
    for load in loads {
        load.join().expect("a loop does not panic");
    }
    for number in 0..CALLS_AFTERWARDS {
        let reply = call(&others[number % 2], "GetRepository", &json!({ "repositoryName": "node-1-0" }));
        answered.push(reply.header("x-amzn-requestid").expect("each reply has an id").to_owned());
    }

    // The node without roles delivers, too, while the other may.
    for node in &others {
        local(node, "POST", "digest");
    }
    assert!(answered.len() >= CALLS + CALLS_AFTERWARDS);
    check_records(&cluster, &answered);
    let trail = cluster.trail();
    let delivered = log_files(&trail).len();
    let covered = || -> usize {
        digests(&trail).iter().map(|digest| digest.content["logFiles"].as_array().map_or(0, Vec::len)).sum()
    };
    wait_until("all log files are in a digest", || covered() >= delivered);
    let arguments = ["cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", "2020-01-01T00:00:00Z"];
    let shown = aws(cluster.folder.path(), others[1].endpoint(), &arguments).ok();
    let valid = shown.lines().find_map(|line| line.strip_suffix(" log files valid")?.split_once('/'));
    assert!(valid.is_some_and(|(valid, all)| valid == all), "{shown}");
}

#[test]
fn roles_go_over_at_a_stop_and_the_command_shows_nodes() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, second) = (cluster.start("a"), cluster.start("b"));
    let health = local(&second, "GET", "health").json();
    assert_eq!(health, json!({ "status": "ready", "node": "b" }));
    ok(&second, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let nodes = |node: &Running| {
        outcome(Command::new(binary::path()).env_clear().args(["nodes", "--endpoint", node.endpoint()])).ok()
    };
    let shown = nodes(&second);
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..4], ["NODE", "STATUS", "VERSION", "ADDRESS"]);
    assert_eq!((lines[1][0], lines[1][1], lines[1][3]), ("a", "running", first.endpoint()));
    assert!(lines[1].contains(&"delivery,") && lines[2].ends_with(&["-"]), "{shown}");
    assert_eq!(first.terminate(), Some(0));
    // What the second node has recorded was delivered by the first one at its end, or is by the second.
    wait_until("the other node has the roles", || node(&second, "b").1.contains(&"delivery".to_owned()));
    assert_eq!(node(&second, "a"), ("stopped".to_owned(), Vec::new()));
    assert!(nodes(&second).contains("stopped"));
    assert_eq!(second.terminate(), Some(0));
    let stored = cluster.stored_events();
    assert_eq!(ids(&read_events(&cluster.trail()), "eventID"), stored);
    assert_eq!(sorted(ids(&read_log_files(&cluster.trail()), "eventID")), sorted(stored));
}

/// Sends a signal to a node.
fn signal(node: &Running, name: &str) {
    let id = node.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().expect("kill is installed").success());
}

#[test]
fn a_node_that_hangs_loses_its_roles_and_continues_without_them() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, second) = (cluster.start("a"), cluster.start("b"));
    ok(&first, "CreateRepository", &json!({ "repositoryName": "one" }));
    signal(&first, "-STOP");
    wait_until("the other node has the roles", || node(&second, "b").1.contains(&"delivery".to_owned()));
    ok(&second, "CreateRepository", &json!({ "repositoryName": "two" }));
    local(&second, "POST", "flush");
    signal(&first, "-CONT");
    ok(&first, "CreateRepository", &json!({ "repositoryName": "three" }));
    wait_until("the node knows that it has no role", || node(&first, "a") == ("running".to_owned(), Vec::new()));
    local(&first, "POST", "flush");
    let stored = cluster.stored_events();
    assert_eq!(stored.len(), 3);
    wait_until("events.ndjson has all records", || ids(&read_events(&cluster.trail()), "eventID") == stored);
    assert_eq!(sorted(ids(&read_log_files(&cluster.trail()), "eventID")), sorted(stored));
}

#[test]
fn a_name_is_refused_while_its_node_runs_and_a_killed_node_starts_again_at_once() {
    let Some(cluster) = Cluster::new() else { return };
    let first = cluster.start("a");
    let refused = outcome(cluster.command("a", "other").stdin(Stdio::null())).failed();
    let expected = format!(
        "codecommit-local: the server at {} runs on the same database with the same node name, 'a'; \
         give each server a name of its own with --node-name",
        first.endpoint()
    );
    assert!(refused.contains(&expected), "{refused}");
    first.kill();
    let again = cluster.start("a");
    assert!(node(&again, "a").1.contains(&"delivery".to_owned()), "it is the same node by its data folder");
}

#[test]
fn a_reset_by_one_node_is_seen_by_the_other() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, second) = (cluster.start("a"), cluster.start("b"));
    for (name, node) in [("one", &first), ("two", &second), ("three", &first)] {
        ok(node, "CreateRepository", &json!({ "repositoryName": name }));
    }
    local(&first, "POST", "flush");
    local(&second, "POST", "reset");
    assert_eq!(ok(&first, "ListRepositories", &json!({}))["repositories"], json!([]));
    ok(&first, "CreateRepository", &json!({ "repositoryName": "one" }));
    ok(&second, "CreateRepository", &json!({ "repositoryName": "two" }));
    let stored = cluster.stored_events();
    assert_eq!(stored.len(), 3);
    wait_until("events.ndjson has the records since the reset alone", || {
        ids(&read_events(&cluster.trail()), "eventID") == stored
    });
    local(&first, "POST", "flush");
    assert_eq!(sorted(ids(&read_log_files(&cluster.trail()), "eventID")), sorted(stored.clone()));
    let found = ok(&second, "LookupEvents", &json!({}));
    assert_eq!(found["Events"].as_array().map(Vec::len), Some(stored.len()), "{found}");
}

#[test]
fn one_node_sends_the_messages_of_all() {
    let Some(cluster) = Cluster::new() else { return };
    let destination = Destination::start(&[]);
    let config = cluster.folder.path().join("config.toml");
    let text = format!("[triggers.destinations]\n\"arn:aws:sns:\" = {{ url = \"{}\" }}\n", destination.url());
    std::fs::write(&config, text).expect("the folder is writable");
    let start = |name: &str| {
        let mut command = cluster.command(name, name);
        command.arg("--config").arg(&config);
        Running::start_command(command)
    };
    let (first, second) = (start("a"), start("b"));
    let name = json!({ "repositoryName": "MyDemoRepo" });
    ok(&second, "CreateRepository", &name);
    let topic = "arn:aws:sns:us-east-1:111122223333:MyTopic";
    let trigger = json!({ "name": "all", "destinationArn": topic, "branches": [], "events": ["all"] });
    ok(&second, "PutRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo", "triggers": [trigger] }));
    let file = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "README.md", "fileContent": "QQ==",
    });
    ok(&second, "PutFile", &file);
    assert!(destination.next().body.contains("MyDemoRepo"));
    let log = cluster.folder.path().join("a/triggers.ndjson");
    wait_until("the node with the role logs the outcome", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.lines().count() == 1)
    });
    assert!(!cluster.folder.path().join("b/triggers.ndjson").exists());
    drop(first);
}

#[test]
fn the_feed_of_a_node_has_the_records_of_the_others() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, second) = (cluster.start("a"), cluster.start("b"));
    ok(&second, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let found = Mutex::new(None);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let reply = local(&first, "GET", "events?after=now&name=GetRepository&wait=60");
            *found.lock() = Some(reply.text());
        });
        // The reader may begin later than a call, so there are several.
        wait_until("the reader has a record", || {
            ok(&second, "GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
            found.lock().is_some()
        });
    });
    let text = found.into_inner().unwrap_or_default();
    assert!(text.lines().next().is_some_and(|line| line.contains("GetRepository")), "{text}");
}

/// Sends a request of AWS query, with an access key that names the caller.
fn query(node: &Running, form: &str, access_key: &str, service: &str) -> String {
    let authorization = signed(access_key, "us-east-1").replace("codecommit", service);
    let request = Request::post(node.endpoint())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", authorization)
        .body(form.as_bytes().to_vec())
        .expect("the request is well formed");
    let reply = send(request);
    assert_eq!(reply.status, 200, "{form}: {}", reply.text());
    reply.text()
}

#[test]
fn a_user_that_one_node_creates_is_known_to_the_other() {
    let Some(cluster) = Cluster::new() else { return };
    let (first, second) = (cluster.start("a"), cluster.start("b"));
    let iam = |action: &str| {
        query(&first, &format!("Action={action}&UserName=Li_Juan&Version=2010-05-08"), "Mary_Major", "iam")
    };
    iam("CreateUser");
    let created = iam("CreateAccessKey");
    let key = created.split_once("<AccessKeyId>").and_then(|(_, rest)| rest.split_once("</AccessKeyId>"));
    let (key, _) = key.unwrap_or_else(|| panic!("{created}"));
    wait_until("the other node knows whose key it is", || {
        query(&second, "Action=GetCallerIdentity&Version=2011-06-15", key, "sts").contains("user/Li_Juan")
    });
    query(
        &second,
        &format!("Action=DeleteAccessKey&UserName=Li_Juan&AccessKeyId={key}&Version=2010-05-08"),
        "Mary_Major",
        "iam",
    );
    wait_until("the key is unknown", || {
        !query(&first, "Action=GetCallerIdentity&Version=2011-06-15", key, "sts").contains("user/Li_Juan")
    });
}

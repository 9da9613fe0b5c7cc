//! Nodes whose machines' clocks are an hour apart.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tests::binary::Running;
use tests::{wait_until, workspace};

use super::{Cluster, call, check_records, has_roles, local};

/// An hour in seconds.
const HOUR: i64 = 3_600;

/// Builds what sets the clock of a program.
fn clock_library(cluster: &Cluster) -> PathBuf {
    let library = cluster.folder.path().join("clock.so");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(workspace().join("tests/clock/clock.c"));
    assert!(compile.status().expect("a C compiler is installed").success());
    library
}

fn start(cluster: &Cluster, name: &str, ahead: i64) -> Running {
    let mut command = cluster.command(name, name);
    command.env("LD_PRELOAD", clock_library(cluster)).env("CLOCK_AHEAD", ahead.to_string());
    Running::start_command(command)
}

/// Calls each of some nodes in turn, and returns the ids of the calls.
fn create(nodes: &[&Running], prefix: &str) -> Vec<String> {
    let create = |number: usize| {
        let input = json!({ "repositoryName": format!("{prefix}-{number}") });
        let reply = call(nodes[number % nodes.len()], "CreateRepository", &input);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header("x-amzn-requestid").expect("each reply has an id").to_owned()
    };
    (0..30).map(create).collect()
}

#[test]
fn nodes_with_clocks_an_hour_apart_keep_their_roles_and_write_valid_log_files() {
    let Some(cluster) = Cluster::new() else { return };
    let first = cluster.start("a");
    let (ahead, behind) = (start(&cluster, "ahead", HOUR), start(&cluster, "behind", -HOUR));
    let mut answered = create(&[&first, &ahead, &behind], "before");
    let listed = local(&first, "GET", "nodes").json();
    let listed = listed["nodes"].as_array().expect("the nodes are a list");
    for (name, hours) in [("a", 0), ("ahead", 1), ("behind", -1)] {
        let node = listed.iter().find(|node| node["name"] == name).expect("the node has joined");
        let offset = node["clockOffsetMilliseconds"].as_f64().expect("the member is a number") / 1_000.0;
        assert!((offset - f64::from(hours * 3_600)).abs() < 60.0, "{node}");
        let has_roles = node["roles"].as_array().is_some_and(|roles| !roles.is_empty());
        assert_eq!((&node["status"], has_roles), (&Value::from("running"), name == "a"), "{node}");
    }
    local(&first, "POST", "digest");
    first.kill();
    let has_roles = |name| has_roles(&ahead, name, &["delivery", "digests"]);
    wait_until("one of the others has the roles", || has_roles("ahead") || has_roles("behind"));
    answered.extend(create(&[&ahead, &behind], "after"));
    for node in [&behind, &ahead, &behind] {
        local(node, "POST", "digest");
    }
    check_records(&cluster, &answered);
}

//! HAProxy in front of two nodes, with the configuration of the repository.

use std::fs;
use std::net::SocketAddr;
use std::thread;

use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::{git, git_command, outcome};
use tests::haproxy::{HaProxy, Node};
use tests::ssh::{self, KEY_ID};
use tests::wire::{request, send};
use tests::{read_events, wait_until};

use super::{Cluster, ids, local, objects};

/// Calls after one of the nodes was killed.
const CALLS: usize = 40;

/// Starts a node with SSH that trusts the balancer.
fn start(cluster: &Cluster, name: &str) -> Running {
    let identities = cluster.folder.path().join(format!("{name}.toml"));
    fs::write(&identities, ssh::identities()).expect("the folder is writable");
    let mut command = cluster.command(name, name);
    command.args(["--ssh-listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1", "--git-auth", "never"]);
    command.arg("--identities").arg(identities);
    Running::start_command(command)
}

/// Returns the line of a node for `known_hosts` without the host: its key.
fn host_key(node: &Running) -> (SocketAddr, String) {
    let line = local(node, "GET", "known_hosts").text();
    let (host, key) = line.trim().split_once(' ').expect("the line begins with the host");
    (host.replace(['[', ']'], "").parse().expect("the host is an address"), key.to_owned())
}

fn address(node: &Running) -> SocketAddr {
    node.endpoint().trim_start_matches("http://").parse().expect("the node has printed its address")
}

#[test]
fn a_balancer_goes_on_with_one_node_when_the_other_is_killed() {
    let Some(cluster) = Cluster::new() else { return };
    // Together, on a database without tables.
    let nodes = thread::scope(|scope| {
        let cluster = &cluster;
        let starts = ["a", "b"].map(|name| scope.spawn(move || start(cluster, name)));
        starts.map(|start| start.join().expect("the node starts"))
    });
    let authority = |name: &str| fs::read(cluster.folder.path().join(name).join("ca.pem")).expect("TLS is on");
    assert_eq!(authority("a"), authority("b"));
    let [(_, key), (_, other_key)] = [0, 1].map(|number| host_key(&nodes[number]));
    assert_eq!(key, other_key);
    let balancer =
        HaProxy::start([0, 1].map(|number| Node { http: address(&nodes[number]), ssh: host_key(&nodes[number]).0 }));
    let call = |operation: &str, input: &Value| {
        let reply = send(request(&balancer.endpoint(), operation, input));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header("x-amzn-requestid").expect("each reply has an id").to_owned()
    };
    let name = json!({ "repositoryName": "MyDemoRepo" });
    let mut answered = vec![call("CreateRepository", &name)];
    let http = format!("{}/v1/repos/MyDemoRepo", balancer.endpoint());
    let ssh = format!("ssh://{KEY_ID}@127.0.0.1:{}/v1/repos/MyDemoRepo", balancer.ssh_port());
    let known_host = format!("[127.0.0.1]:{} {key}", balancer.ssh_port());
    let ssh_command = format!("ssh {}", ssh::options(cluster.folder.path(), &known_host, "declared").join(" "));
    let git_over_ssh = |arguments: &[&str]| {
        outcome(git_command(&cluster.folder.path().join("work"), arguments).env("GIT_SSH_COMMAND", &ssh_command)).ok()
    };
    let work = objects::work(&cluster, "work");
    git(&work, &["push", "--quiet", &http, "main"]).ok();
    for round in 0..2 {
        let pushed = objects::commit(&work, &format!("by SSH {round}"));
        git_over_ssh(&["push", "--quiet", &ssh, "main"]);
        assert_eq!(git_over_ssh(&["ls-remote", &ssh, "main"]).split_whitespace().next(), Some(pushed.as_str()));
        assert!(git(&work, &["ls-remote", &http, "main"]).ok().starts_with(&pushed));
    }

    let [killed, left] = nodes;
    killed.kill();
    answered.extend((0..CALLS).map(|_| call("GetRepository", &name)));
    let pushed = objects::commit(&work, "after the kill");
    git(&work, &["push", "--quiet", &http, "main"]).ok();
    assert!(git_over_ssh(&["ls-remote", &ssh, "main"]).starts_with(&pushed));

    let stored = cluster.stored_events();
    wait_until("events.ndjson has all records", || read_events(&cluster.trail()).len() >= stored.len());
    let events = read_events(&cluster.trail());
    assert_eq!(ids(&events, "eventID"), stored);
    let recorded: Vec<_> = events.iter().filter_map(|event| event["requestID"].as_str()).collect();
    for id in &answered {
        assert_eq!(recorded.iter().filter(|recorded| **recorded == id).count(), 1, "call {id} was answered");
    }
    assert_eq!(local(&left, "GET", "health").json()["status"], "ready");
}

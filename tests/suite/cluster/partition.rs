//! A node that is cut off from the database: nothing arrives any more, and no connection ends.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use serde_json::json;
use tests::binary::Running;
use tests::gate::{Gate, Target};
use tests::wait_until;

use super::lost_database::{health, load};
use super::{Cluster, TAKEOVER_MAX, call, check_records, has_roles, local, node};

/// Calls of the nodes that are answered before the cut, during it, and after it.
const CALLS: usize = 60;

/// Returns a way to the server of a URL, and the URL that goes this way.
fn gate(url: &str) -> (Gate, String) {
    let (_, rest) = url.split_once("host=").expect("the tests use a socket");
    let (folder, schema) = rest.split_once('&').expect("the URL names a schema");
    let gate = Gate::start(Target::Socket(Path::new(folder).join(".s.PGSQL.5432")));
    let through = format!("postgres://postgres@127.0.0.1:{}/postgres?{schema}", gate.port());
    (gate, through)
}

#[test]
fn a_node_that_is_cut_off_from_the_database_loses_its_roles_and_nothing_else() {
    let Some(cluster) = Cluster::new() else { return };
    let (gate, through) = gate(&cluster.database);
    let objects = cluster.folder.path().join("objects");
    let first = Running::start_command(cluster.command_with("a", "a", objects.as_os_str(), &through));
    let second = cluster.start("b");
    let roles = ["delivery", "digests", "upkeep"];
    assert!(has_roles(&second, "a", &roles));
    let is_over = AtomicBool::new(false);
    let mut answered = Vec::new();
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        for (node, prefix) in [(&first, "a-0"), (&first, "a-1"), (&second, "b-0"), (&second, "b-1")] {
            let (sender, is_over) = (sender.clone(), &is_over);
            scope.spawn(move || load(node.endpoint(), prefix, &sender, is_over));
        }
        drop(sender);
        answered.extend(receiver.iter().take(CALLS));
        gate.pause();
        let cut = Instant::now();
        wait_until("the other node has the roles", || {
            answered.extend(receiver.try_iter());
            has_roles(&second, "b", &roles)
        });
        let time = cut.elapsed();
        assert!(time <= TAKEOVER_MAX, "{time:?}");
        answered.extend(receiver.iter().take(CALLS));
        gate.resume();
        let input = json!({ "repositoryName": "again" });
        wait_until("the node serves again", || {
            answered.extend(receiver.try_iter());
            health(first.endpoint()).status == 200 && call(&first, "CreateRepository", &input).status == 200
        });
        answered.extend(receiver.iter().take(CALLS));
        is_over.store(true, Ordering::Relaxed);
        answered.extend(receiver.iter());
    });
    wait_until("the node knows that it has no role", || node(&first, "a") == ("running".to_owned(), Vec::new()));
    for node in [&first, &second] {
        local(node, "POST", "digest");
    }
    check_records(&cluster, &answered);
}

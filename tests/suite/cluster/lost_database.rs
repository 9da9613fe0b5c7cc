//! The server of the database ends at once, while nodes work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::json;
use tests::database_server::DatabaseServer;
use tests::wait_until;
use tests::wire::{Reply, request, send, try_send};
use ureq::http::Request;

use super::{Cluster, check_records, local, node};

/// Crashes of the server, and calls that succeed between two of them.
const CRASHES: usize = 4;
const CALLS_BETWEEN: usize = 60;

/// Calls a node until nobody listens; sends the ids of calls that were answered, other than by status 500.
pub(super) fn load(endpoint: &str, prefix: &str, answered: &Sender<String>, is_over: &AtomicBool) {
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let operation = if number % 3 == 2 { "GetRepository" } else { "CreateRepository" };
        let reply = try_send(request(endpoint, operation, &json!({ "repositoryName": format!("{prefix}-{number}") })));
        let reply = reply.expect("the node itself runs");
        let id = reply.header("x-amzn-requestid").expect("each reply has an id").to_owned();
        // After an error of the database, the call can have happened or not: the client knows nothing.
        if reply.status < 500 && answered.send(id).is_err() {
            return;
        }
    }
}

pub(super) fn health(endpoint: &str) -> Reply {
    let request = Request::get(format!("{endpoint}/_local/health")).body(Vec::new());
    send(request.expect("the request is well formed"))
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_database_ends_at_once() {
    let Some(_) = Cluster::new() else { return };
    let mut server = DatabaseServer::start();
    let cluster = Cluster::over(server.url());
    let nodes = ["a", "b"].map(|name| cluster.start(name));
    let endpoints = [0, 1].map(|number| nodes[number].endpoint().to_owned());
    let (sender, receiver) = channel();
    let is_over = AtomicBool::new(false);
    let mut answered = Vec::new();
    thread::scope(|scope| {
        for (number, endpoint) in endpoints.iter().chain(&endpoints).enumerate() {
            let (sender, is_over) = (sender.clone(), &is_over);
            scope.spawn(move || load(endpoint, &format!("loop-{number}"), &sender, is_over));
        }
        drop(sender);
        for _ in 0..CRASHES {
            answered.extend(receiver.iter().take(CALLS_BETWEEN));
            server.crash();
        }
        answered.extend(receiver.iter().take(CALLS_BETWEEN));
        is_over.store(true, Ordering::Relaxed);
        answered.extend(receiver.iter());
    });
    assert!(answered.len() >= (CRASHES + 1) * CALLS_BETWEEN);

    wait_until("both nodes can serve", || endpoints.iter().all(|endpoint| health(endpoint).status == 200));
    wait_until("the nodes have all roles again", || {
        let held = ["a", "b"].map(|name| node(&nodes[0], name).1).concat();
        ["delivery", "digests", "upkeep"].iter().all(|role| held.iter().any(|held| held == role))
    });
    for node in &nodes {
        local(node, "POST", "digest");
    }
    check_records(&cluster, &answered);
}

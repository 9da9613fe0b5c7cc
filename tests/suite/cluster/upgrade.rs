//! Nodes of two versions on one database. The newer one is what it does to the database: steps of migrations that this version lacks.

use std::process::Stdio;

use serde_json::json;
use store::{Error, Store};
use tests::binary::Running;
use tests::clients::outcome;

use super::{Cluster, call, check_records, local, ok};

fn execute(store: &Store, sql: &'static str) {
    let executed: Result<_, Error> = store.write(move |transaction| transaction.execute_all(sql));
    executed.expect("the statements are valid");
}

#[test]
fn a_node_works_and_starts_beside_a_newer_one_until_that_removes_what_it_uses() {
    let Some(mut cluster) = Cluster::new() else { return };
    cluster.schema.take().expect("the cluster has one").spoil();
    let store = cluster.store();
    let mut answered = Vec::new();
    let mut create = |node: &Running, name: &str| {
        let reply = call(node, "CreateRepository", &json!({ "repositoryName": name }));
        assert_eq!(reply.status, 200, "{}", reply.text());
        answered.push(reply.header("x-amzn-requestid").expect("each reply has an id").to_owned());
    };
    let first = cluster.start("first");
    create(&first, "before");
    execute(
        &store,
        "ALTER TABLE repositories ADD COLUMN newer TEXT; ALTER TABLE events ADD COLUMN newer INTEGER NOT NULL DEFAULT 0; \
         ALTER TABLE nodes ADD COLUMN newer TEXT; CREATE TABLE newer (id INTEGER PRIMARY KEY); \
         UPDATE migrations SET steps = steps + 1 WHERE owner IN ('codecommit', 'trail', 'cluster')",
    );
    create(&first, "while_it_runs");
    let second = cluster.start("second");
    create(&second, "after_its_start");
    assert_eq!(first.terminate(), Some(0));
    let first = cluster.start("first");
    create(&first, "after_its_restart");
    let listed = ok(&second, "ListRepositories", &json!({}));
    assert_eq!(listed["repositories"].as_array().map(Vec::len), Some(4));
    local(&first, "POST", "digest");
    check_records(&cluster, &answered);
    assert_eq!(first.terminate(), Some(0));

    execute(
        &store,
        "INSERT INTO needed_migrations SELECT owner, steps FROM migrations WHERE owner = 'trail' \
         ON CONFLICT (owner) DO UPDATE SET steps = excluded.steps",
    );
    let refused = outcome(cluster.command("first", "first").stdin(Stdio::null())).failed();
    assert!(refused.contains("was written by a newer version of this program"), "{refused}");
}

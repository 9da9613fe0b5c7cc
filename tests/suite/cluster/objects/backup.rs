//! A backup while a node works: a dump of its schema, and then a copy of the shared folder.

use std::fs;
use std::process::Command;

use tests::clients::{git, outcome};
use tests::database_server::DatabaseServer;

use super::{Cluster, cloned_tip, commit, create, large_file, url, work};

#[test]
fn a_dump_and_a_later_copy_of_the_objects_are_a_backup() {
    let Some(cluster) = Cluster::new() else { return };
    let node = cluster.start("a");
    create(&node);
    let work = work(&cluster, "work");
    let tip = commit(&work, "in the backup");
    git(&work, &["push", "--quiet", &url(&node), "main"]).ok();
    let content = b"a large file";
    assert_eq!(large_file(&node, "upload", "PUT", content, content).status, 200);

    let (server, schema) = cluster.database.split_once("&schema=").expect("the URL has a schema");
    let dump = cluster.folder.path().join("dump.sql");
    outcome(Command::new("pg_dump").args(["--dbname", server, "--schema", schema, "--no-owner", "--file"]).arg(&dump))
        .ok();
    commit(&work, "after the dump");
    git(&work, &["push", "--quiet", &url(&node), "main"]).ok();
    let new_server = DatabaseServer::start();
    let restored = Cluster::over(&format!("{}&schema={schema}", new_server.url()));
    let objects = cluster.folder.path().join("objects");
    outcome(Command::new("cp").arg("-r").arg(&objects).arg(restored.folder.path())).ok();
    node.kill();
    fs::remove_dir_all(&objects).expect("the folder is there");

    let psql = ["--dbname", new_server.url(), "--quiet", "--set", "ON_ERROR_STOP=1", "--file"];
    outcome(Command::new("psql").args(psql).arg(&dump)).ok();
    let node = restored.start("b");
    assert_eq!(cloned_tip(&restored, &node, "clone"), tip);
    assert_eq!(large_file(&node, "download", "GET", content, b"").body, content);
    // What was pushed after the dump is pushed again.
    git(&work, &["push", "--quiet", &url(&node), "main"]).ok();
    assert_ne!(cloned_tip(&restored, &node, "clone-again"), tip);
}

//! A database on a server with PostgreSQL: what is different for users. Without a server these tests have nothing to look at.

use std::fs;

use serde_json::{Value, json};
use server::{Server, StartError};
use tests::World;
use tests::database::Schema;

/// Starts a server that may be reset, if its database is on a server.
fn world() -> Option<World> {
    if Schema::take().is_none() {
        eprintln!("not run with SQLite: there is no server; scripts/postgres starts one");
        return None;
    }
    Some(World::with(|settings| settings.allow_reset = true))
}

fn post(world: &World, path: &str) -> (u16, Value) {
    let reply = world.send("POST", path, &[], b"");
    (reply.status, reply.json())
}

#[test]
fn the_data_folder_has_no_database_and_a_restart_has_all_data() {
    let Some(mut world) = world() else { return };
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert!(!world.folder().join("data/codecommit.db").exists());
    let records = world.events();
    world.restart();
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(world.events()[..records.len()], records[..]);
}

#[test]
fn snapshots_are_refused_and_a_reset_removes_all_data() {
    let Some(world) = world() else { return };
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    for path in ["/_local/snapshots/base", "/_local/snapshots/base/restore"] {
        let (status, reply) = post(&world, path);
        assert_eq!(status, 501, "{path}");
        assert!(reply["message"].as_str().is_some_and(|message| message.contains("pg_dump")), "{reply}");
    }
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(post(&world, "/_local/reset"), (200, json!({ "status": "done" })));
    assert_eq!(world.ok("ListRepositories", &json!({}))["repositories"], json!([]));
    assert_eq!(world.events().len(), 1, "the first record after the reset");
}

#[test]
fn a_data_folder_with_a_database_of_its_own_is_refused() {
    let Some(schema) = Schema::take() else { return };
    let mut world = World::with(|settings| settings.database = None);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.stop();
    let settings = server::Settings {
        listen: vec![([127, 0, 0, 1], 0).into()],
        data_dir: Some(world.folder().join("data")),
        database: Some(schema.settings()),
        ..server::Settings::default()
    };
    let Err(error) = world.run(Server::start(settings)) else { panic!("it is another database") };
    assert!(matches!(error, StartError::OtherDatabase(_)), "{error}");
    assert!(fs::exists(world.folder().join("data/codecommit.db")).expect("the folder is readable"));
}

//! The data folder: its faults are reported at the start, and its removal while the server runs is noticed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::database::is_sqlite;
use tests::{World, binary};

/// Starts the program on an unusable folder and returns its error.
fn refused(folder: &Path) -> String {
    let mut command = Command::new(binary::path());
    command.env_clear().args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.join("data"));
    let output = command.output().expect("the program is built");
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("the output is UTF-8")
}

#[test]
fn faults_of_files_are_reported_with_path_and_remedy() {
    let broken: [(&str, fn(&Path), &str); 6] = [
        ("data", |path| fs::write(path, "").expect("the folder is writable"), "move it away"),
        ("data/lock", |path| fs::create_dir(path).expect("the folder is writable"), "move it away"),
        ("data/codecommit.db", |path| fs::create_dir(path).expect("the folder is writable"), "check that"),
        (
            "data/codecommit.db",
            |path| fs::write(path, "no database".repeat(1000)).expect("the folder is writable"),
            "damaged",
        ),
        ("data/trail/events.ndjson", |path| fs::create_dir(path).expect("the folder is writable"), "move it away"),
        ("data/repositories", |path| fs::write(path, "").expect("the folder is writable"), "move it away"),
    ];
    for (name, damage, advice) in broken {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("the value is present")).expect("the folder is writable");
        damage(&path);
        let message = refused(folder.path());
        assert!(message.contains(path.to_str().expect("the path is UTF-8")), "{name}: {message}");
        assert!(message.contains(advice), "{name}: {message}");
    }
}

#[test]
fn repositories_without_their_database_are_refused_at_the_start() {
    if !is_sqlite("it looks at the file of the database") {
        return;
    }
    let mut world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let file = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "README", "fileContent": "eA==",
    });
    world.ok("PutFile", &file);
    world.stop();
    let data = world.folder().join("data");
    fs::rename(data.join("codecommit.db"), data.join("elsewhere.db")).expect("the file exists");
    let message = refused(world.folder());
    assert!(message.contains("codecommit.db' is missing"), "{message}");
    assert!(message.contains("holds the objects of 1 repositories"), "{message}");
    assert!(!data.join("codecommit.db").exists(), "no other database is made");
    fs::rename(data.join("elsewhere.db"), data.join("codecommit.db")).expect("the file exists");
    world.restart();
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
}

#[test]
fn a_folder_removed_while_the_server_runs_is_noticed() {
    if !is_sqlite("it looks at the file of the database") {
        return;
    }
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let (data, moved) = (world.folder().join("data"), world.folder().join("elsewhere"));
    let lines = world.events().len();
    for missing in [&data, &data.join("codecommit.db"), &data.join("codecommit.db-wal")] {
        fs::rename(missing, &moved).expect("the file exists");
        for (operation, input) in [
            ("CreateRepository", json!({ "repositoryName": "Lost" })),
            ("GetRepository", json!({ "repositoryName": "MyDemoRepo" })),
        ] {
            let reply = world.call(operation, &input);
            let message = "The call was rolled back because the database file was removed or replaced while the server was using \
                           it. The server's log has details.";
            let expected = json!({ "status": 500, "__type": "InternalFailure", "message": message });
            assert_eq!(reply.failure(), expected, "{operation} without {}", missing.display());
        }
        fs::rename(&moved, missing).expect("the file exists");
    }
    assert_eq!(world.events().len(), lines, "nothing was recorded");
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(world.call("GetRepository", &json!({ "repositoryName": "Lost" })).status, 400, "nothing has happened");
}

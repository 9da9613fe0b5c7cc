//! `codecommit-local move`: from the data folder to a server and back. Without a server with PostgreSQL these tests have nothing to look at.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::binary::{self, Running};
use tests::clients::{Outcome, git, outcome};
use tests::database::Schema;
use tests::digests::verify;
use tests::wire::{request, send};
use tests::{read_events, read_log_files};
use ureq::http::Request;

const NAME: &str = "MyDemoRepo";

/// A data folder and a schema on a server.
struct Place {
    folder: TempDir,
    schema: Schema,
}

impl Place {
    fn new() -> Option<Self> {
        let Some(schema) = Schema::take() else {
            eprintln!("not run with SQLite: there is no server; scripts/postgres starts one");
            return None;
        };
        Some(Self { folder: tempfile::tempdir().expect("a temporary folder can be created"), schema })
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(binary::path());
        command.env_clear().args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(self.data()).args(arguments);
        Running::start_command(command)
    }

    fn start_on_server(&self) -> Running {
        self.start(&["--database", self.schema.url()])
    }

    fn move_it(&self, direction: &str) -> Outcome {
        let mut command = Command::new(binary::path());
        command.env_clear().args(["move", direction, "--database", self.schema.url(), "--data-dir"]).arg(self.data());
        outcome(&mut command)
    }
}

fn ok(server: &Running, operation: &str, input: &Value) -> Value {
    let reply = send(request(server.endpoint(), operation, input));
    assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
    reply.json()
}

/// Delivers log files and digests, and stops a server.
fn stop(server: Running) {
    let digest = Request::post(format!("{}/_local/digest", server.endpoint())).body(Vec::new());
    assert_eq!(send(digest.expect("the request is well formed")).status, 200);
    assert_eq!(server.terminate(), Some(0));
}

/// Commits to a new branch in a clone, pushes it, and opens a pull request of it; returns the id of that.
fn pull_request(server: &Running, clone: &Path, branch: &str) -> String {
    let url = format!("{}/v1/repos/{NAME}", server.endpoint());
    git(clone, &["commit", "--quiet", "--allow-empty", "--message", branch]).ok();
    git(clone, &["push", "--quiet", &url, &format!("HEAD:{branch}")]).ok();
    let target = json!({ "repositoryName": NAME, "sourceReference": branch, "destinationReference": "main" });
    let created = ok(server, "CreatePullRequest", &json!({ "title": branch, "targets": [target] }));
    created["pullRequest"]["pullRequestId"].as_str().expect("a pull request has an id").to_owned()
}

/// What a client sees that a move must not change.
fn seen(server: &Running, folder: &Path, clone: &str) -> Vec<String> {
    let url = format!("{}/v1/repos/{NAME}", server.endpoint());
    git(folder, &["clone", "--quiet", "--mirror", &url, clone]).ok();
    let cloned = folder.join(clone);
    git(&cloned, &["fsck", "--strict"]).ok();
    let repository = ok(server, "GetRepository", &json!({ "repositoryName": NAME }));
    let pull_requests = ok(server, "ListPullRequests", &json!({ "repositoryName": NAME }));
    vec![
        git(&cloned, &["for-each-ref"]).ok(),
        repository["repositoryMetadata"]["repositoryId"].to_string(),
        repository["repositoryMetadata"]["lastModifiedDate"].to_string(),
        pull_requests["pullRequestIds"].to_string(),
        ok(server, "GetPullRequest", &json!({ "pullRequestId": "1" }))["pullRequest"].to_string(),
    ]
}

fn ids(records: &[Value]) -> Vec<String> {
    let mut ids: Vec<_> = records.iter().map(|record| record["eventID"].to_string()).collect();
    ids.sort();
    ids
}

#[test]
fn a_database_goes_to_a_server_and_back_with_all_its_rows() {
    let Some(place) = Place::new() else { return };
    let folder = place.folder.path();
    let server = place.start(&[]);
    ok(&server, "CreateRepository", &json!({ "repositoryName": NAME }));
    let work = folder.join("work");
    git(folder, &["init", "--quiet", "--initial-branch=main", "work"]).ok();
    git(&work, &["commit", "--quiet", "--allow-empty", "--message", "first"]).ok();
    git(&work, &["push", "--quiet", &format!("{}/v1/repos/{NAME}", server.endpoint()), "main"]).ok();
    assert_eq!(pull_request(&server, &work, "one"), "1");
    let before = seen(&server, folder, "before");
    let events = || read_events(&place.data().join("trail"));
    stop(server);
    let count = events().len();

    let moved = place.move_it("to-server").ok();
    assert!(moved.starts_with("moved ") && moved.contains("postgres://"), "{moved}");
    let server = place.start_on_server();
    assert_eq!(seen(&server, folder, "on-server"), before);
    assert_eq!(pull_request(&server, &work, "two"), "2");
    let recorded = events().len();
    let found = ok(&server, "LookupEvents", &json!({ "MaxResults": 50 }));
    assert_eq!(found["Events"].as_array().map(Vec::len), Some(recorded));
    let on_server = seen(&server, folder, "after");
    stop(server);

    place.move_it("to-file").ok();
    let refused = outcome(
        Command::new(binary::path())
            .env_clear()
            .args(["--listen", "127.0.0.1:0", "--database", place.schema.url(), "--data-dir"])
            .arg(place.data()),
    );
    assert!(refused.failed().contains("codecommit.db"));
    let server = place.start(&[]);
    assert_eq!(seen(&server, folder, "in-file"), on_server);
    assert_eq!(pull_request(&server, &work, "three"), "3");
    stop(server);
    let events = events();
    assert!(events.len() > count);
    assert_eq!(ids(&read_log_files(&place.data().join("trail"))), ids(&events));
    verify(&place.data().join("trail"), &[]).ok();
}

#[test]
fn nothing_is_moved_that_is_in_use_or_would_be_lost() {
    let Some(place) = Place::new() else { return };
    let refused = place.move_it("to-server").failed();
    assert!(refused.contains("codecommit.db' does not exist; name the data folder"), "{refused}");
    let server = place.start(&[]);
    ok(&server, "CreateRepository", &json!({ "repositoryName": NAME }));
    let refused = place.move_it("to-server").failed();
    assert!(refused.contains("another server") && refused.contains("stop that server"), "{refused}");
    assert_eq!(server.terminate(), Some(0));
    place.move_it("to-server").ok();

    // The rows on the server stay, and so does the old file.
    std::fs::rename(place.data().join("codecommit.db.moved"), place.data().join("codecommit.db"))
        .expect("it was renamed");
    let refused = place.move_it("to-server").failed();
    assert!(refused.contains("has repositories or events; name an empty schema"), "{refused}");
    let refused = place.move_it("to-file").failed();
    assert!(refused.contains("codecommit.db' exists"), "{refused}");
    std::fs::remove_file(place.data().join("codecommit.db")).expect("it is there");

    let refused = place.move_it("to-server").failed();
    assert!(refused.contains("codecommit.db' does not exist"), "{refused}");

    let server = place.start_on_server();
    assert!(place.move_it("to-file").failed().contains("stop that server"));
    let Place { folder: _data, schema } = place;
    let other = Place { folder: tempfile::tempdir().expect("a temporary folder can be created"), schema };
    std::fs::create_dir(other.data()).expect("the folder is new");
    let refused = other.move_it("to-file").failed();
    let expected = format!("the server at {} uses the database; stop all of its servers", server.endpoint());
    assert!(refused.contains(&expected), "{refused}");
    assert_eq!(server.terminate(), Some(0));
    let refused = other.move_it("to-file").failed();
    assert!(refused.contains("the Git objects of the database are not in '"), "{refused}");
}

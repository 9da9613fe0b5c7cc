//! Log lines about damaged files of a repository.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::{binary, files, wire};

/// Runs the program on a folder while `work` uses its endpoint; returns its log.
fn logged(folder: &Path, work: impl FnOnce(&dyn Fn(&str, &Value) -> (u16, Value))) -> String {
    let log = folder.join("log");
    let mut child = Command::new(binary::path())
        .env_clear()
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .stdout(Stdio::piped())
        .stderr(File::create(&log).expect("the folder is writable"))
        .spawn()
        .expect("the program is built");
    let mut ready = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("the stream is piped"));
    stdout.read_line(&mut ready).expect("the output is UTF-8");
    let endpoint = ready.trim_end().strip_prefix("ready ").expect("the line is the ready line");
    work(&|operation, input| {
        let reply = wire::send(wire::request(endpoint, operation, input));
        (reply.status, reply.json())
    });
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    assert_eq!(child.wait().expect("the process is a child of the test").code(), Some(0));
    fs::read_to_string(log).expect("the output is UTF-8")
}

#[test]
fn a_damaged_pack_is_named_with_its_repository() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let mut id = String::new();
    let file = json!({ "repositoryName": "demo", "branchName": "main", "filePath": "a", "fileContent": "YQ==" });
    let log = logged(folder.path(), |call| {
        let (_, created) = call("CreateRepository", &json!({ "repositoryName": "demo" }));
        created["repositoryMetadata"]["repositoryId"].as_str().expect("the member is a string").clone_into(&mut id);
        assert_eq!(call("PutFile", &file).0, 200);
    });
    assert!(!log.contains("ERROR"), "{log}");
    let index = files(&folder.path().join("data/repositories"));
    let index =
        index.into_iter().find(|path| path.extension().is_some_and(|end| end == "idx")).expect("there is a pack");
    fs::remove_file(&index).and_then(|()| fs::write(&index, "damaged")).expect("the folder is writable");
    let log = logged(folder.path(), |call| {
        assert_eq!(call("GetFile", &json!({ "repositoryName": "demo", "filePath": "a" })).0, 500);
    });
    let name = index.file_name().and_then(|name| name.to_str()).expect("the output is UTF-8");
    let names_pack = |line: &str| line.contains("WARN") && line.contains(name) && line.contains(&id);
    assert!(log.lines().any(names_pack), "{log}");
    let arn = "arn:aws:codecommit:us-east-1:111122223333:demo";
    assert!(log.lines().any(|line| line.contains("ERROR") && line.contains("GetFile") && line.contains(arn)), "{log}");
}

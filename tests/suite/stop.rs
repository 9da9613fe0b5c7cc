//! How the program ends: what runs gets its time, what was recorded is delivered, and nobody holds it up.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use serde_json::json;
use tests::binary::Running;
use tests::clients::{git, git_fed};
use tests::push::{Push, noise};
use tests::{read_log_files, wire};

#[test]
fn clients_that_stall_do_not_hold_up_the_end() {
    let folder = tempfile::tempdir().expect("there is room");
    let (data, work) = (folder.path().join("data"), folder.path().join("work"));
    let data_dir = data.to_str().expect("the path is text");
    // The time for requests is long enough that all of them are there, and far from the time that a client may stall.
    let running = Running::start(&["--data-dir", data_dir, "--log-interval", "1h", "--stop-timeout", "300ms"]);
    let created = wire::request(running.endpoint(), "CreateRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(wire::send(created).status, 200);
    git(folder.path(), &["init", "--quiet", "--bare", "work"]).ok();
    let noise = noise(400_000);
    let commit = format!(
        "commit refs/heads/main\ncommitter Mary Major <mary@example.com> 1481739554 +0000\ndata 6\nChange\n\
         M 100644 inline noise\ndata {}\n{noise}\n",
        noise.len()
    );
    git_fed(&work, &["fast-import", "--quiet"], commit.as_bytes());
    let push = Push::new(&work, "refs/heads/main", None, &git(&work, &["rev-parse", "main"]).ok());
    let url = format!("{}/v1/repos/demo", running.endpoint());
    let stalled = push.begin(&url, push.bytes() - 1).expect("it is taken");
    stalled.peek(&mut [0]).expect("it begins to answer");
    let begun = push.begin(&url, 100).expect("it is taken");
    let mut call = TcpStream::connect(running.endpoint().trim_start_matches("http://")).expect("it listens");
    call.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").expect("it is taken");
    let signal = || Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill is there");
    assert!(signal().success());
    // The second one changes nothing.
    assert_eq!(running.terminate(), Some(0));
    let events: Vec<_> = read_log_files(&data.join("trail")).iter().map(|event| event["eventName"].clone()).collect();
    assert!(events.contains(&json!("CreateRepository")), "{events:?}");
    drop((stalled, begun, call));
}

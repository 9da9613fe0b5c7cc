//! Servers in tests: in this process, with tokio and without, and as a process of the installed program.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use codecommit_local::blocking::{self, SpawnOptions};
use codecommit_local::{Server, ServerEvents, Settings};

/// Creates a repository at an endpoint, and returns the reply's head and body.
fn create_repository(endpoint: &str, name: &str) -> String {
    let address = endpoint.strip_prefix("http://").expect("the endpoint is a URL of http");
    let body = format!(r#"{{"repositoryName":"{name}"}}"#);
    let mut connection = TcpStream::connect(address).expect("the server listens");
    write!(
        connection,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Amz-Target: CodeCommit_20150413.CreateRepository\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the server reads");
    let mut reply = String::new();
    connection.read_to_string(&mut reply).expect("the server replies with text");
    reply
}

fn is_created(reply: &str) -> bool {
    reply.starts_with("HTTP/1.1 200 ")
}

/// Options that start the program that was built with the tests.
fn installed() -> SpawnOptions {
    SpawnOptions { binary: Some(env!("CARGO_BIN_EXE_codecommit-local").into()), ..SpawnOptions::default() }
}

#[tokio::test]
async fn a_test_on_one_thread_embeds_the_server() {
    let server = Server::start(Settings::ephemeral()).await.expect("a port is free");
    let endpoint = server.endpoint();
    let reply = tokio::task::spawn_blocking(move || create_repository(&endpoint, "MyDemoRepo")).await;
    assert!(reply.as_ref().is_ok_and(|reply| is_created(reply) && reply.contains("MyDemoRepo")), "{reply:?}");
    let folder = server.data_folder().to_owned();
    let record = server.wait_for("CreateRepository", Duration::ZERO).await.expect("the call is recorded");
    assert_eq!(record["requestParameters"]["repositoryName"], "MyDemoRepo");
    let error = server.wait_for("GitPush", Duration::from_millis(1)).await.expect_err("nobody has pushed").to_string();
    assert_eq!(error, "no GitPush was recorded in 1ms; recorded are: CreateRepository");
    assert_eq!(server.events().expect("the trail is readable").user("Mary_Major").len(), 1);
    server.stop().await;
    assert!(!folder.exists(), "temporary folders are removed");
}

#[test]
fn a_test_without_tokio_embeds_the_server() {
    check(blocking::Server::start(Settings::ephemeral()).expect("a port is free"));
}

#[test]
fn a_test_starts_the_installed_program() {
    check(blocking::Server::spawn(installed()).expect("the program starts"));
}

/// Uses a server with temporary folders as tests do.
fn check(server: blocking::Server) {
    assert_eq!(server.events().expect("the trail is readable").len(), 0);
    let reply = create_repository(&server.endpoint(), "MyDemoRepo");
    assert!(is_created(&reply) && reply.contains("MyDemoRepo"), "{reply}");
    assert_eq!(server.addresses().len(), 1);
    let records = server.events().expect("the trail is readable");
    assert_eq!(records.clone().name("CreateRepository").user("Mary_Major").len(), 1);
    assert_eq!(records.user("Li_Juan").len(), 0);
    let record = server.wait_for("CreateRepository", Duration::ZERO).expect("the call is recorded");
    assert_eq!(record["requestParameters"]["repositoryName"], "MyDemoRepo");
    let error = server.wait_for("GitPush", Duration::from_millis(1)).expect_err("nobody has pushed").to_string();
    assert_eq!(error, "no GitPush was recorded in 1ms; recorded are: CreateRepository");
    assert!(server.authority_file().is_some_and(|file| file.is_file()));

    server.snapshot("one repository").expect_err("the name is not one of a snapshot");
    server.snapshot("one").expect("the state is saved");
    assert!(is_created(&create_repository(&server.endpoint(), "Other")));
    server.restore("one").expect("the snapshot exists");
    assert_eq!(server.events().expect("the trail is readable").len(), 1);
    assert!(is_created(&create_repository(&server.endpoint(), "Other")));
    let unknown = server.restore("two").expect_err("there is no such snapshot").to_string();
    assert!(unknown.contains("two"), "{unknown}");
    server.reset().expect("the data are removed");
    assert_eq!(server.events().expect("the trail is readable").len(), 0);
    assert!(is_created(&create_repository(&server.endpoint(), "MyDemoRepo")));

    let (folder, endpoint) = (server.data_folder().to_owned(), server.endpoint());
    drop(server);
    assert!(!folder.exists(), "temporary folders are removed");
    assert!(TcpStream::connect(endpoint.trim_start_matches("http://")).is_err(), "nothing listens any more");
}

#[test]
fn the_data_folder_of_a_program_can_stay() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let start = || {
        let trail = folder.path().join("trail").display().to_string();
        let arguments = vec!["--trail-dir".to_owned(), trail];
        blocking::Server::spawn(SpawnOptions { data_dir: Some(data.clone()), arguments, ..installed() })
    };
    let server = start().expect("the program starts");
    assert!(is_created(&create_repository(&server.endpoint(), "MyDemoRepo")));
    assert_eq!((server.data_folder(), server.trail_folder()), (&*data, &*folder.path().join("trail")));
    server.stop();
    let server = start().expect("the folder is free again");
    assert!(create_repository(&server.endpoint(), "MyDemoRepo").contains("RepositoryNameExistsException"));
    assert_eq!(server.events().expect("the trail is readable").len(), 2);
}

#[test]
fn a_failed_start_shows_the_log() {
    let spawn = |binary: &Path, arguments: &[&str]| {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let options = SpawnOptions { binary: Some(binary.to_owned()), arguments, ..SpawnOptions::default() };
        blocking::Server::spawn(options).err().expect("the program does not start")
    };
    let program = installed().binary.expect("the options name the program");
    let error = spawn(&program, &["--region", "Ohio"]);
    assert!(error.log().contains("region"), "{error}");
    let text = error.to_string();
    assert!(text.contains("it ended before it was ready") && text.contains(error.log().trim_end()), "{text}");
    let missing = spawn(Path::new("/nothing/codecommit-local"), &[]).to_string();
    assert!(missing.starts_with("cannot start /nothing/codecommit-local: "), "{missing}");
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let other = folder.path().join("other");
    fs::write(&other, "#!/bin/sh\necho hello\n").expect("the folder is writable");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&other, mode).expect("the file is ours");
    let unexpected = spawn(&other, &[]).to_string();
    assert!(unexpected.starts_with("the program printed 'hello' instead of 'ready URL'"), "{unexpected}");
}

/// Name of the environment variable that makes [`parent_of_a_program`] start one.
const IS_PARENT: &str = "IS_PARENT_OF_A_PROGRAM";

/// The process that [`a_program_ends_when_its_parent_is_killed`] kills.
#[test]
fn parent_of_a_program() {
    if std::env::var_os(IS_PARENT).is_some() {
        let server = blocking::Server::spawn(installed()).expect("the program starts");
        println!("\nendpoint {}", server.endpoint());
        // Killed long before.
        server.wait_for("GitPush", Duration::from_mins(10)).expect_err("nobody pushes");
    }
}

#[test]
fn a_program_ends_when_its_parent_is_killed() {
    let mut parent = Command::new(std::env::current_exe().expect("the path of a test is known"))
        .args(["--exact", "parent_of_a_program", "--nocapture"])
        .env(IS_PARENT, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started");
    let lines = BufReader::new(parent.stdout.take().expect("standard output is piped")).lines();
    let endpoint = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("endpoint http://")?.to_owned()));
    let address = endpoint.expect("the parent prints the endpoint");
    TcpStream::connect(&address).expect("the server listens");
    parent.kill().expect("the parent runs");
    parent.wait().expect("the parent is a child of this process");
    while TcpStream::connect(&address).is_ok() {
        std::thread::yield_now();
    }
}

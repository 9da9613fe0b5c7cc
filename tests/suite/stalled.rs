//! Clients that start a clone and do not read the reply: they hold no thread and little memory, and delay no other client.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tests::binary::Running;
use tests::clients::git;
use tests::process::connections;
use tests::ssh::{self, KEY_ID, key_file};
use tests::{wait_until, wire};

/// More bytes than the buffers of a connection hold.
const BYTES: usize = 12 << 20;

fn number_in_status(server: &Running, field: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("every process has it");
    line.trim().trim_end_matches(" kB").parse().expect("the text is a number")
}

/// Pushes two commits with a file that does not compress well; returns the id of the second.
fn fill(folder: &Path, url: &str) -> String {
    let lines =
        (0_u64..).map(|number| format!("{:016x}", number.wrapping_mul(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let noise: String = lines.take(BYTES / 16).collect();
    let work = folder.join("work");
    git(folder, &["init", "--quiet", "--initial-branch", "main", "work"]).ok();
    for (file, content) in [("noise", noise.as_str()), ("other", "x")] {
        fs::write(work.join(file), content).expect("a writable folder");
        git(&work, &["add", "--all"]).ok();
        git(&work, &["commit", "--quiet", "--message", file]).ok();
    }
    git(&work, &["push", "--quiet", url, "main"]).ok();
    git(&work, &["rev-parse", "main"]).ok()
}

/// Requests a pack and reads its first bytes only.
fn stall(endpoint: &str, lines: &[String]) -> TcpStream {
    let lines: Vec<_> = lines.iter().map(|line| format!("{:04x}{line}", line.len() + 4)).collect();
    let lines = lines.concat();
    let body = format!("{lines}00000009done\n");
    let head = format!(
        "POST /v1/repos/demo/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-upload-pack-request\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).expect("the server listens");
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .expect("the server reads the request");
    let mut first = [0; 500];
    stream.read_exact(&mut first).expect("the server starts to answer");
    assert!(first.starts_with(b"HTTP/1.1 200"));
    stream
}

#[test]
fn clients_that_stop_reading_delay_no_other_client() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let server = Running::start(&["--data-dir", data.to_str().expect("a plain path")]);
    wire::send(wire::request(server.endpoint(), "CreateRepository", &json!({ "repositoryName": "demo" })));
    let url = format!("{}/v1/repos/demo", server.endpoint());
    let tip = fill(folder.path(), &url);
    let (threads, memory) = (number_in_status(&server, "Threads:"), number_in_status(&server, "RssAnon:"));

    // Packs for full clones exist as files; packs for shallow clones are created for each client.
    let want = format!("want {tip} side-band-64k\n");
    let whole = (0..270).map(|_| stall(server.endpoint(), std::slice::from_ref(&want)));
    let mut stalled: Vec<_> = whole.collect();
    stalled.extend((0..30).map(|_| stall(server.endpoint(), &[want.clone(), "deepen 1\n".to_owned()])));

    git(folder.path(), &["clone", "--quiet", &url, "fresh"]).ok();
    let fresh = folder.path().join("fresh");
    git(&fresh, &["commit", "--quiet", "--allow-empty", "--message", "more"]).ok();
    git(&fresh, &["push", "--quiet", "origin", "HEAD:more"]).ok();
    let flush = ureq::http::Request::post(format!("{}/_local/flush", server.endpoint())).body(Vec::new());
    assert_eq!(wire::send(flush.expect("a sound request")).status, 200);
    let more = number_in_status(&server, "Threads:").saturating_sub(threads);
    assert!(more < 60, "{more} more threads for {} clients that read nothing", stalled.len());
    let kilobytes = number_in_status(&server, "RssAnon:").saturating_sub(memory) / stalled.len();
    assert!(kilobytes < 500, "{kilobytes} KB of memory for each client that reads nothing");
}

/// Starts OpenSSH's client with a fetch of everything, and reads the first bytes of the pack only.
fn stall_over_ssh(folder: &Path, port: u16, tip: &str) -> Child {
    let mut command = Command::new("ssh");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.args(["-F", "none", "-i"]).arg(key_file("declared"));
    command.args(["-o", "UserKnownHostsFile=known_hosts", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]);
    command.args(["-p", &port.to_string(), &format!("{KEY_ID}@127.0.0.1"), "git-upload-pack '/v1/repos/demo'"]);
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("ssh is installed");
    let want = format!("want {tip} side-band-64k\n");
    let request = format!("{:04x}{want}00000009done\n", want.len() + 4);
    child.stdin.as_mut().expect("the input is piped").write_all(request.as_bytes()).expect("the session runs");
    // The advertisement, and the beginning of the pack.
    let mut first = [0; 8_000];
    child.stdout.as_mut().expect("the output is piped").read_exact(&mut first).expect("the server sends the pack");
    child
}

#[test]
fn clients_of_ssh_that_stop_reading_hold_little_memory_and_are_disconnected() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let (data, identities) = (folder.path().join("data"), folder.path().join("identities.toml"));
    fs::write(&identities, ssh::identities()).expect("the folder is writable");
    let [data, identities] = [&data, &identities].map(|path| path.to_str().expect("a plain path"));
    let server = Running::start(
        &[
            ["--data-dir", data, "--identities", identities, "--git-auth", "never"],
            ["--ssh-listen", "127.0.0.1:0", "--git-timeout", "10s", "--log-level", "warn"],
        ]
        .concat(),
    );
    wire::send(wire::request(server.endpoint(), "CreateRepository", &json!({ "repositoryName": "demo" })));
    let tip = fill(folder.path(), &format!("{}/v1/repos/demo", server.endpoint()));
    let line = ureq::http::Request::get(format!("{}/_local/known_hosts", server.endpoint())).body(Vec::new());
    let line = wire::send(line.expect("a sound request")).text();
    fs::write(folder.path().join("known_hosts"), &line).expect("the folder is writable");
    let port = line.split_once("]:").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    let port = port.expect("the line has the port");
    let memory = number_in_status(&server, "RssAnon:");

    let mut stalled: Vec<_> = (0..12).map(|_| stall_over_ssh(folder.path(), port, &tip)).collect();
    let kilobytes = number_in_status(&server, "RssAnon:").saturating_sub(memory) / stalled.len();
    // OpenSSH announces a window of 2 MB.
    assert!(kilobytes < 3_000, "{kilobytes} KB of memory for each client that reads nothing");
    // These do not even read from their connections.
    for child in &stalled[..4] {
        assert!(
            Command::new("kill").args(["-STOP", &child.id().to_string()]).status().expect("kill is there").success()
        );
    }
    wait_until("the server has closed the connections", || connections(server.id(), port) == 0);
    for child in &mut stalled {
        child.kill().expect("the client is a child of this process");
        child.wait().expect("the client is a child of this process");
    }
}

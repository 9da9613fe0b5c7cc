//! Clients that start a clone and do not read the reply: they hold no thread and little memory, and delay no other client.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::json;
use tests::binary::Running;
use tests::clients::git;
use tests::wire;

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

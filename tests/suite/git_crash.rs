//! Killed in the middle of pushes and of maintenance, over and over: no reference is without its objects, and no push that was
//! acknowledged is lost.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tests::binary::Running;
use tests::clients::git;
use tests::wire::send;
use ureq::http::Request;

/// How often the program is killed; `CRASH_ROUNDS` in the environment says otherwise.
const ROUNDS: usize = 300;

/// How many pushes there are in a round, at most.
const PUSHES: usize = 12;

/// A chain of commits and, for each, the body of the push that moves `main` there from the one before.
struct History {
    commits: Vec<String>,
    bodies: Vec<Vec<u8>>,
}

/// Numbers that look random and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(end).expect("it is small")).expect("it is small")
    }
}

#[test]
fn killed_at_any_point_no_push_is_lost_and_no_object_missing() {
    let rounds = std::env::var("CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let folder = tempfile::tempdir().expect("there is room");
    let data = folder.path().join("data");
    let history = history(&folder.path().join("work"), rounds * PUSHES / 2);
    let mut chance = Chance(20_150_413);
    let mut acknowledged = None;

    for _ in 0..rounds {
        let server = start(&data);
        let address = server.endpoint().trim_start_matches("http://").to_owned();
        acknowledged = check(&server, &data, &history, acknowledged);
        let mut next = acknowledged.map_or(0, |number| number + 1);
        let pushes = chance.below(PUSHES);
        for _ in 0..pushes.min(history.commits.len() - next) {
            let reply = push(&address, &history.bodies[next]);
            assert!(reply.contains("ok refs/heads/main"), "{reply}");
            acknowledged = Some(next);
            next += 1;
        }
        // The last one is cut off in its body, or is whole and not waited for.
        if let Some(body) = history.bodies.get(next) {
            let cut = if chance.below(2) == 0 { body.len() } else { chance.below(body.len()) };
            let _ = begin(&address, body, cut);
        }
        server.kill();
    }

    let server = start(&data);
    check(&server, &data, &history, acknowledged);
    let url = format!("{}/v1/repos/demo", server.endpoint());
    git(folder.path(), &["clone", "--quiet", "--mirror", &url, "clone"]).ok();
    git(&folder.path().join("clone"), &["fsck", "--full", "--strict"]).ok();
    assert_eq!(server.terminate(), Some(0));
    let left: Vec<_> = fs::read_dir(objects(&data)).expect("it is a folder").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("incoming")), "{left:?}");
}

fn start(data: &Path) -> Running {
    let data = data.to_str().expect("it is text");
    Running::start(&["--data-dir", data, "--git-pack-limit", "3", "--log-interval", "1h"])
}

/// Checks that `main` is where the last acknowledged push left it, or one further, with all that it leads to.
///
/// Returns the number of the commit that it is at; there it must stay.
fn check(server: &Running, data: &Path, history: &History, acknowledged: Option<usize>) -> Option<usize> {
    let url = format!("{}/v1/repos/demo/info/refs?service=git-upload-pack", server.endpoint());
    let reply = send(Request::get(&url).body(Vec::new()).expect("it is well formed"));
    if reply.status == 404 {
        let create = Request::post(server.endpoint()).header("x-amz-target", "CodeCommit_20150413.CreateRepository");
        let body = json!({ "repositoryName": "demo" }).to_string().into_bytes();
        assert_eq!(send(create.body(body).expect("it is well formed")).status, 200);
        return None;
    }
    let text = reply.text();
    let Some(at) = text.find(" refs/heads/main") else {
        assert_eq!(acknowledged, None, "{text}");
        return None;
    };
    let tip = &text[at - 40..at];
    let number = history.commits.iter().position(|commit| commit == tip).expect("it is one of ours");
    assert!(
        [acknowledged, acknowledged.map_or(Some(0), |number| Some(number + 1))].contains(&Some(number)),
        "{number}"
    );
    let objects = objects(data);
    let repository = objects.parent().expect("it is in a repository");
    git(repository, &["rev-list", "--quiet", "--objects", tip]).ok();
    Some(number)
}

/// The folder of the only repository's objects.
fn objects(data: &Path) -> PathBuf {
    let repositories = fs::read_dir(data.join("repositories")).expect("it is a folder");
    let mut folders = repositories.map(|entry| entry.expect("it is readable").path().join("objects"));
    folders.next().expect("there is one repository")
}

/// Sends the first `bytes` of a push.
fn begin(address: &str, body: &[u8], bytes: usize) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    let head = format!(
        "POST /v1/repos/demo/git-receive-pack HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body[..bytes])?;
    Ok(stream)
}

fn push(address: &str, body: &[u8]) -> String {
    let mut reply = Vec::new();
    begin(address, body, body.len())
        .and_then(|mut stream| stream.read_to_end(&mut reply))
        .expect("nobody kills it yet");
    String::from_utf8_lossy(&reply).into_owned()
}

fn history(folder: &Path, count: usize) -> History {
    git(folder.parent().expect("it is in a folder"), &["init", "--quiet", "--bare", "work"]).ok();
    let commit = |number: usize| {
        let content = format!("{}line {number}\n", "the same line\n".repeat(50));
        let (file, bytes) = (number % 9, content.len());
        [
            format!("commit refs/heads/main\nmark :{number}\ncommitter Mary Major <mary@example.com> {number} +0000\n"),
            format!("data 6\nChange\nM 100644 inline file-{file}\ndata {bytes}\n{content}\n"),
        ]
        .concat()
    };
    let stream: Vec<String> = (1..=count).map(commit).collect();
    let stream = stream.concat();
    run(folder, &["fast-import", "--quiet"], stream.as_bytes());
    let commits = git(folder, &["rev-list", "--reverse", "main"]).ok();
    let commits: Vec<String> = commits.lines().map(str::to_owned).collect();
    let bodies = (0..count).map(|number| {
        let (old, new) = (number.checked_sub(1).map(|before| commits[before].as_str()), commits[number].as_str());
        let command = format!("{} {new} refs/heads/main\0report-status", old.unwrap_or(&"0".repeat(40)));
        let revisions = old.map_or_else(|| format!("{new}\n"), |old| format!("{new}\n^{old}\n"));
        let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
        body.extend(run(folder, &["pack-objects", "--quiet", "--revs", "--thin", "--stdout"], revisions.as_bytes()));
        body
    });
    let bodies = bodies.collect();
    History { commits, bodies }
}

/// Runs a git command with an input, and returns its output.
fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("git is installed");
    child.stdin.take().expect("it is piped").write_all(input).expect("it reads all");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}

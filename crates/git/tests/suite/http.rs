//! HTTP requests to the example, compared with `git http-backend`.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
};

use git::{Offers, Options};

use crate::{
    bench::{objects, run, try_git_with},
    peer,
    serve::{
        repositories::{Policy, Repositories},
        service,
    },
};

/// Both servers on the same folder, which has the repositories `r.git` and `not bare/.git`.
struct Servers {
    folder: tempfile::TempDir,
    ours: String,
    theirs: String,
}

impl Servers {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        run(folder.path(), &["init", "--quiet", "--bare", "r.git"]);
        run(folder.path(), &["init", "--quiet", "not bare"]);
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let ours = listener.local_addr().expect("a bound port").to_string();
        let options = Options { offers: Offers::FULL, ..Options::default() };
        let repositories = Repositories::new(folder.path(), Policy::Configured, &options);
        std::thread::spawn(move || service::run(&listener, repositories).expect("a listening socket"));
        let url = peer::serve(folder.path());
        let theirs = url.trim_start_matches("http://").trim_end_matches("/smart").to_owned();
        Self { folder, ours, theirs }
    }
}

/// Sends bytes, and reads until the server closes the connection.
fn send(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a listening socket");
    stream.write_all(bytes).expect("a short request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("a whole answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// Returns the status and the compared headers, sorted.
fn head(answer: &str) -> Vec<String> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let own = ["connection", "content-length", "transfer-encoding"];
    let mut lines: Vec<_> = head.lines().map(str::to_owned).collect();
    lines.retain(|line| !own.contains(&line.split(':').next().unwrap_or_default().to_ascii_lowercase().as_str()));
    lines.sort();
    lines.dedup();
    lines
}

const FETCH: &str = "Content-Type: application/x-git-upload-pack-request\r\n";
const PUSH: &str = "Content-Type: application/x-git-receive-pack-request\r\n";

#[test]
fn statuses_and_headers_are_those_of_http_backend() {
    let servers = Servers::new();
    for (method, path, headers, body) in [
        ("GET", "/smart/r.git/info/refs?service=git-upload-pack", "", ""),
        ("HEAD", "/smart/r.git/info/refs?service=git-upload-pack", "", ""),
        ("GET", "/smart/r/info/refs?x=y&service=git%2Dupload-pack", "", ""),
        ("GET", "/smart/r.git/info/refs?service=git-upload-pack", "Git-Protocol: version=2\r\n", ""),
        ("GET", "/smart/not%20bare/info/refs?service=git-upload-pack", "", ""),
        ("GET", "/smart/not%20bare/.git/info/refs?service=git-upload-pack", "", ""),
        ("GET", "/smart/r.git/info/refs?service=git-receive-pack", "", ""),
        ("GET", "/smart/r.git/info/refs?service=git-receive-pack", "X-T-User: me\r\n", ""),
        ("GET", "/smart/r.git/info/refs?service=git-what", "", ""),
        ("GET", "/smart/none.git/info/refs?service=git-upload-pack", "", ""),
        ("GET", "/smart/r.git/what", "", ""),
        ("PUT", "/smart/r.git/info/refs?service=git-upload-pack", "", ""),
        ("GET", "/smart/r.git/git-upload-pack", "", ""),
        ("POST", "/smart/r.git/git-upload-pack", FETCH, "0000"),
        ("POST", "/smart/r.git/git-upload-pack", "Content-Type: text/plain\r\n", "0000"),
        ("POST", "/smart/r.git/git-upload-pack", PUSH, "0000"),
        ("POST", "/smart/r.git/git-receive-pack", PUSH, "0000"),
        ("POST", "/smart/r.git/git-receive-pack", &format!("{PUSH}X-T-User: me\r\n"), "0000"),
        ("POST", "/smart/r.git/git-receive-pack", "X-T-User: me\r\n", "0000"),
    ] {
        let request = request(method, path, headers, body);
        let [ours, theirs] = [&servers.ours, &servers.theirs].map(|address| send(address, request.as_bytes()));
        assert_eq!(head(&ours), head(&theirs), "{request}");
    }
    let refused = request("POST", "/smart/r.git/git-upload-pack", "Content-Type: text/plain\r\n", "0000");
    let [ours, theirs] = [&servers.ours, &servers.theirs].map(|address| send(address, refused.as_bytes()));
    assert_eq!(ours.split("\r\n\r\n").nth(1), theirs.split("\r\n\r\n").nth(1));
}

/// Lists the paths of all files below a folder, relative to it.
fn files(folder: &Path, below: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join(below)).expect("a folder").map(|entry| entry.expect("readable"));
    let entries = entries.map(|entry| (entry.path().is_dir(), entry.file_name().to_string_lossy().into_owned()));
    let found = entries.flat_map(|(is_folder, name)| {
        let path = format!("{below}/{name}");
        if is_folder { files(folder, &path) } else { vec![path] }
    });
    found.collect()
}

#[test]
fn files_are_served_to_clients_of_the_dumb_protocol() {
    let servers = Servers::new();
    let (work, served) = (servers.folder.path().join("not bare"), servers.folder.path().join("r.git"));
    let sorted = |answer: &str| {
        let (head, content) = answer.split_once("\r\n\r\n").expect("a head");
        let kind = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-type:"));
        // All packs have the same age, so their order is arbitrary.
        let mut lines: Vec<_> = content.lines().map(str::to_owned).collect();
        lines.sort();
        (head.lines().next().map(str::to_owned), kind.map(str::to_owned), lines)
    };
    let compare = |path: &str| {
        let request = format!("GET /smart/r.git/{path} HTTP/1.0\r\n\r\n");
        let [ours, theirs] = [&servers.ours, &servers.theirs].map(|address| send(address, request.as_bytes()));
        assert_eq!(sorted(&ours), sorted(&theirs), "{path}");
    };
    compare("HEAD");
    compare("objects/info/packs");
    for round in ["one", "two", "three"] {
        run(&work, &["commit", "--quiet", "--allow-empty", "--message", round]);
        run(&work, &["tag", "--annotate", "--message", round, round]);
        run(&work, &["push", "--quiet", "--tags", "../r.git", "HEAD:main", "HEAD:refs/hidden/x"]);
        if round != "three" {
            run(&served, &["repack", "-dq"]);
        }
    }
    run(&served, &["config", "transfer.hideRefs", "refs/hidden"]);
    std::fs::write(served.join("objects/info/alternates"), "").expect("a writable folder");
    let mut paths = files(&served, "objects");
    paths.extend(["HEAD", "info/refs", "config", "objects/info/http-alternates"].map(str::to_owned));
    for path in &paths {
        compare(path);
    }
    let url = format!("http://{}/smart/r.git", servers.ours);
    let clone =
        |name| try_git_with(&work, &["clone", "--quiet", "--bare", &url, name], b"", &[("GIT_SMART_HTTP", "0")]);
    assert!(clone("dumb").status.success());
    assert_eq!(objects(&work.join("dumb"), &["--all"]), objects(&served, &["--all"]));
    run(&served, &["config", "http.getanyfile", "false"]);
    for path in ["HEAD", "info/refs", "objects/info/packs"] {
        let request = request("GET", &format!("/smart/r.git/{path}"), "", "");
        assert!(send(&servers.ours, request.as_bytes()).starts_with("HTTP/1.1 403 "), "{path}");
    }
    assert!(!clone("refused").status.success());
}

#[test]
fn paths_outside_the_folder_are_refused() {
    let servers = Servers::new();
    run(servers.folder.path(), &["init", "--quiet", "--bare", "a/b.git"]);
    let inside = request("GET", "/smart/a//./b.git/info/refs?service=git-upload-pack", "", "");
    assert!(send(&servers.ours, inside.as_bytes()).starts_with("HTTP/1.1 200 "));
    for path in ["/smart/a/../r.git", "/smart/%2e%2e/r.git", "/smart/a%2Fb.git", "/smart/r.git%00", "/other/r.git"] {
        let outside = request("GET", &format!("{path}/info/refs?service=git-upload-pack"), "", "");
        assert!(send(&servers.ours, outside.as_bytes()).starts_with("HTTP/1.1 404 "), "{path}");
    }
}

#[test]
fn one_connection_carries_several_requests() {
    let servers = Servers::new();
    let line = "Host: x\r\n";
    let post = format!("POST /smart/r.git/git-upload-pack HTTP/1.1\r\n{line}{FETCH}");
    let bytes = [
        format!("GET /smart/r.git/info/refs?service=git-upload-pack HTTP/1.1\r\n{line}\r\n"),
        format!("{post}Content-Length: 4\r\n\r\n0000"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n2\r\n00\r\n2\r\n00\r\n0\r\n\r\n"),
        // The body of a refused request is drained.
        format!("POST /smart/none/git-upload-pack HTTP/1.1\r\n{line}Content-Length: 9\r\n\r\nGET / HTT"),
        format!("{post}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n0000"),
        format!("GET /smart/none/info/refs HTTP/1.1\r\n{line}Connection: close\r\n\r\n"),
    ];
    let bytes = bytes.concat();
    let answer = send(&servers.ours, bytes.as_bytes());
    let statuses: Vec<_> = answer.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "200", "404", "100", "200", "404"], "{answer}");
}

#[test]
fn broken_requests_end_the_connection() {
    let servers = Servers::new();
    let post = format!("POST /smart/r.git/git-upload-pack HTTP/1.1\r\n{FETCH}");
    for (bytes, status) in [
        ("\r\n\r\nGET / HTTP/1.1\r\n\x00\r\n\r\n".to_owned(), "400"),
        ("what is this\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\n{}\r\n\r\n", "x: y\r\n".repeat(200)), "431"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 15)), "400"),
        (format!("{post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), "404"),
    ] {
        let answer = send(&servers.ours, bytes.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes:.100}: {answer}");
    }
    for bytes in ["", "GET / HT", "GET / HTTP/1.1\r\nx:", &format!("{post}Content-Length: 9\r\n\r\n0032want")] {
        let mut stream = TcpStream::connect(&servers.ours).expect("a listening socket");
        stream.write_all(bytes.as_bytes()).expect("a short request");
        stream.shutdown(std::net::Shutdown::Write).expect("an open connection");
        let mut answer = Vec::new();
        // The answer to an incomplete request does not matter, only that the connection ends.
        stream.read_to_end(&mut answer).expect("a closed connection");
    }
    let sound = request("GET", "/smart/r.git/info/refs?service=git-upload-pack", "", "");
    assert!(send(&servers.ours, sound.as_bytes()).starts_with("HTTP/1.1 200 "));
}

#[test]
fn repositories_can_be_created_and_removed_while_serving() {
    let servers = Servers::new();
    let url = format!("http://{}/smart/new.git", servers.ours);
    let path = servers.folder.path().join("new.git");
    let work = servers.folder.path().join("not bare");
    run(&work, &["commit", "--quiet", "--allow-empty", "--message", "one"]);
    for round in 0..3 {
        assert!(!crate::bench::try_git(&work, &["ls-remote", &url], b"").status.success());
        run(servers.folder.path(), &["clone", "--quiet", "--bare", "not bare", "new.git"]);
        run(&path, &["config", "http.receivepack", "true"]);
        run(&work, &["commit", "--quiet", "--allow-empty", "--message", &format!("round {round}")]);
        run(&work, &["push", "--quiet", &url, "HEAD:main", "HEAD:other"]);
        run(&path, &["pack-refs", "--all"]);
        run(&path, &["repack", "-adq"]);
        run(&work, &["push", "--quiet", &url, ":other"]);
        assert_eq!(run(&work, &["ls-remote", &url]), run(&work, &["ls-remote", "../new.git"]));
        run(&path, &["fsck", "--full"]);
        std::fs::remove_dir_all(&path).expect("a writable folder");
    }
}

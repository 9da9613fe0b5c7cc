//! Flags with limits and settings of the Git server.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tempfile::TempDir;
use tests::binary::Running;
use tests::clients::{Outcome, git, git_fed};
use tests::push::FETCH_TYPE;
use tests::wire::{Reply, request, send};
use tests::{files, process, wait_until};
use ureq::http::Request;

/// The running program with the repository `demo`, and the work tree `work` with one commit.
struct Scene {
    folder: TempDir,
    running: Running,
    url: String,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let data = folder.path().join("data");
        let arguments =
            [&["--data-dir", data.to_str().expect("the path is UTF-8"), "--log-interval", "1h"], flags].concat();
        let running = Running::start(&arguments);
        let create = request(running.endpoint(), "CreateRepository", &json!({ "repositoryName": "demo" }));
        assert_eq!(send(create).status, 200);
        let url = format!("{}/v1/repos/demo", running.endpoint());
        git(folder.path(), &["init", "--quiet", "--initial-branch=main", "work"]).ok();
        let scene = Self { folder, running, url };
        scene.commit("README.md", b"A demonstration.\n");
        scene
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Commits a file and returns the id of the commit.
    fn commit(&self, file: &str, content: &[u8]) -> String {
        fs::write(self.work().join(file), content).expect("the folder is writable");
        git(&self.work(), &["add", "--all"]).ok();
        git(&self.work(), &["commit", "--quiet", "--message", file]).ok();
        git(&self.work(), &["rev-parse", "HEAD"]).ok()
    }

    fn tip(&self) -> String {
        git(&self.work(), &["rev-parse", "main"]).ok()
    }

    fn push(&self, references: &[&str]) -> Outcome {
        git(&self.work(), &[&["push", "--force", &self.url], references].concat())
    }

    /// Returns the folder of the only repository.
    fn repository(&self) -> PathBuf {
        let mut repositories =
            fs::read_dir(self.folder.path().join("data/repositories")).expect("the folder can be read");
        repositories.next().expect("there is one repository").expect("the file is readable").path()
    }

    fn packs(&self) -> usize {
        let entries = fs::read_dir(self.repository().join("objects/pack")).expect("the folder can be read").flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pack")).count()
    }

    fn has(&self, id: &str) -> bool {
        git(&self.repository(), &["cat-file", "-e", id]).success
    }

    /// Pushes commits one by one; each adds a pack.
    fn push_packs(&self, count: usize) {
        for number in 0..count {
            self.commit("counter", format!("{number}\n").as_bytes());
            self.push(&["main"]).ok();
        }
    }

    /// Sends a fetch request of `bytes` bytes, compressed to a thousandth.
    fn bomb(&self, version: &str, head: &str, repeated: &str, bytes: usize) -> Reply {
        let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
        zipped.write_all(head.as_bytes()).expect("writing to memory never fails");
        let many = repeated.repeat((1 << 20) / repeated.len());
        for _ in 0..bytes / many.len() {
            zipped.write_all(many.as_bytes()).expect("writing to memory never fails");
        }
        let body = zipped.finish().expect("writing to memory never fails");
        let request = Request::post(format!("{}/git-upload-pack", self.url))
            .header(FETCH_TYPE.0, FETCH_TYPE.1)
            .header("content-encoding", "GZip")
            .header("git-protocol", format!("version={version}"));
        send(request.body(body).expect("the request is well formed"))
    }

    fn port(&self) -> u16 {
        self.running.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL ends in it")
    }
}

/// Returns bytes that do not compress.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..bytes).map(|_| next()).collect()
}

#[test]
fn a_push_of_too_many_references_is_refused_with_the_limit() {
    let scene = Scene::new(&["--git-max-refs", "2"]);
    let refused = scene.push(&["main:a", "main:b", "main:c"]).failed();
    assert!(refused.contains("Too many reference update commands"), "{refused}");
    scene.push(&["main:a", "main:b"]).ok();
}

#[test]
fn a_pack_that_is_too_large_is_refused_with_the_limit() {
    let scene = Scene::new(&["--git-max-pack", "20KB"]);
    scene.push(&["main"]).ok();
    scene.commit("noise", &noise(30_000));
    let refused = scene.push(&["main"]).failed();
    assert!(refused.contains("pack exceeds maximum allowed size"), "{refused}");
    scene.push(&["main~1:refs/heads/other"]).ok();
}

#[test]
fn an_object_that_is_too_large_is_refused_with_the_limit() {
    let scene = Scene::new(&["--git-max-object", "20KB"]);
    scene.push(&["main"]).ok();
    scene.commit("zeros", &vec![0; 20_481]);
    let refused = scene.push(&["main"]).failed();
    assert!(refused.contains("an object of 20481 bytes is too large"), "{refused}");
    scene.push(&["main~1:refs/heads/other"]).ok();
}

#[test]
fn objects_that_fsck_refuses_are_accepted_without_it() {
    let unsound = |scene: &Scene| {
        let tree = git(&scene.work(), &["rev-parse", "HEAD^{tree}"]).ok();
        let commit =
            format!("tree {tree}\nauthor A <a@example.com> x +0000\ncommitter C <c@example.com> 1 +0000\n\nx\n");
        let arguments = ["hash-object", "--literally", "-t", "commit", "-w", "--stdin"];
        let id = git_fed(&scene.work(), &arguments, commit.as_bytes());
        format!("{}:refs/heads/unsound", String::from_utf8_lossy(&id).trim())
    };
    for flags in [&[][..], &["--git-fsck"], &["--git-fsck=true"]] {
        let scene = Scene::new(flags);
        let refused = scene.push(&[&unsound(&scene)]).failed();
        assert!(refused.contains("badDate"), "{refused}");
    }
    let scene = Scene::new(&["--git-fsck=false"]);
    scene.push(&[&unsound(&scene)]).ok();
}

#[test]
fn packs_are_rolled_up_unless_maintenance_is_off() {
    let scene = Scene::new(&["--git-pack-limit", "3"]);
    scene.push_packs(6);
    wait_until("few packs are left", || scene.packs() <= 3);
    let scene = Scene::new(&["--git-pack-limit", "0"]);
    scene.push_packs(6);
    assert_eq!(scene.packs(), 6);
}

#[test]
fn unreachable_objects_are_pruned_at_the_configured_age() {
    for (age, stays) in [("14d", true), ("1ms", false)] {
        let scene = Scene::new(&["--git-pack-limit", "1", "--git-prune-age", age]);
        let lost = scene.commit("lost", b"nobody leads here soon\n");
        scene.push(&["main"]).ok();
        git(&scene.work(), &["reset", "--quiet", "--hard", "HEAD~1"]).ok();
        scene.push_packs(3);
        if stays {
            wait_until("all is in one pack, and what is lost in another", || scene.packs() <= 2);
            assert!(scene.has(&lost));
        } else {
            wait_until("what is lost is gone", || !scene.has(&lost));
        }
        git(&scene.repository(), &["rev-list", "--quiet", "--objects", &scene.tip()]).ok();
    }
}

#[test]
fn a_client_that_stops_reading_is_disconnected() {
    let scene = Scene::new(&["--git-timeout", "100ms", "--git-pack-limit", "0"]);
    // More than the socket buffers of the system hold.
    scene.commit("noise", &noise(24 << 20));
    scene.push(&["main"]).ok();
    let port = scene.port();
    let none_is_open = || process::connections(scene.running.id(), port) == 0;
    wait_until("the push is over", none_is_open);
    let data = scene.folder.path().join("data");
    let before = files(&data);

    let want = format!("want {}\n", scene.tip());
    let body = format!("{:04x}{want}00000009done\n", want.len() + 4);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    let head = format!(
        "POST /v1/repos/demo/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        FETCH_TYPE.1,
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .expect("the server reads the request");
    let mut begun = [0; 15];
    stream.read_exact(&mut begun).expect("the call is answered");
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    assert_eq!(process::connections(scene.running.id(), port), 1);
    wait_until("the client is let go", none_is_open);
    wait_until("no file is kept for it", || process::nameless_files(scene.running.id()) == 0);
    assert_eq!(files(&data), before);
    let mut rest = Vec::new();
    // The system may deliver or drop the data in flight.
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < 24 << 20 && !rest.ends_with(b"0\r\n\r\n"), "half a reply looks like half of one");
    git(scene.folder.path(), &["clone", "--quiet", &scene.url, "clone"]).ok();
}

#[test]
fn compressed_requests_cost_no_more_than_plain_ones() {
    let scene = Scene::new(&["--max-body", "32MB", "--git-capabilities", "full"]);
    scene.push(&["main"]).ok();
    let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let (want, have) = (line(&format!("want {}\n", scene.tip())), line(&format!("have {}\n", "1".repeat(40))));
    let wordy = line(&format!("want {}{}\n", scene.tip(), " a".repeat(30_000)));
    let short = line("deepen-not x\n");
    let v2 = format!("{}0001", line("command=fetch"));
    for (version, head, repeated) in [
        ("0", String::new(), &want),
        ("0", String::new(), &wordy),
        ("0", want.clone(), &short),
        ("0", format!("{want}0000"), &have),
        ("2", v2.clone(), &have),
        ("2", v2.clone(), &short),
        ("2", v2, &line("ofs-delta\n")),
    ] {
        let reply = scene.bomb(version, &head, repeated, 512 << 20);
        let is_explained =
            ["the request is too large", "too many capabilities"].iter().any(|message| reply.text().contains(message));
        assert!(is_explained, "{head} {repeated:.60}: {}", reply.text());
    }
    let peak = process::memory_peak(scene.running.id()) >> 20;
    assert!(peak < 200, "{peak} MB for requests of 32 MB");
}

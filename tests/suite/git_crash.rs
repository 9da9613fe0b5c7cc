//! Repeated SIGKILL during pushes and maintenance: no reference lacks objects, and no acknowledged push is lost.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use server::settings::Access;
use tests::binary::Running;
use tests::clients::{git, git_fed};
use tests::push::Push;
use tests::signing::{self, AccessKey};
use tests::wire::{request, send};
use ureq::http::Request;

/// Number of kills, unless `CRASH_ROUNDS` in the environment sets another.
const ROUNDS: usize = 300;

/// The same if policies decide.
const ENFORCED_ROUNDS: usize = 30;

/// An identities file with a user who may do everything to one repository.
const IDENTITIES: &str = r#"
[[account]]
id = "111122223333"

[[account.user]]
name = "Li_Juan"
policies = [{ name = "push", document = '{"Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:*:*:demo"}}' }]
git_credentials = [{ password = "password" }]
access_keys = [{ id = "AKIAI44QH8DHBEXAMPLE", secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" }]
"#;

/// Maximum number of pushes in a round.
const PUSHES: usize = 12;

const LI_JUAN: AccessKey<'static> =
    AccessKey { id: "AKIAI44QH8DHBEXAMPLE", secret: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" };

/// A chain of commits and, for each, the push that updates `main` from its parent.
struct History {
    commits: Vec<String>,
    pushes: Vec<Push>,
}

/// Pseudorandom numbers, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(end).expect("the number is small")).expect("the number is small")
    }
}

#[test]
fn a_kill_at_any_point_loses_no_push_and_no_object() {
    kill_in_rounds(ROUNDS, Access::Open);
}

#[test]
fn a_kill_at_any_point_loses_no_push_and_no_object_if_policies_decide() {
    kill_in_rounds(ENFORCED_ROUNDS, Access::Enforced);
}

fn kill_in_rounds(rounds: usize, access: Access) {
    let rounds = std::env::var("CRASH_ROUNDS").map_or(rounds, |rounds| rounds.parse().expect("a number of rounds"));
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    fs::write(folder.path().join("identities.toml"), IDENTITIES).expect("the folder is writable");
    let start = |data: &Path| start(data, access);
    let url = |server: &Running| match access {
        Access::Open => format!("{}/v1/repos/demo", server.endpoint()),
        _ => format!(
            "{}/v1/repos/demo",
            server.endpoint().replace("http://", "http://Li_Juan-at-111122223333:password@")
        ),
    };
    let history = history(&folder.path().join("work"), rounds * PUSHES / 2);
    let mut chance = Chance(20_150_413);
    let mut acknowledged = None;

    for _ in 0..rounds {
        let server = start(&data);
        let url = url(&server);
        acknowledged = check(&server, &data, &history, acknowledged);
        let mut next = acknowledged.map_or(0, |number| number + 1);
        let pushes = chance.below(PUSHES);
        for _ in 0..pushes.min(history.commits.len() - next) {
            let reply = history.pushes[next].send(&url).expect("the server runs");
            assert!(reply.contains("ok refs/heads/main"), "{reply}");
            acknowledged = Some(next);
            next += 1;
        }
        // The last push is cut off in its body, or complete without a wait for the reply.
        if let Some(push) = history.pushes.get(next) {
            let cut = if chance.below(2) == 0 { push.bytes() } else { chance.below(push.bytes()) };
            let _ = push.begin(&url, cut);
        }
        server.kill();
    }

    let server = start(&data);
    check(&server, &data, &history, acknowledged);
    git(folder.path(), &["clone", "--quiet", "--mirror", &url(&server), "clone"]).ok();
    git(&folder.path().join("clone"), &["fsck", "--full", "--strict"]).ok();
    assert_eq!(server.terminate(), Some(0));
    let left: Vec<_> = fs::read_dir(objects(&data)).expect("the folder can be read").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("incoming")), "{left:?}");
}

fn start(data: &Path, access: Access) -> Running {
    let identities = data.with_file_name("identities.toml");
    let [data, identities] = [data, &identities].map(|path| path.to_str().expect("the path is UTF-8"));
    let flags = ["--data-dir", data, "--git-pack-limit", "3", "--log-interval", "1h"];
    match access {
        Access::Open => Running::start(&flags),
        _ => Running::start(
            &[&flags[..], &["--access", "enforced", "--max-clock-skew", "off", "--identities", identities]].concat(),
        ),
    }
}

/// Checks that `main` is at the last acknowledged commit or the next one, with all its objects.
///
/// Returns the number of this commit, which must not change afterwards.
fn check(server: &Running, data: &Path, history: &History, acknowledged: Option<usize>) -> Option<usize> {
    let url = format!("{}/v1/repos/demo/info/refs?service=git-upload-pack", server.endpoint());
    let credentials = STANDARD.encode("Li_Juan-at-111122223333:password");
    let get = Request::get(&url).header("authorization", format!("Basic {credentials}"));
    let reply = send(get.body(Vec::new()).expect("the request is well formed"));
    if reply.status == 404 {
        let create = request(server.endpoint(), "CreateRepository", &json!({ "repositoryName": "demo" }));
        assert_eq!(send(signing::sign(create, LI_JUAN)).status, 200);
        return None;
    }
    let text = reply.text();
    let Some(at) = text.find(" refs/heads/main") else {
        assert_eq!(acknowledged, None, "{text}");
        return None;
    };
    let tip = &text[at - 40..at];
    let number =
        history.commits.iter().position(|commit| commit == tip).expect("the branch points to a commit of the history");
    assert!(
        [acknowledged, acknowledged.map_or(Some(0), |number| Some(number + 1))].contains(&Some(number)),
        "{number}"
    );
    let objects = objects(data);
    let repository = objects.parent().expect("the folder of objects is in that of a repository");
    git(repository, &["rev-list", "--quiet", "--objects", tip]).ok();
    Some(number)
}

/// Returns the folder of objects of the only repository.
fn objects(data: &Path) -> PathBuf {
    let repositories = fs::read_dir(data.join("repositories")).expect("the folder can be read");
    let mut folders = repositories.map(|entry| entry.expect("the file is readable").path().join("objects"));
    folders.next().expect("there is one repository")
}

fn history(folder: &Path, count: usize) -> History {
    git(folder.parent().expect("the file is in a folder"), &["init", "--quiet", "--bare", "work"]).ok();
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
    git_fed(folder, &["fast-import", "--quiet"], stream.as_bytes());
    let commits = git(folder, &["rev-list", "--reverse", "main"]).ok();
    let commits: Vec<String> = commits.lines().map(str::to_owned).collect();
    let pushes = (0..count).map(|number| {
        let (old, new) = (number.checked_sub(1).map(|before| commits[before].as_str()), commits[number].as_str());
        Push::new(folder, "refs/heads/main", old, new)
    });
    let pushes = pushes.collect();
    History { commits, pushes }
}

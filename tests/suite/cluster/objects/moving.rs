//! `codecommit-local move` with `--objects`: Git objects and large files of a data folder go to where several nodes share them, and back.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use store::{Durability, Error, Store};
use tests::binary::{self, Running};
use tests::clients::{Outcome, git, git_fed, outcome};
use tests::digests::signing_key;
use tests::wait_until;

use super::bucket::{Bucket, PLACE};
use super::{Cluster, NAME, commit, large_file, number, ok, url, work};

/// A repository whose objects are loose in the data folder.
const LOOSE: &str = "loose";

/// A repository without a push.
const EMPTY: &str = "empty";

/// A large file that is in the data folder before the move, and one that comes when nodes share it.
const LARGE: &[u8] = b"The content of a large file.\n";
const LATER: &[u8] = b"The content of another large file.\n";

/// A data folder, and where its objects go.
struct Place<'c> {
    cluster: &'c Cluster,
    objects: &'c OsStr,
    config: Option<&'c Path>,
}

impl Place<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.cluster.folder.path().join(name)
    }

    /// Starts the only server of a data folder.
    fn alone(&self, data: &str, arguments: &[&str]) -> Running {
        let mut command = Command::new(binary::path());
        command.env_clear().args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(self.path(data)).args(arguments);
        command.arg("--trail-dir").arg(self.cluster.trail()).arg("--buckets-dir").arg(self.path("buckets"));
        command.arg("--signing-key").arg(signing_key());
        Running::start_command(command)
    }

    fn alone_on_server(&self, data: &str) -> Running {
        self.alone(data, &["--database", &self.cluster.database])
    }

    fn node(&self, name: &str) -> Running {
        Running::start_command(self.node_command(name))
    }

    fn node_command(&self, name: &str) -> Command {
        let mut command = self.cluster.command_over(name, name, self.objects);
        if let Some(config) = self.config {
            command.arg("--config").arg(config);
        }
        command
    }

    fn move_command(&self, direction: &str, data: &str) -> Command {
        let mut command = Command::new(binary::path());
        command.env_clear().args(["move", direction, "--database", &self.cluster.database]);
        command.arg("--data-dir").arg(self.path(data)).arg("--objects").arg(self.objects);
        if let Some(config) = self.config {
            command.arg("--config").arg(config);
        }
        command
    }

    fn move_it(&self, direction: &str, data: &str) -> Outcome {
        outcome(&mut self.move_command(direction, data))
    }

    /// Moves the rows alone.
    fn move_rows(&self, data: &str) {
        let mut command = Command::new(binary::path());
        command.env_clear().args(["move", "to-server", "--database", &self.cluster.database, "--data-dir"]);
        outcome(command.arg(self.path(data))).ok();
    }

    /// Fills a data folder: a repository with several packs, unreachable objects, a pull request and a large file, one with loose objects
    /// only, and one without objects. Returns what clients see.
    fn fill(&self, data: &str) -> Vec<String> {
        let server = self.alone(data, &[]);
        for name in [NAME, LOOSE, EMPTY] {
            ok(&server, "CreateRepository", &json!({ "repositoryName": name }));
        }
        let work = work(self.cluster, "work");
        for message in ["second", "third"] {
            git(&work, &["push", "--quiet", &url(&server), "main"]).ok();
            commit(&work, message);
        }
        git(&work, &["push", "--quiet", &url(&server), "main", "main:side"]).ok();
        git(&work, &["commit", "--quiet", "--amend", "--message", "another third"]).ok();
        git(&work, &["push", "--quiet", "--force", &url(&server), "main"]).ok();
        git(&work, &["push", "--quiet", &url_of(&server, LOOSE), "main"]).ok();
        let target = json!({ "repositoryName": NAME, "sourceReference": "side", "destinationReference": "main" });
        ok(&server, "CreatePullRequest", &json!({ "title": "A title", "targets": [target] }));
        assert_eq!(large_file(&server, "upload", "PUT", LARGE, LARGE).status, 200);
        let seen = self.seen(&server, "before");
        let loose = self.path(data).join("repositories").join(id_of(&server, LOOSE));
        assert_eq!(server.terminate(), Some(0));
        unpack(&loose);
        seen
    }

    /// Returns what clients see on a server; clones are complete.
    fn seen(&self, server: &Running, clone: &str) -> Vec<String> {
        let mut seen = vec![
            ok(server, "GetPullRequest", &json!({ "pullRequestId": "1" }))["pullRequest"].to_string(),
            ok(server, "ListRepositories", &json!({}))["repositories"].to_string(),
        ];
        for name in [NAME, LOOSE, EMPTY] {
            let clone = format!("{clone}-{name}");
            git(self.cluster.folder.path(), &["clone", "--quiet", "--mirror", &url_of(server, name), &clone]).ok();
            git(&self.path(&clone), &["fsck", "--strict"]).ok();
            seen.push(git(&self.path(&clone), &["for-each-ref"]).ok());
        }
        assert_eq!(large_file(server, "download", "GET", LARGE, b"").body, LARGE);
        seen
    }
}

fn url_of(server: &Running, name: &str) -> String {
    format!("{}/v1/repos/{name}", server.endpoint())
}

fn id_of(server: &Running, name: &str) -> String {
    let found = ok(server, "GetRepository", &json!({ "repositoryName": name }));
    found["repositoryMetadata"]["repositoryId"].as_str().expect("a repository has an id").to_owned()
}

/// Makes all objects of a repository loose.
fn unpack(repository: &Path) {
    for file in tests::files(&repository.join("objects/pack")) {
        let content = fs::read(&file).expect("the file is readable");
        fs::remove_file(&file).expect("the folder is writable");
        if file.extension() == Some("pack".as_ref()) {
            git_fed(repository, &["unpack-objects", "-q"], &content);
        }
    }
    assert!(git(repository, &["count-objects", "-v"]).ok().contains("in-pack: 0\n"));
}

fn refused(mut command: Command) -> String {
    outcome(command.stdin(Stdio::null())).failed()
}

/// Checks that all files of repositories are files of the folder itself.
fn assert_no_links(folder: &Path) {
    let files = tests::files(&folder.join("repositories"));
    assert!(files.iter().any(|file| file.extension() == Some("pack".as_ref())));
    for file in files {
        assert!(file.symlink_metadata().expect("the file exists").is_file(), "{}", file.display());
    }
}

/// Moves a filled data folder to nodes, changes something there, and moves it back into another folder. `stored` lists what is shared.
fn there_and_back(place: &Place<'_>, stored: impl Fn() -> Vec<String>) {
    let before = place.fill("data");
    let moved = place.move_it("to-server", "data").ok();
    assert!(moved.contains(": 3 repositories with ") && moved.contains(" and 1 large files"), "{moved}");
    let nodes = [place.node("a"), place.node("b")];
    for (node, clone) in nodes.iter().zip(["a", "b"]) {
        assert_eq!(place.seen(node, &format!("on-{clone}")), before);
    }
    assert!(number(place.cluster, "SELECT COUNT(*) FROM packs WHERE gone IS NULL") >= 4, "there are several packs");
    assert_eq!(number(place.cluster, "SELECT COUNT(*) FROM repositories WHERE unreachable_since IS NOT NULL"), 1);
    let data = place.path("data");
    for name in ["repositories", "codecommit.db.moved"] {
        fs::rename(data.join(name), place.path(name)).expect("the data folder has it");
    }
    let work = place.path("work");
    for (node, name) in nodes.iter().zip(["fourth", "fifth"]) {
        commit(&work, name);
        git(&work, &["push", "--quiet", &url(node), "main"]).ok();
        git(&work, &["push", "--quiet", &url_of(node, EMPTY), &format!("main:{name}")]).ok();
    }
    assert_eq!(large_file(&nodes[0], "upload", "PUT", LATER, LATER).status, 200);
    let after = place.seen(&nodes[1], "after");
    for node in nodes {
        assert_eq!(node.terminate(), Some(0));
    }
    let again = place.move_it("to-server", "data").ok();
    assert!(again.contains("already"), "{again}");

    let files = stored();
    let moved = place.move_it("to-file", "back").ok();
    assert!(moved.contains(": 3 repositories with ") && moved.contains(" and 2 large files"), "{moved}");
    assert_eq!(stored(), files);
    assert_no_links(&place.path("back"));
    let marks = tests::files(&place.path("back/repositories")).into_iter().filter(|file| file.ends_with("info/let-go"));
    assert_eq!(marks.count(), 1, "unreachable objects are removed in time");
    let server = place.alone("back", &[]);
    assert_eq!(place.seen(&server, "in-file"), after);
    assert_eq!(large_file(&server, "download", "GET", LATER, b"").body, LATER);
    commit(&work, "sixth");
    git(&work, &["push", "--quiet", &url(&server), "main"]).ok();
    assert_eq!(server.terminate(), Some(0));
    let file = Store::open(&place.path("back/codecommit.db"), Durability::Normal).expect("no server uses the file");
    let sql = "SELECT COUNT(*) FROM lfs_objects WHERE file IS NOT NULL \
               UNION ALL SELECT COUNT(*) FROM repositories WHERE packs_version <> 0";
    let shared: Result<Vec<_>, Error> = file.read(|file| file.query(sql, &[], |row| row.integer(0)));
    assert_eq!(shared.expect("the tables exist"), [0, 0], "nothing names what is shared");
}

#[test]
fn objects_go_to_a_shared_folder_and_back() {
    let Some(cluster) = Cluster::new() else { return };
    let objects = cluster.folder.path().join("objects");
    let stored = || {
        let mut files: Vec<_> = tests::files(&objects).iter().map(|path| path.to_string_lossy().into_owned()).collect();
        files.sort();
        files
    };
    there_and_back(&Place { cluster: &cluster, objects: objects.as_os_str(), config: None }, stored);
}

#[test]
fn objects_go_to_a_bucket_and_back() {
    let Some(cluster) = Cluster::new() else { return };
    let bucket = Bucket::start(&cluster);
    let place = Place { cluster: &cluster, objects: OsStr::new(PLACE), config: Some(&bucket.config) };
    there_and_back(&place, || bucket.names());
}

#[test]
fn a_move_that_failed_is_repeated_with_what_came_since() {
    let Some(cluster) = Cluster::new() else { return };
    let objects = cluster.folder.path().join("objects");
    let place = Place { cluster: &cluster, objects: objects.as_os_str(), config: None };
    place.fill("data");
    place.move_rows("data");
    let server = place.alone_on_server("data");
    let id = id_of(&server, NAME);
    assert_eq!(server.terminate(), Some(0));
    // The large file, which comes after all packs, cannot be read.
    let large = tests::files(&place.path("data/repositories").join(&id).join("lfs/objects")).remove(0);
    fs::rename(&large, place.path("large")).expect("the folder is writable");
    symlink(&large, &large).expect("the folder is writable");
    let message = place.move_it("to-server", "data").failed();
    assert!(
        message.contains("not all Git objects and large files were moved") && message.contains("repeat"),
        "{message}"
    );
    fs::rename(place.path("large"), &large).expect("the folder is writable");
    let message = refused(place.node_command("a"));
    assert!(message.contains("the Git objects of the database are in another place"), "{message}");

    let server = place.alone_on_server("data");
    let work = place.path("work");
    commit(&work, "fourth");
    git(&work, &["push", "--quiet", "--force", &url(&server), "main"]).ok();
    ok(&server, "DeleteRepository", &json!({ "repositoryName": LOOSE }));
    ok(&server, "CreateRepository", &json!({ "repositoryName": LOOSE }));
    let now = place.seen(&server, "now");
    assert_eq!(server.terminate(), Some(0));
    let deleted =
        "SELECT COUNT(*) FROM packs WHERE gone IS NULL AND repository_id NOT IN (SELECT id FROM repositories)";
    assert_eq!(number(&cluster, deleted), 1, "its pack was stored before");
    place.move_it("to-server", "data").ok();
    assert_eq!(number(&cluster, deleted), 0);
    let node = place.node("a");
    assert_eq!(place.seen(&node, "on-a"), now);
    assert_eq!(node.terminate(), Some(0));

    let pack = tests::files(&objects.join(&id)).pop().expect("the repository has packs");
    fs::rename(&pack, place.path("pack")).expect("the folder is writable");
    let message = place.move_it("to-file", "back").failed();
    assert!(message.contains("not all Git objects and large files were moved"), "{message}");
    assert!(!place.path("back/codecommit.db").exists());
    fs::rename(place.path("pack"), &pack).expect("the folder is writable");
    place.move_it("to-file", "back").ok();
    assert_eq!(place.seen(&place.alone("back", &[]), "in-file"), now);
}

#[test]
fn a_move_is_repeated_after_the_bucket_was_away_and_a_kill() {
    let Some(cluster) = Cluster::new() else { return };
    let bucket = Bucket::start(&cluster);
    let place = Place { cluster: &cluster, objects: OsStr::new(PLACE), config: Some(&bucket.config) };
    let before = place.fill("data");
    let server = place.alone("data", &[]);
    let content = (0_u32..1 << 18).flat_map(u32::to_be_bytes).collect::<Vec<_>>();
    assert_eq!(large_file(&server, "upload", "PUT", &content, &content).status, 200);
    assert_eq!(server.terminate(), Some(0));
    // The packs are smaller, and the large files come after them.
    bucket.gate.close_after(1 << 19);
    let mut moving =
        place.move_command("to-server", "data").stderr(Stdio::null()).spawn().expect("the program is built");
    wait_until("the bucket is away", || bucket.gate.is_closed());
    // It may have ended, as it cannot go on.
    let _ = moving.kill();
    assert!(!moving.wait().expect("it is a child of this process").success());
    bucket.gate.open();
    let packs = bucket.count("pack-");
    assert!(packs > 0 && bucket.count("database-id") == 1);
    let message = refused(place.node_command("a"));
    assert!(message.contains("the Git objects of the database are in another place"), "{message}");
    let server = place.alone_on_server("data");
    assert_eq!(place.seen(&server, "meanwhile"), before);
    assert_eq!(server.terminate(), Some(0));

    place.move_it("to-server", "data").ok();
    assert_eq!(bucket.count("pack-"), packs, "what was stored is not stored again");
    let node = place.node("a");
    assert_eq!(place.seen(&node, "on-a"), before);
    assert_eq!(large_file(&node, "download", "GET", &content, b"").body, content);
}

#[test]
fn objects_are_moved_only_between_the_places_of_a_database() {
    let (Some(cluster), Some(other)) = (Cluster::new(), Cluster::new()) else { return };
    let bucket = Bucket::start(&cluster);
    let place = Place { cluster: &cluster, objects: OsStr::new(PLACE), config: Some(&bucket.config) };
    place.fill("data");
    let database = place.path("data/codecommit.db");

    // Nothing is moved to a place that cannot be used.
    let inside = place.path("data/repositories");
    let message = Place { objects: inside.as_os_str(), config: None, ..place }.move_it("to-server", "data").failed();
    assert!(message.contains("choose paths that do not lie in each other") && database.exists(), "{message}");
    bucket.gate.close();
    let message = place.move_it("to-server", "data").failed();
    assert!(message.contains("cannot be used now; try again later") && database.exists(), "{message}");
    bucket.gate.open();
    let taken = other.folder.path().join("objects");
    let owner = other.start("owner");
    let of_other = Place { objects: taken.as_os_str(), config: None, ..place };
    let message = of_other.move_it("to-server", "data").failed();
    assert!(
        message.contains("it belongs to another database; choose an empty place") && database.exists(),
        "{message}"
    );
    drop(owner);

    place.move_rows("data");
    let message = of_other.move_it("to-server", "data").failed();
    assert!(message.contains("it belongs to another database"), "{message}");
    fs::create_dir(place.path("wrong")).expect("the folder is new");
    let message = place.move_it("to-server", "wrong").failed();
    assert!(message.contains("the Git objects of the database are not in '"), "{message}");
    let message = place.move_it("to-file", "back").failed();
    assert!(message.contains("the Git objects of the database are not in '"), "{message}");
    place.move_it("to-server", "data").ok();

    let node = place.node("a");
    for direction in ["to-server", "to-file"] {
        let message = place.move_it(direction, "back").failed();
        assert!(message.contains(&format!("the server at {} uses the database", node.endpoint())), "{message}");
    }
    assert_eq!(node.terminate(), Some(0));
    let message = of_other.move_it("to-file", "back").failed();
    assert!(message.contains("the Git objects of the database are not in '"), "{message}");
    let mut without = Command::new(binary::path());
    without
        .env_clear()
        .args(["move", "to-file", "--database", &cluster.database, "--data-dir"])
        .arg(place.path("back"));
    let message = refused(without);
    assert!(message.contains("with --objects if several servers share it"), "{message}");
    assert!(!place.path("back/codecommit.db").exists());
}

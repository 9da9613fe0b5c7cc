//! Seeds: what a new data folder starts with.

mod entries;
mod events;
mod export;
mod faults;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use server::{Server, Settings};
use tempfile::TempDir;
use tests::World;
use tests::clients::git;

/// The folder of a seed, for one test.
struct SeedFolder(TempDir);

impl SeedFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be created"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("seed")
    }

    /// Writes a file of the seed.
    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("the file is in a folder")).expect("the folder is writable");
        fs::write(&path, content).expect("the folder is writable");
        path
    }

    /// Creates a repository with two branches and an annotated tag beside the seed, and returns its path.
    fn history(&self) -> PathBuf {
        let path = self.0.path().join("work");
        let work = path.to_str().expect("the path is UTF-8");
        git(self.0.path(), &["init", "--quiet", "--initial-branch=trunk", work]).ok();
        for number in 0..3 {
            fs::write(path.join("file"), format!("line {number}\n")).expect("the folder is writable");
            git(&path, &["add", "--all"]).ok();
            git(&path, &["commit", "--quiet", "--message", &format!("commit {number}")]).ok();
        }
        git(&path, &["tag", "--annotate", "--message", "tagged", "v1"]).ok();
        git(&path, &["checkout", "--quiet", "-b", "feature"]).ok();
        fs::write(path.join("other"), "other\n").expect("the folder is writable");
        git(&path, &["add", "--all"]).ok();
        git(&path, &["commit", "--quiet", "--message", "feature"]).ok();
        git(&path, &["checkout", "--quiet", "trunk"]).ok();
        path
    }

    /// Adds the bare clone of a repository to the seed.
    fn add_bare(&self, work: &Path, name: &str) -> PathBuf {
        let path = self.path().join("repositories").join(name);
        fs::create_dir_all(self.path().join("repositories")).expect("the folder is writable");
        let (work, path_text) = (work.to_str().expect("UTF-8"), path.to_str().expect("UTF-8"));
        git(self.0.path(), &["clone", "--quiet", "--bare", work, path_text]).ok();
        path
    }

    /// Starts a server with the seed.
    fn world(&self) -> World {
        World::with(|settings| self.settings(settings))
    }

    fn settings(&self, settings: &mut Settings) {
        settings.seed = Some(self.path());
        settings.allow_reset = true;
    }

    /// Starts a server in a folder, and returns the message of the failure.
    fn refused(&self, data: &Path) -> String {
        let settings = Settings {
            listen: vec![([127, 0, 0, 1], 0).into()],
            data_dir: Some(data.to_owned()),
            seed: Some(self.path()),
            ..Settings::default()
        };
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        let started = runtime.block_on(async { Server::start(settings).await.map(|_server| ()) });
        started.expect_err("the seed is refused").to_string()
    }
}

/// Returns what a client sees of all repositories: their ids, and their references.
fn state(world: &World) -> Vec<String> {
    let listed = world.run(world.sdk().list_repositories().send()).expect("the call succeeds");
    let mut lines = Vec::new();
    for repository in listed.repositories() {
        let name = repository.repository_name().expect("it has a name");
        let references = world.git(".", &["ls-remote", &world.repository_url(name)]).ok();
        let found = world.run(world.sdk().get_repository().repository_name(name).send()).expect("the call succeeds");
        let metadata = found.repository_metadata().expect("it has metadata");
        lines.push(format!(
            "{name} {:?} {:?} {:?} {:?}\n{references}",
            repository.repository_id(),
            metadata.default_branch(),
            metadata.creation_date(),
            metadata.last_modified_date(),
        ));
    }
    lines
}

fn reset(world: &World) {
    let reply = world.send("POST", "/_local/reset", &[], b"");
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
}

//! Git clients other than `git`: each performs the same steps with both capability profiles, and `git` checks the results.
//!
//! Each client has a program in `tests/clients` with these commands; a failing command exits with an error and prints its message.
//!
//! - `clone URL FOLDER [DEPTH]`: names the server `origin`, with its branches in `refs/remotes/origin`
//! - `fetch FOLDER`
//! - `commit FOLDER FILE CONTENT`: on the checked-out branch
//! - `push FOLDER [+]SOURCE:DESTINATION [COMMAND]`: without a source it deletes; the command runs in a shell between the
//!   advertisement of the server and the request of the client

use git::Offers;
use serde_json::{Value, json};
use tests::World;
use tests::clients::{GitClient, Outcome};

#[test]
fn dulwich_clones_fetches_and_pushes() {
    with_both_profiles(GitClient::Dulwich, Scene::does_everything);
}

#[test]
fn pygit2_clones_fetches_and_pushes() {
    with_both_profiles(GitClient::Pygit2, Scene::does_everything);
}

#[test]
fn isomorphic_git_clones_fetches_and_pushes() {
    with_both_profiles(GitClient::IsomorphicGit, Scene::does_everything);
}

/// gix cannot push.
#[test]
fn gix_clones_and_fetches() {
    with_both_profiles(GitClient::Gix, Scene::clones_and_fetches);
}

fn with_both_profiles(client: GitClient, act: impl Fn(&Scene)) {
    for offers in [Offers::AWS, Offers::FULL] {
        act(&Scene::new(client, offers));
    }
}

/// A client, a server with the repository `demo`, and the work tree `work` of `git` that was pushed to it.
struct Scene {
    client: GitClient,
    world: World,
}

impl Scene {
    fn new(client: GitClient, offers: Offers) -> Self {
        let world = World::with(|settings| settings.git.offers = offers);
        world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
        world.git_repository("work");
        // Versions of a growing file are stored as deltas.
        for number in 1..=5 {
            let lines: String = (0..number * 300).map(|line| line.to_string() + "\n").collect();
            world.git_commit("work", "long", &lines);
            world.git_commit("work", &format!("deep/down/{number}"), "one more\n");
        }
        world.git("work", &["tag", "--annotate", "--message", "The first", "v1"]).ok();
        world.git("work", &["remote", "add", "origin", &world.repository_url("demo")]).ok();
        world.git("work", &["push", "origin", "main", "main~3:refs/heads/topic", "v1"]).ok();
        Self { client, world }
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.world.git_client(self.client, arguments)
    }

    /// Runs a command that must succeed, and returns its last record, the only one with a data transfer.
    fn transfers(&self, event_name: &str, arguments: &[&str]) -> Value {
        let before = self.world.events().len();
        self.run(arguments).ok();
        self.transfer_since(before, event_name)
    }

    fn transfer_since(&self, before: usize, event_name: &str) -> Value {
        let events = self.world.events().split_off(before);
        let (last, others) = events.split_last().expect("a client's requests are recorded");
        assert!(events.iter().all(|event| event["eventName"] == event_name), "{events:?}");
        assert_eq!(last["additionalEventData"]["dataTransferred"], true, "{last}");
        assert!(!others.is_empty(), "what the server showed is recorded, too");
        assert!(others.iter().all(|event| event["additionalEventData"]["dataTransferred"] == false), "{others:?}");
        last.clone()
    }

    fn git(&self, folder: &str, arguments: &[&str]) -> String {
        self.world.git(folder, arguments).ok()
    }

    /// Returns the branches of the server according to `git`, as `ID BRANCH`.
    fn branches(&self) -> Vec<String> {
        let listed = self.git("work", &["ls-remote", "--heads", "origin"]);
        listed.lines().map(|line| line.replace("\trefs/heads/", " ")).collect()
    }

    /// Asserts that the repository of a client has the branches of the server and all their objects.
    fn is_complete(&self, folder: &str) {
        let format = "--format=%(objectname) %(refname:lstrip=3)";
        let listed = self.git(folder, &["for-each-ref", format, "refs/remotes/origin"]);
        let branches: Vec<_> = listed.lines().filter(|line| !line.ends_with(" HEAD")).collect();
        assert_eq!(branches, self.branches());
        assert_eq!(self.git(folder, &["rev-parse", "v1"]), self.git("work", &["rev-parse", "v1"]));
        self.git(folder, &["fsck", "--full", "--strict"]);
    }

    fn does_everything(&self) {
        self.clones_and_fetches();
        self.commits_and_pushes();
        self.hears_what_is_refused();
        self.pushes_into_an_empty_repository();
    }

    fn clones_and_fetches(&self) {
        let url = self.world.repository_url("demo");
        let event = self.transfers("GitPull", &["clone", &url, "clone"]);
        assert_eq!(event["additionalEventData"]["shallow"], false);
        self.is_complete("clone");

        self.world.git_commit("work", "deep/more", "more\n");
        self.git("work", &["push", "origin", "main", "main:new"]);
        self.transfers("GitPull", &["fetch", "clone"]);
        self.is_complete("clone");

        let event = self.transfers("GitPull", &["clone", &url, "shallow", "1"]);
        assert_eq!(event["additionalEventData"]["shallow"], true);
        assert_eq!(self.git("shallow", &["rev-list", "--count", "origin/main"]), "1");
        assert_eq!(self.git("shallow", &["show", "origin/main:deep/more"]), "more");
        self.git("shallow", &["fsck", "--full", "--strict"]);

        let missing = self.world.repository_url("missing");
        self.run(&["clone", &missing, "missing"]).failed();
        assert_eq!(self.last_event()["errorCode"], "RepositoryDoesNotExistException");
    }

    fn commits_and_pushes(&self) {
        assert_eq!(self.git("clone", &["status", "--porcelain"]), "");
        assert_eq!(self.git("clone", &["rev-parse", "HEAD"]), self.git("work", &["rev-parse", "v1^{commit}"]));
        for (folder, branch, content) in
            [("clone", "mine", "1\n"), ("clone", "mine", "2\n"), ("shallow", "shallow", "3\n")]
        {
            let destination = format!("refs/heads/{branch}");
            self.run(&["commit", folder, "mine.txt", content]).ok();
            let event = self.transfers("GitPush", &["push", folder, &format!("HEAD:{destination}")]);
            let commit = self.git(folder, &["rev-parse", "HEAD"]);
            assert_eq!(event["requestParameters"]["references"], json!([{ "commit": commit, "ref": destination }]));
            assert!(self.branches().contains(&format!("{commit} {branch}")));
        }

        self.git(".", &["clone", "--quiet", "--mirror", &self.world.repository_url("demo"), "mirror"]);
        self.git("mirror", &["fsck", "--full", "--strict"]);
        assert_eq!(self.git("mirror", &["show", "mine:mine.txt"]), "2");
        assert_eq!(self.git("mirror", &["show", "shallow:mine.txt"]), "3");
        assert_eq!(self.git("mirror", &["diff", "--name-only", "v1", "mine"]), "mine.txt");
        assert_eq!(self.git("mirror", &["diff", "--name-only", "main", "shallow"]), "mine.txt");
        assert_eq!(self.git("mirror", &["rev-list", "--count", "v1..mine"]), "2");
        assert_eq!(self.git("mirror", &["rev-list", "--count", "main..shallow"]), "1");

        let event = self.transfers("GitPush", &["push", "clone", ":refs/heads/mine"]);
        let null_id = "0".repeat(40);
        assert_eq!(event["requestParameters"]["references"], json!([{ "commit": null_id, "ref": "refs/heads/mine" }]));
        assert!(self.branches().iter().all(|branch| !branch.ends_with(" mine")));
    }

    fn pushes_into_an_empty_repository(&self) {
        self.world.ok("CreateRepository", &json!({ "repositoryName": "empty" }));
        let url = self.world.repository_url("empty");
        self.world.git_repository("first");
        self.git("first", &["remote", "add", "origin", &url]);
        self.run(&["commit", "first", "mine.txt", "4\n"]).ok();
        self.transfers("GitPush", &["push", "first", "HEAD:refs/heads/main"]);
        self.git(".", &["clone", "--quiet", &url, "copy"]);
        self.git("copy", &["fsck", "--full", "--strict"]);
        assert_eq!(self.git("copy", &["rev-parse", "HEAD"]), self.git("first", &["rev-parse", "HEAD"]));
        assert_eq!(self.git("copy", &["ls-files"]), "README.md\nmine.txt");
    }

    fn hears_what_is_refused(&self) {
        let branches = self.branches();
        let before = self.world.events().len();
        let words = self.run(&["push", "clone", ":refs/heads/main"]).failed();
        assert!(words.contains("the default branch cannot be deleted"), "{words}");
        let event = self.transfer_since(before, "GitPush");
        assert_eq!(event["errorMessage"], "refs/heads/main the default branch cannot be deleted");

        // The client itself detects that this would lose a commit.
        self.run(&["push", "clone", "HEAD:refs/heads/main"]).failed();
        assert_eq!(self.branches(), branches);

        // With force it would lose one, but another push comes first, so its old value is stale.
        let work = self.world.folder().join("work");
        let other = format!("git -C {} push --quiet --force origin main~1:topic", work.display());
        let words = self.run(&["push", "clone", "+HEAD:refs/heads/topic", &other]).failed();
        assert!(words.contains("failed to update ref"), "{words}");
        assert_eq!(self.last_event()["errorMessage"], "refs/heads/topic failed to update ref");
        let commit = self.git("work", &["rev-parse", "main~1"]);
        assert!(self.branches().contains(&format!("{commit} topic")));
    }

    fn last_event(&self) -> Value {
        self.world.events().pop().expect("an element exists")
    }
}

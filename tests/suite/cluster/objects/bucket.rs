//! Git objects and large files that several nodes share in a bucket, on the server of moto.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;
use tests::binary::Running;
use tests::clients::{git, git_command, outcome};
use tests::gate::{Gate, Target};
use tests::moto::Moto;
use tests::wait_until;
use tests::wire::send;
use ureq::http::Request;

use super::{
    Cluster, NAME, build_upon_each_other, call, cloned_tip, commit, create, large_file, number, ok, push, put_file,
    url, work,
};

/// The bucket and the beginning of its keys.
pub(super) const PLACE: &str = "s3://git-objects/team/one";

/// A server with a bucket, and the settings file of nodes that use it.
pub(super) struct Bucket {
    moto: Moto,
    pub(super) gate: Gate,
    pub(super) config: PathBuf,
}

impl Bucket {
    pub(super) fn start(cluster: &Cluster) -> Self {
        let moto = Moto::start();
        let made = Request::put(format!("{}/git-objects", moto.url())).body(Vec::new());
        assert_eq!(send(made.expect("the request is well formed")).status, 200);
        let server = moto.url().strip_prefix("http://").expect("the server has no TLS").trim_end_matches('/');
        let gate = Gate::start(Target::Tcp(server.to_owned()));
        let config = cluster.folder.path().join("config.toml");
        let key = "access-key-id = \"AKIAIOSFODNN7EXAMPLE\"\nsecret-access-key = \"hidden\"";
        let text = format!("[buckets.git-objects]\nendpoint = \"http://127.0.0.1:{}\"\n{key}\n", gate.port());
        fs::write(&config, text).expect("the folder is writable");
        Self { moto, gate, config }
    }

    fn command(&self, cluster: &Cluster, name: &str) -> Command {
        let mut command = cluster.command_over(name, name, OsStr::new(PLACE));
        command.arg("--config").arg(&self.config);
        command
    }

    fn node(&self, cluster: &Cluster, name: &str) -> Running {
        Running::start_command(self.command(cluster, name))
    }

    /// Lists the last parts of the keys in the bucket.
    pub(super) fn names(&self) -> Vec<String> {
        let url = format!("{}/git-objects?list-type=2&prefix=team/one/", self.moto.url());
        let listing = send(Request::get(url).body(Vec::new()).expect("the request is well formed")).text();
        let keys = listing.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        keys.filter_map(|(key, _)| key.rsplit_once('/')).map(|(_, name)| name.to_owned()).collect()
    }

    /// Counts the keys whose last parts begin with a text.
    pub(super) fn count(&self, prefix: &str) -> i64 {
        let names = self.names();
        i64::try_from(names.iter().filter(|name| name.starts_with(prefix)).count()).expect("there are few")
    }
}

#[test]
fn what_a_node_stores_in_a_bucket_is_read_and_built_upon_on_each_other_one() {
    let Some(cluster) = Cluster::new() else { return };
    let bucket = Bucket::start(&cluster);
    build_upon_each_other(&cluster, |name| bucket.node(&cluster, name));
    assert_eq!(bucket.count("database-id"), 1);
    assert!(bucket.count("pack-") > 0);
    assert!(!cluster.folder.path().join("objects").exists());
}

#[test]
fn packs_that_were_combined_and_unreachable_objects_leave_the_bucket() {
    let Some(cluster) = Cluster::new() else { return };
    let bucket = Bucket::start(&cluster);
    let start = |name: &str| {
        let mut command = bucket.command(&cluster, name);
        command.args(["--git-pack-limit", "4", "--git-prune-age", "1ms"]);
        Running::start_command(command)
    };
    let nodes = [start("a"), start("b")];
    create(&nodes[1]);
    let work = work(&cluster, "work");
    for number in 0..12 {
        commit(&work, &format!("commit {number}"));
        push(&work, &nodes[number % 2]);
    }
    git(&work, &["reset", "--quiet", "--soft", "HEAD~4"]).ok();
    git(&work, &["commit", "--quiet", "--amend", "--message", "another history"]).ok();
    push(&work, &nodes[0]);
    let last = git(&work, &["rev-parse", "HEAD"]).ok().trim().to_owned();
    let content = b"No commit names this large file.\n";
    assert_eq!(large_file(&nodes[0], "upload", "PUT", content, content).status, 200);
    wait_until("there are few packs", || number(&cluster, "SELECT COUNT(*) FROM packs WHERE gone IS NULL") <= 4);
    wait_until("unreachable objects were removed", || number(&cluster, "SELECT prunes FROM repositories") > 0);
    wait_until("the unused large file was removed", || bucket.count("lfs-") == 0);
    assert!(number(&cluster, "SELECT COUNT(*) FROM packs WHERE gone IS NOT NULL") > 0);
    // An hour passes.
    let passed: Result<_, store::Error> = cluster
        .store()
        .write(|transaction| transaction.execute("UPDATE packs SET gone = gone - 3600000 WHERE gone IS NOT NULL", &[]));
    passed.expect("the table exists");
    wait_until("the packs are gone", || {
        let listed = number(&cluster, "SELECT COUNT(*) FROM packs");
        // A pack and its index, and sometimes the times of its objects.
        listed <= 4 && bucket.count("pack-") <= 3 * listed
    });
    for (node, name) in nodes.iter().zip(["last-a", "last-b"]) {
        assert_eq!(cloned_tip(&cluster, node, name), last);
    }
    // A node that has nothing yet.
    assert_eq!(cloned_tip(&cluster, &start("c"), "last-c"), last);
}

#[test]
fn a_large_file_in_a_bucket_is_on_all_nodes() {
    let Some(cluster) = Cluster::new() else { return };
    let bucket = Bucket::start(&cluster);
    let (first, second) = (bucket.node(&cluster, "a"), bucket.node(&cluster, "b"));
    create(&first);
    let content = b"The content of a large file.\n";
    assert_eq!(large_file(&first, "upload", "PUT", content, content).status, 200);
    assert_eq!(bucket.count("lfs-"), 1);
    for _ in 0..2 {
        let stored = large_file(&second, "download", "GET", content, b"");
        assert_eq!((stored.status, &stored.body[..]), (200, &content[..]));
    }
    let cached = tests::files(&cluster.folder.path().join("b/lfs-cache"));
    assert_eq!(cached.iter().map(|path| fs::read(path).expect("the file is readable")).collect::<Vec<_>>(), [content]);
}

#[test]
fn a_push_is_refused_while_the_bucket_is_away_and_the_next_one_works() {
    let Some(cluster) = Cluster::new() else { return };
    let bucket = Bucket::start(&cluster);
    let (first, second) = (bucket.node(&cluster, "a"), bucket.node(&cluster, "b"));
    create(&first);
    let work = work(&cluster, "work");
    git(&work, &["push", "--quiet", &url(&first), "main"]).ok();
    let acknowledged = git(&work, &["rev-parse", "HEAD"]).ok().trim().to_owned();
    assert_eq!(cloned_tip(&cluster, &second, "clone-1"), acknowledged);
    let next = commit(&work, "next");
    bucket.gate.close();
    let refused = git_command(&work, &["push", &url(&first), "main"]).output().expect("git runs");
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && message.contains("cannot be used now; try again later"), "{message}");
    assert!(!message.contains("git-objects"), "{message}");
    let input = json!({
        "repositoryName": NAME, "branchName": "main", "parentCommitId": acknowledged, "filePath": "by-api",
        "fileContent": "QQ==",
    });
    assert_eq!(call(&second, "PutFile", &input).status, 500);
    let branch = json!({ "repositoryName": NAME, "branchName": "main" });
    assert_eq!(ok(&second, "GetBranch", &branch)["branch"]["commitId"], acknowledged);
    bucket.gate.open();
    git(&work, &["push", "--quiet", &url(&first), "main"]).ok();
    let put = put_file(&second, &next, "by-api", "content");
    assert_eq!(cloned_tip(&cluster, &first, "clone-2"), put);
}

#[test]
fn a_bucket_of_another_database_is_refused() {
    let (Some(cluster), Some(other)) = (Cluster::new(), Cluster::new()) else { return };
    let bucket = Bucket::start(&cluster);
    let _first = bucket.node(&cluster, "a");
    let refused = outcome(bucket.command(&other, "b").stdin(Stdio::null())).failed();
    assert!(refused.contains("git-objects/team/one/: it belongs to another database"), "{refused}");
    bucket.gate.close();
    let refused = outcome(bucket.command(&cluster, "c").stdin(Stdio::null())).failed();
    assert!(refused.contains("cannot be used now; try again later"), "{refused}");
}

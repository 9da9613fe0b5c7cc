//! Nodes that keep all in S3, on a server of `SeaweedFS`: Git objects, large files, archives and log files.

use std::ffi::OsStr;
use std::fs::{self, File};

use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::{git, outcome, python_environment};
use tests::seaweedfs::SeaweedFs;
use tests::{read_log_files, wait_until};
use zip::ZipArchive;

use super::bucket::PLACE;
use super::{Cluster, NAME, build_upon_each_other, call, cloned_tip, create, large_file, local, ok, url, work};
use crate::cluster::{ids, node, sorted};

struct Place<'a> {
    cluster: &'a Cluster,
    server: SeaweedFs,
}

impl<'a> Place<'a> {
    fn start(cluster: &'a Cluster) -> Self {
        let buckets = ["git-objects", "logs", "archives"];
        let server = SeaweedFs::start(&buckets);
        let tables = buckets.map(|bucket| server.table(bucket)).concat();
        fs::write(cluster.folder.path().join("config.toml"), tables).expect("the folder is writable");
        Self { cluster, server }
    }

    fn node(&self, name: &str) -> Running {
        let mut command = self.cluster.command_over(name, name, OsStr::new(PLACE));
        command.arg("--config").arg(self.cluster.folder.path().join("config.toml"));
        Running::start_command(command)
    }
}

#[test]
fn what_a_node_stores_is_read_and_built_upon_on_each_other_one() {
    let Some(cluster) = Cluster::new() else { return };
    let place = Place::start(&cluster);
    build_upon_each_other(&cluster, |name| place.node(name));
}

#[test]
fn a_killed_node_leaves_objects_archives_and_log_files_that_another_one_completes() {
    let Some(cluster) = Cluster::new() else { return };
    let place = Place::start(&cluster);
    let (first, second) = (place.node("a"), place.node("b"));
    let trail = json!({ "Name": "far", "S3BucketName": "logs", "EnableLogFileValidation": true });
    let arn = ok(&first, "CreateTrail", &trail)["TrailARN"].as_str().expect("the member is a string").to_owned();
    ok(&second, "StartLogging", &json!({ "Name": "far" }));
    create(&first);
    let work = work(&cluster, "work");
    git(&work, &["push", "--quiet", &url(&first), "main"]).ok();
    let tip = git(&work, &["rev-parse", "HEAD"]).ok();
    let content = b"The content of a large file.\n";
    assert_eq!(large_file(&first, "upload", "PUT", content, content).status, 200);
    local(&first, "POST", "digest");
    let archive = json!({
        "repositoryName": NAME, "commitId": tip, "archiveType": "ZIP", "s3Bucket": "archives", "s3Key": "one.zip",
    });
    let upload = ok(&first, "UploadArchive", &archive)["uploadId"].clone();
    first.kill();

    let upload = json!({ "repositoryName": NAME, "uploadId": upload });
    let status = || ok(&second, "GetUploadArchiveStatus", &upload);
    wait_until("the upload ends", || status()["status"] != "IN_PROGRESS");
    assert_eq!(status()["status"], "SUCCEEDED", "{}", status());
    wait_until("the other node has the roles", || node(&second, "b").1.contains(&"digests".to_owned()));
    assert_eq!(large_file(&second, "download", "GET", content, b"").body, content);
    assert_eq!(cloned_tip(&cluster, &second, "clone"), tip);
    local(&second, "POST", "digest");

    let folder = cluster.folder.path().join("downloaded");
    place.server.download("archives", &folder);
    let archive = File::open(folder.join("one.zip")).expect("the archive was written");
    assert!(!ZipArchive::new(archive).expect("the file is a ZIP archive").is_empty());
    place.server.download("logs", &folder);
    let delivered = sorted(ids(&read_log_files(&folder), "eventID"));
    let stored = cluster.stored_events();
    assert!(delivered.len() >= 8, "{}", delivered.len());
    assert!(delivered.windows(2).all(|pair| pair[0] != pair[1]), "each record is delivered once");
    assert!(delivered.iter().all(|id| stored.contains(id)));
    // The trail logs what comes after its creation and StartLogging.
    assert!(stored[2..].iter().all(|id| delivered.contains(id)), "each record is delivered");

    // The CLI reads the trail and the keys from the node and the files from SeaweedFS.
    let mut validate = python_environment("aws", cluster.folder.path(), second.endpoint());
    validate.env("AWS_ENDPOINT_URL_S3", place.server.url());
    validate.args(["cloudtrail", "validate-logs", "--trail-arn", &arn, "--start-time", "2020-01-01T00:00:00Z"]);
    let shown = outcome(&mut validate).ok();
    let valid = shown.lines().find_map(|line| line.strip_suffix(" log files valid")?.split_once('/'));
    assert!(valid.is_some_and(|(valid, all)| valid == all), "{shown}");
    assert_eq!(call(&second, "ListRepositories", &Value::from(serde_json::Map::new())).status, 200);
}

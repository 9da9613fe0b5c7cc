//! Removal of large files: with their repository, and by maintenance if nothing names them. Snapshots, reset, archives.

use std::fs::{self, File};
use std::io::Read;
use std::process::Command;
use std::time::Duration;

use aws::Clock;
use serde_json::{Value, json};
use tests::clients::outcome;
use tests::database::is_sqlite;
use tests::lfs::{id_of, pointer_to};
use tests::{World, wait_until};
use zip::ZipArchive;

use super::{CONTENT, stored, world, world_with};

#[test]
fn large_files_are_removed_with_their_repository() {
    let world = world();
    world.lfs_upload("MyDemoRepo", CONTENT);
    let action = world.lfs_batch("MyDemoRepo", "upload", &[b"new"])[0]["actions"]["upload"].clone();
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    wait_until("the files are removed", || stored(&world).is_empty());
    assert_eq!(world.lfs_action(&action, "PUT", &[], b"new").status, 404);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()), None);
    assert_eq!(world.lfs_action(&action, "PUT", &[], b"new").status, 404, "the token is for the deleted repository");
    assert_eq!(stored(&world), Vec::<std::path::PathBuf>::new());
}

#[test]
fn objects_that_no_pointer_names_are_removed_after_the_prune_age() {
    let mut world = world();
    let named = b"named by a pointer in the history".as_slice();
    for content in [CONTENT, named] {
        world.lfs_upload("MyDemoRepo", content);
    }
    world.git_repository("work");
    world.git_commit("work", "a.bin", &pointer_to(named));
    world.git_commit("work", "a.bin", "no pointer any more\n");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let id = id_of(b"a failed upload");
    let objects = stored(&world)[0].ancestors().nth(3).expect("the file is in three folders").to_owned();
    let folder = objects.join(&id[..2]).join(&id[2..4]);
    fs::create_dir_all(&folder).expect("the folder is writable");
    fs::write(folder.join(id), "a failed upload").expect("the folder is writable");
    assert_eq!(stored(&world).len(), 3);
    // Maintenance looks at the start.
    world.move_clock(15 * 86_400);
    world.restart();
    wait_until("the unused objects are removed", || stored(&world).len() == 1);
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(named), named.len()).as_deref(), Some(named));
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()), None);
    world.lfs_upload("MyDemoRepo", CONTENT);
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()).as_deref(), Some(CONTENT));
}

#[test]
fn an_object_that_a_client_asks_about_is_kept_for_its_push() {
    // The age is longer than the test.
    let world = world_with(|settings| settings.git.prune_age = Duration::from_hours(1));
    world.lfs_upload("MyDemoRepo", CONTENT);
    world.move_clock(3_500);
    assert_eq!(world.lfs_batch("MyDemoRepo", "upload", &[CONTENT])[0].get("actions"), None);
    let used = "SELECT used FROM lfs_objects";
    let used = world.store().read(|transaction| transaction.query_one(used, &[], |row| row.integer(0)));
    let used = used.expect("the table exists").expect("the object has a row");
    assert!(world.clock().now().millis() - used < 60_000, "{used}");
}

#[test]
fn a_restored_snapshot_has_its_large_files_and_a_reset_none() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = world_with(|settings| settings.allow_reset = true);
    let post = |path: &str| {
        let reply = world.send("POST", path, &[], b"");
        assert!(reply.status < 300, "{path}: {}", reply.text());
    };
    world.lfs_upload("MyDemoRepo", CONTENT);
    let locked = world.lfs("MyDemoRepo", "locks", &[], &json!({ "path": "a.bin" }));
    assert_eq!(locked.status, 201);
    post("/_local/snapshots/one");
    world.lfs_upload("MyDemoRepo", b"after the snapshot");
    fs::remove_file(&stored(&world)[0]).expect("there are two files");
    post("/_local/snapshots/one/restore");
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()).as_deref(), Some(CONTENT));
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(b"after the snapshot"), 18), None);
    assert_eq!(world.lfs("MyDemoRepo", "locks", &[], &Value::Null).json()["locks"][0]["path"], "a.bin");
    post("/_local/reset");
    wait_until("the files are removed", || stored(&world).is_empty());
}

#[test]
fn a_seed_that_is_exported_has_the_large_files_and_restores_them() {
    if !is_sqlite("an export reads the file of the database") {
        return;
    }
    let world = world();
    world.lfs_upload("MyDemoRepo", CONTENT);
    world.git_repository("work");
    world.git_commit("work", "a.bin", &pointer_to(CONTENT));
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let folder = world.folder().join("seed");
    let mut command = Command::new(tests::binary::path());
    command.args(["seed", "--export"]).arg(&folder).arg("--data-dir").arg(world.folder().join("data"));
    outcome(&mut command).ok();
    let restored = World::with(|settings| {
        settings.seed = Some(folder.clone());
        settings.codecommit.lfs.check_pushes = true;
    });
    assert_eq!(restored.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()).as_deref(), Some(CONTENT));
}

/// Uploads an archive of a commit with a pointer and one to a missing object; returns the contents of both files in it.
fn archived(world: &World) -> [String; 2] {
    world.lfs_upload("MyDemoRepo", CONTENT);
    world.git_repository("work");
    world.git_commit("work", "there.bin", &pointer_to(CONTENT));
    let commit = world.git_commit("work", "missing.bin", &pointer_to(b"else"));
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let input = json!({
        "repositoryName": "MyDemoRepo", "commitId": commit, "archiveType": "ZIP", "s3Bucket": "artifacts", "s3Key": "a.zip",
    });
    let id = world.ok("UploadArchive", &input)["uploadId"].clone();
    let status = || world.ok("GetUploadArchiveStatus", &json!({ "repositoryName": "MyDemoRepo", "uploadId": id }));
    wait_until("the upload ends", || status()["status"] != "IN_PROGRESS");
    let file = File::open(world.folder().join("data/buckets/artifacts/a.zip")).expect("the archive was written");
    let mut archive = ZipArchive::new(file).expect("a ZIP file");
    ["there.bin", "missing.bin"].map(|name| {
        let mut content = String::new();
        archive.by_name(name).expect("the file is in it").read_to_string(&mut content).expect("a text");
        content
    })
}

#[test]
fn archives_have_pointers_or_the_content_of_large_files() {
    assert_eq!(archived(&world()), [pointer_to(CONTENT), pointer_to(b"else")]);
    let with_content = world_with(|settings| settings.codecommit.lfs.archive_content = true);
    let content = String::from_utf8_lossy(CONTENT).into_owned();
    assert_eq!(archived(&with_content), [content, pointer_to(b"else")]);
}

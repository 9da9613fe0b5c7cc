use std::sync::Arc;

use store::{Durability, Store};
use tempfile::TempDir;

use super::{Status, status};
use crate::archive::Archives;
use crate::trigger::delivery::{Courier, Delivery};
use crate::{CodeCommit, Maintenance, Settings};

/// Maintains nothing, carries no messages, and takes all keys.
struct Nobody;

impl Maintenance for Nobody {
    fn wake(&self, _repository_id: &str) {}
}

impl Courier for Nobody {
    fn deliver(&self, _delivery: &Delivery) -> Result<(), String> {
        Ok(())
    }

    fn wake(&self) {}
}

impl Archives for Nobody {
    fn refusal(&self, _bucket: &str, _key: &str) -> Result<Option<String>, store::Error> {
        Ok(None)
    }

    fn wake(&self) {}
}

/// Opens the service anew, as a process does that was started again.
fn service(folder: &TempDir) -> CodeCommit {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    let objects = folder.path().join("repositories");
    let nobody = || Arc::new(Nobody);
    CodeCommit::open(
        Arc::new(store),
        objects,
        nobody(),
        nobody(),
        nobody(),
        git::Options::default(),
        Settings::default(),
    )
    .expect("the folder is writable")
}

/// A service with two uploads in progress, `first` and `second`.
fn with_uploads(folder: &TempDir) -> CodeCommit {
    let service = service(folder);
    let added = service.store.write(|transaction| {
        transaction.execute_all(
            "INSERT INTO repositories (id, account, region, name, created, modified, kms_key_id) \
                VALUES ('r', '111122223333', 'us-east-1', 'MyDemoRepo', 0, 0, ''); \
             INSERT INTO archive_uploads (id, repository_id, commit_id, bucket, object_key, status) \
                VALUES ('first', 'r', zeroblob(20), 'b', 'k', 'IN_PROGRESS'), ('second', 'r', zeroblob(20), 'b', 'k', 'IN_PROGRESS')",
        )
    });
    added.expect("the tables are there");
    service
}

fn begin(service: &CodeCommit) -> Option<String> {
    service.begin_upload().expect("the store works").map(|upload| upload.id)
}

fn status_of(service: &CodeCommit, id: &str) -> (Status, Option<String>) {
    let status = service.store.read(|transaction| status(transaction, "r", id));
    status.expect("the table is there").expect("the row is there")
}

#[test]
fn an_upload_that_ends_the_process_is_given_up_after_three_attempts() {
    let folder = tempfile::tempdir().expect("there is room");
    assert_eq!(begin(&with_uploads(&folder)).as_deref(), Some("first"));
    assert_eq!(begin(&service(&folder)).as_deref(), Some("first"));
    assert_eq!(begin(&service(&folder)).as_deref(), Some("first"));
    let service = service(&folder);
    assert_eq!(status_of(&service, "first"), (Status::InProgress, None));
    assert_eq!(begin(&service).as_deref(), Some("second"));
    let (status, message) = status_of(&service, "first");
    let message = message.expect("it says why");
    assert!(status == Status::Failed && message.contains("begun 3 times"), "{message}");
    service.settle_upload("second", Ok(())).expect("the store works");
    assert!(!service.is_any_upload_waiting().expect("the store works"));
}

#[test]
fn an_attempt_that_a_stop_breaks_off_does_not_count() {
    let folder = tempfile::tempdir().expect("there is room");
    let service = with_uploads(&folder);
    for _ in 0..5 {
        assert_eq!(begin(&service).as_deref(), Some("first"));
        service.put_back_upload("first").expect("the store works");
    }
    assert_eq!(begin(&service).as_deref(), Some("first"));
}

use std::sync::Arc;

use store::{Durability, Store};
use tempfile::TempDir;

use super::{UploadStatus, status};
use crate::archive::Archives;
use crate::trigger::delivery::{Delivery, TriggerSender};
use crate::{CodeCommit, Maintenance, Settings, Wake};

/// Does nothing, and allows all keys.
struct Idle;

impl Maintenance for Idle {
    fn wake(&self, _repository_id: &str) {}
}

impl Wake for Idle {
    fn wake(&self) {}
}

impl TriggerSender for Idle {
    fn deliver(&self, _delivery: &Delivery) -> Result<(), String> {
        Ok(())
    }
}

impl Archives for Idle {
    fn refusal(&self, _bucket: &str, _key: &str) -> Result<Option<String>, store::Error> {
        Ok(None)
    }
}

/// Opens the service again, as a restarted process does.
fn service(folder: &TempDir) -> CodeCommit {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    let objects = folder.path().join("repositories");
    let idle = || Arc::new(Idle);
    let (git, settings) = (git::Options::default(), Settings::default());
    let service = CodeCommit::open(Arc::new(store), objects, idle(), idle(), idle(), git, settings);
    service.expect("the folder is writable")
}

/// Opens a service with two uploads in progress, `first` and `second`.
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
    added.expect("the tables exist");
    service
}

fn begin(service: &CodeCommit) -> Option<String> {
    service.begin_upload().expect("the store works").map(|upload| upload.id)
}

fn status_of(service: &CodeCommit, id: &str) -> (UploadStatus, Option<String>) {
    let status = service.store.read(|transaction| status(transaction, "r", id));
    status.expect("the table exists").expect("the row exists")
}

#[test]
fn an_upload_that_crashes_the_process_fails_after_three_attempts() {
    let folder = tempfile::tempdir().expect("the disk has space");
    assert_eq!(begin(&with_uploads(&folder)).as_deref(), Some("first"));
    assert_eq!(begin(&service(&folder)).as_deref(), Some("first"));
    assert_eq!(begin(&service(&folder)).as_deref(), Some("first"));
    let service = service(&folder);
    assert_eq!(status_of(&service, "first"), (UploadStatus::InProgress, None));
    assert_eq!(begin(&service).as_deref(), Some("second"));
    let (status, message) = status_of(&service, "first");
    let message = message.expect("a failed upload has a reason");
    assert!(status == UploadStatus::Failed && message.contains("3 attempts"), "{message}");
    service.settle_upload("second", Ok(())).expect("the store works");
    assert!(!service.is_any_upload_waiting().expect("the store works"));
}

#[test]
fn an_attempt_that_a_stop_interrupts_does_not_count() {
    let folder = tempfile::tempdir().expect("the disk has space");
    let service = with_uploads(&folder);
    for _ in 0..5 {
        assert_eq!(begin(&service).as_deref(), Some("first"));
        service.put_back_upload("first").expect("the store works");
    }
    assert_eq!(begin(&service).as_deref(), Some("first"));
}

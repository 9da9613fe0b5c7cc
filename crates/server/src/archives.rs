//! The outbox of archive uploads: writes each archive to a temporary file and puts it into its bucket.
//!
//! **Invariant:** uploads run in the order of the calls; an upload that a stop interrupts starts again at the next start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::{Clock, Timestamp};
use bucket::Buckets;
use cluster::Role;
use codecommit::archive::upload::Upload;
use codecommit::{CodeCommit, Exception};
use store::Store;
use trail::archive_keys;
use worker::{Stop, Waker, Worker};

use crate::data_folder::with_path;
use crate::outbox::{self, DeliveryQueue};

/// The buckets of archives, and the waker of the outbox.
pub(crate) struct Archives {
    store: Arc<Store>,
    buckets: Arc<Buckets>,
    waker: Waker,
}

impl Archives {
    /// Creates the archives over the buckets; `store` has the trails, whose keys are reserved.
    pub(crate) const fn new(store: Arc<Store>, buckets: Arc<Buckets>, waker: Waker) -> Self {
        Self { store, buckets, waker }
    }
}

impl codecommit::archive::Archives for Archives {
    fn refusal(&self, bucket: &str, key: &str) -> Result<Option<String>, store::Error> {
        archive_keys::refusal(&self.buckets, &self.store, bucket, key)
    }
}

impl codecommit::Wake for Archives {
    fn wake(&self) {
        self.waker.wake();
    }
}

/// Starts the outbox; `folder` has temporary files only, and is emptied.
pub(crate) fn start(
    codecommit: Arc<CodeCommit>,
    archives: &Archives,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    role: &Role,
) -> io::Result<Worker> {
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(with_path(&folder)(error)),
        _ => {}
    }
    let (store, buckets) = (Arc::clone(&archives.store), Arc::clone(&archives.buckets));
    let uploads = Uploads { codecommit, store, buckets, folder };
    outbox::start("archives", archives.waker.clone(), clock, role, uploads)
}

struct Uploads {
    codecommit: Arc<CodeCommit>,
    store: Arc<Store>,
    buckets: Arc<Buckets>,
    folder: PathBuf,
}

impl DeliveryQueue for Uploads {
    type Error = Exception;

    /// All uploads are due at once.
    fn next_due(&self) -> Result<Option<Timestamp>, Exception> {
        Ok(self.codecommit.is_any_upload_waiting()?.then_some(Timestamp::from_millis(0)))
    }

    fn send(&self, _due: Timestamp, stop: &Stop) -> Result<(), Exception> {
        let Some(upload) = self.codecommit.begin_upload()? else { return Ok(()) };
        let outcome = match self.run(&upload, stop) {
            Ok(true) => Ok(()),
            Ok(false) if stop.is_set() => return self.codecommit.put_back_upload(&upload.id),
            // The upload was cancelled, or its repository was deleted.
            Ok(false) => return Ok(()),
            Err(exception) => Err(exception.to_string()),
        };
        if let Err(reason) = &outcome {
            let Upload { id, bucket, key, .. } = &upload;
            tracing::warn!(upload = id, bucket, key, error = reason, "cannot upload an archive");
        }
        self.codecommit.settle_upload(&upload.id, outcome)
    }
}

impl Uploads {
    /// Runs an upload; returns false if it was stopped or cancelled before its end.
    fn run(&self, upload: &Upload, stop: &Stop) -> Result<bool, Exception> {
        fs::create_dir_all(&self.folder)?;
        let file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut is_wanted = || Ok(!stop.is_set() && self.codecommit.is_wanted(upload)?);
        let is_complete = self.codecommit.write_archive(upload, file.as_file(), &mut is_wanted)?;
        if !is_complete || !is_wanted()? {
            return Ok(false);
        }
        // A trail that was created since the call may have reserved the key.
        if let Some(reason) = archive_keys::refusal(&self.buckets, &self.store, &upload.bucket, &upload.key)? {
            return Err(Exception::Validation { reason });
        }
        self.put(upload, file.path())?;
        Ok(true)
    }

    fn put(&self, upload: &Upload, path: &Path) -> io::Result<()> {
        let failed = |error: io::Error| {
            let reason = format!("cannot put {} into the bucket {}: {error}", upload.key, upload.bucket);
            io::Error::new(error.kind(), reason)
        };
        self.buckets.get(&upload.bucket).put_file(&upload.key, path).map_err(failed)
    }
}

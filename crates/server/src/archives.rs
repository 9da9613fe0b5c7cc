//! Uploads of archives, in the background: each is written to a temporary file, and then put into its bucket.
//!
//! **Invariant:** uploads are done in the order of the calls; one that a stop breaks off is begun again at the next start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::{Clock, Timestamp};
use bucket::Buckets;
use codecommit::archive::upload::Upload;
use codecommit::{CodeCommit, Exception};
use store::Store;
use trail::archive_keys;
use worker::{Stop, Waker, Worker};

use crate::data_folder::with_path;
use crate::outbox::{self, DeliveryQueue};

/// The buckets, and what wakes the outbox when uploads wait.
pub(crate) struct Archives {
    store: Arc<Store>,
    buckets: Arc<Buckets>,
    waker: Waker,
}

impl Archives {
    /// Knows the buckets, whose store tells the keys of trails, and what to wake when uploads wait.
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

/// Starts the outbox of uploads; `folder` is for temporary files and nothing else.
pub(crate) fn start(
    codecommit: Arc<CodeCommit>,
    archives: &Archives,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
) -> io::Result<Worker> {
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(with_path(&folder)(error)),
        _ => {}
    }
    let (store, buckets) = (Arc::clone(&archives.store), Arc::clone(&archives.buckets));
    let uploads = Uploads { codecommit, store, buckets, folder };
    outbox::start("archives", archives.waker.clone(), clock, uploads)
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
        let outcome = match self.one(&upload, stop) {
            Ok(true) => Ok(()),
            Ok(false) if stop.is_set() => return self.codecommit.put_back_upload(&upload.id),
            // It was cancelled, or went with its repository.
            Ok(false) => return Ok(()),
            Err(exception) => Err(exception.to_string()),
        };
        if let Err(reason) = &outcome {
            let Upload { id, bucket, key, .. } = &upload;
            tracing::warn!(upload = id, bucket, key, reason, "an upload failed");
        }
        self.codecommit.settle_upload(&upload.id, outcome)
    }
}

impl Uploads {
    /// Does an upload; returns whether it was done, which is not so if it is no longer wanted now.
    fn one(&self, upload: &Upload, stop: &Stop) -> Result<bool, Exception> {
        fs::create_dir_all(&self.folder)?;
        let file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut goes_on = || Ok(!stop.is_set() && self.codecommit.is_wanted(upload)?);
        let is_complete = self.codecommit.write_archive(upload, file.as_file(), &mut goes_on)?;
        if !is_complete || !goes_on()? {
            return Ok(false);
        }
        // A trail may have been made since the call, and the key be for its files.
        if let Some(reason) = archive_keys::refusal(&self.buckets, &self.store, &upload.bucket, &upload.key)? {
            return Err(Exception::Validation { reason });
        }
        self.put(upload, file.path())?;
        Ok(true)
    }

    fn put(&self, upload: &Upload, path: &Path) -> io::Result<()> {
        let cause = |error: io::Error| {
            let reason = format!("{} cannot be put into the bucket {}: {error}", upload.key, upload.bucket);
            io::Error::new(error.kind(), reason)
        };
        self.buckets.get(&upload.bucket).put_file(&upload.key, path).map_err(cause)
    }
}

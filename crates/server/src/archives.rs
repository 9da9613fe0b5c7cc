//! Uploads of archives, in the background: each is written to a temporary file, and then put into its bucket.
//!
//! **Invariant:** uploads are done in the order of the calls; one that a stop breaks off is begun again at the next start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use aws::Timestamp;
use codecommit::archive::upload::Upload;
use codecommit::{CodeCommit, Exception};
use store::Store;
use trail::Buckets;

use crate::outbox::{Bell, Outbox, Waiting};

/// The buckets, and who is told that uploads wait.
pub(crate) struct Archives {
    store: Arc<Store>,
    buckets: Arc<Buckets>,
    bell: Bell,
}

impl Archives {
    /// Knows the buckets and whose store tells the keys of trails, and rings when uploads wait.
    pub(crate) const fn new(store: Arc<Store>, buckets: Arc<Buckets>, bell: Bell) -> Self {
        Self { store, buckets, bell }
    }
}

impl codecommit::archive::Archives for Archives {
    fn refusal(&self, bucket: &str, key: &str) -> Result<Option<String>, store::Error> {
        self.buckets.refusal(&self.store, bucket, key)
    }

    fn wake(&self) {
        self.bell.ring();
    }
}

/// Starts the outbox of uploads; `folder` is for temporary files and nothing else.
pub(crate) fn start(
    codecommit: Arc<CodeCommit>,
    archives: &Archives,
    folder: PathBuf,
    bell: (Bell, Receiver<()>),
) -> io::Result<Outbox> {
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    Outbox::start(
        "archives",
        Run { codecommit, store: Arc::clone(&archives.store), buckets: Arc::clone(&archives.buckets), folder },
        bell,
    )
}

struct Run {
    codecommit: Arc<CodeCommit>,
    store: Arc<Store>,
    buckets: Arc<Buckets>,
    folder: PathBuf,
}

impl Waiting for Run {
    type Error = Exception;

    fn send_next(&self, stop: &AtomicBool) -> Result<bool, Exception> {
        let Some(upload) = self.codecommit.next_upload()? else { return Ok(false) };
        let outcome = match self.one(&upload, stop) {
            Ok(true) => Ok(()),
            // It was cancelled, or went with its repository, or the server stops.
            Ok(false) => return Ok(true),
            Err(exception) => Err(exception.to_string()),
        };
        if let Err(reason) = &outcome {
            let Upload { id, bucket, key, .. } = &upload;
            tracing::warn!(upload = id, bucket, key, reason, "an upload failed");
        }
        self.codecommit.settle_upload(&upload.id, outcome)?;
        Ok(true)
    }

    /// All uploads are due at once.
    fn next(&self) -> Result<Option<Timestamp>, Exception> {
        Ok(None)
    }
}

impl Run {
    /// Does an upload; returns whether it was done, which is not so if it is no longer wanted now.
    fn one(&self, upload: &Upload, stop: &AtomicBool) -> Result<bool, Exception> {
        fs::create_dir_all(&self.folder)?;
        let file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut goes_on = || Ok(!stop.load(Ordering::Relaxed) && self.codecommit.is_wanted(upload)?);
        let is_complete = self.codecommit.write_archive(upload, file.as_file(), &mut goes_on)?;
        if !is_complete || !goes_on()? {
            return Ok(false);
        }
        // A trail may have been made since the call, and the key be for its files.
        if let Some(reason) = self.buckets.refusal(&self.store, &upload.bucket, &upload.key)? {
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

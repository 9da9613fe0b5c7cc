//! Uploads of archives, in the background: each is written to a temporary file, and then put into its bucket.
//!
//! **Invariant:** one thread uploads, in the order of the calls, and it ends before the store is closed; what it has not
//! uploaded by then is begun again at the next start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use codecommit::archive::Archives as _;
use codecommit::archive::upload::Upload;
use codecommit::{CodeCommit, Exception};
use trail::Buckets;

/// How long until the store is asked again where it failed.
const WAIT: Duration = Duration::from_secs(10);

/// The buckets, and who is told that uploads wait.
pub(crate) struct Archives {
    buckets: Arc<Buckets>,
    wake: Sender<()>,
}

impl Archives {
    /// Makes it with the end that hears when uploads wait.
    pub(crate) fn new(buckets: Arc<Buckets>) -> (Self, Receiver<()>) {
        let (wake, woken) = mpsc::channel();
        (Self { buckets, wake }, woken)
    }
}

impl codecommit::archive::Archives for Archives {
    fn check(&self, bucket: &str, key: &str) -> Result<(), String> {
        self.buckets.check(bucket, key)
    }

    fn wake(&self) {
        // If the thread has ended, the next start begins with what waits.
        let _ = self.wake.send(());
    }
}

/// The thread that uploads; ended by drop.
pub(crate) struct Uploads {
    archives: Arc<Archives>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Uploads {
    /// Starts the thread, which begins with what an earlier run has left; `folder` is for temporary files and nothing else.
    pub(crate) fn start(
        codecommit: Arc<CodeCommit>,
        archives: Arc<Archives>,
        woken: Receiver<()>,
        folder: PathBuf,
    ) -> io::Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let stop = Arc::new(AtomicBool::new(false));
        let run = Run { codecommit, buckets: Arc::clone(&archives.buckets), stop: Arc::clone(&stop), folder };
        let thread = std::thread::Builder::new().name("archives".to_owned()).spawn(move || run.all(&woken))?;
        Ok(Self { archives, stop, thread: Some(thread) })
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.archives.wake();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Run {
    codecommit: Arc<CodeCommit>,
    buckets: Arc<Buckets>,
    stop: Arc<AtomicBool>,
    folder: PathBuf,
}

impl Run {
    fn all(&self, woken: &Receiver<()>) {
        while !self.is_stopped() {
            match self.waiting() {
                Ok(()) => {
                    if woken.recv().is_err() {
                        return;
                    }
                }
                Err(exception) => {
                    tracing::error!(%exception, "uploads of archives cannot be read or settled; they wait");
                    // It may be woken earlier; either way the store is asked again.
                    let _ = woken.recv_timeout(WAIT);
                }
            }
        }
    }

    /// Does the uploads that wait.
    fn waiting(&self) -> Result<(), Exception> {
        while let Some(upload) = self.codecommit.next_upload()? {
            let outcome = match self.one(&upload) {
                Ok(true) => Ok(()),
                Ok(false) if self.is_stopped() => return Ok(()),
                // It was cancelled, or went with its repository.
                Ok(false) => continue,
                Err(exception) => Err(exception.to_string()),
            };
            if let Err(reason) = &outcome {
                tracing::warn!(
                    upload = upload.id,
                    bucket = upload.bucket,
                    key = upload.key,
                    reason,
                    "an upload failed"
                );
            }
            self.codecommit.settle_upload(&upload.id, outcome)?;
        }
        Ok(())
    }

    /// Does an upload; returns whether it was done, which is not so if it is no longer wanted now.
    fn one(&self, upload: &Upload) -> Result<bool, Exception> {
        fs::create_dir_all(&self.folder)?;
        let file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut goes_on = || Ok(!self.is_stopped() && self.codecommit.is_wanted(upload)?);
        let is_complete = self.codecommit.write_archive(upload, file.as_file(), &mut goes_on)?;
        if !is_complete || !goes_on()? {
            return Ok(false);
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

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

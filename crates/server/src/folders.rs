//! The folders of a server: data, trail and buckets. They are locked while the server runs; nodes of one database share the last two.

mod lock;
mod overlap;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use overlap::Overlap;

pub(crate) use crate::folders::lock::FolderLock;
use crate::{Settings, StartError, data_folder};

/// The lock file in the folder of buckets; no bucket can have this name.
const BUCKETS_LOCK: &str = ".lock";

/// The folders of a running server.
pub(crate) struct Folders {
    data: PathBuf,
    trail: PathBuf,
    buckets: PathBuf,
    locks: Vec<FolderLock>,
    /// The data folder, if the settings name none.
    temporary: Option<TempDir>,
}

/// Checks that the folders of the settings, with a data folder, do not lie in each other; returns those of the trail and of the buckets.
pub(crate) fn check(settings: &Settings, data: &Path) -> Result<(PathBuf, PathBuf), StartError> {
    let trail = settings.trail_dir.clone().unwrap_or_else(|| data.join("trail"));
    let unreadable = |source| StartError::Folder { setting: "--trail-dir", path: trail.clone(), source };
    let buckets = buckets_folder(settings, &trail).map_err(unreadable)?;
    overlap::check(settings, data, &trail, &buckets)?;
    Ok((trail, buckets))
}

impl Folders {
    /// Checks the folders of the settings, creates those that are missing, and locks them.
    pub(crate) fn open(settings: &Settings, address: SocketAddr) -> Result<Self, StartError> {
        let temporary = if settings.data_dir.is_none() { Some(temporary_folder()?) } else { None };
        let data = temporary.as_ref().map(TempDir::path).or(settings.data_dir.as_deref());
        let data = data.expect("there is a temporary folder if no other").to_owned();
        let (trail, buckets) = check(settings, &data)?;
        data_folder::create(&data)?;
        let url = format!("{}://{address}", settings.tls.mode.scheme());
        let locks = lock(settings, [&data, &trail, &buckets], &url)?;
        Ok(Self { data, trail, buckets, locks, temporary })
    }

    /// Returns the folder of the repositories and the database.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the folder of the trail.
    pub(crate) fn trail(&self) -> &Path {
        &self.trail
    }

    /// Returns the folder of the buckets other than the trail's.
    pub(crate) fn buckets(&self) -> &Path {
        &self.buckets
    }

    /// Returns the folder of a bucket of this machine.
    pub(crate) fn bucket(&self, settings: &Settings, name: &str) -> PathBuf {
        if name == settings.trail_bucket { self.trail.clone() } else { self.buckets.join(name) }
    }

    /// Lets other servers use the folders, and removes a temporary one.
    pub(crate) fn close(self) {
        let Self { locks, temporary, .. } = self;
        drop(locks);
        drop(temporary);
    }
}

fn temporary_folder() -> Result<TempDir, StartError> {
    let parent = std::env::temp_dir();
    let folder = tempfile::Builder::new().prefix("codecommit-local-").tempdir_in(&parent);
    folder.map_err(|source| StartError::TemporaryFolder { parent, source })
}

/// Returns the folder of buckets that the settings name, by default `buckets` beside the trail folder.
fn buckets_folder(settings: &Settings, trail: &Path) -> io::Result<PathBuf> {
    match &settings.buckets_dir {
        Some(folder) => Ok(folder.clone()),
        None if trail.file_name().is_some() => Ok(trail.with_file_name("buckets")),
        // A path such as `.` shows its parent only when it is resolved.
        None => Ok(overlap::resolve(trail)?.with_file_name("buckets")),
    }
}

/// Locks the data, trail and buckets folders; those of the trail and of buckets together with others that use the same database on a server.
///
/// A default folder of buckets that this user cannot write needs no lock: no bucket can be created in it.
fn lock(settings: &Settings, [data, trail, buckets]: [&Path; 3], url: &str) -> Result<Vec<FolderLock>, StartError> {
    let shared = settings.database.as_ref().map(ToString::to_string);
    let take = |setting, folder, name| match &shared {
        None => FolderLock::take(setting, folder, name, url),
        Some(database) => FolderLock::share(setting, folder, name, database),
    };
    let mut locks = vec![FolderLock::take("--data-dir", data, "lock", url)?, take("--trail-dir", trail, trail::LOCK)?];
    match take("--buckets-dir", buckets, BUCKETS_LOCK) {
        Ok(lock) => locks.push(lock),
        Err(StartError::Folder { source, .. })
            if settings.buckets_dir.is_none()
                && matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {}
        Err(error) => return Err(error),
    }
    Ok(locks)
}

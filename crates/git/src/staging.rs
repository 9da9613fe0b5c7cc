//! Folders in which a push is unpacked before any reader sees it.
//!
//! **Invariant:** a staging folder lives as long as its [`Staging`]; those that a killed process left are
//! swept when the repository is opened again.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

const PREFIX: &str = "incoming-";

/// The folders of this process.
static LIVE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A folder beside the objects; removed on drop.
pub(crate) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes a folder in `objects`.
    pub(crate) fn create(objects: &Path) -> io::Result<Self> {
        loop {
            let path = objects.join(format!("{PREFIX}{}", NEXT.fetch_add(1, Ordering::Relaxed)));
            let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
            match fs::create_dir(&path) {
                Ok(()) => {
                    live.get_or_insert_default().insert(path.clone());
                    return Ok(Self { path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A folder that cannot be removed now is swept at the next start.
        drop(fs::remove_dir_all(&self.path));
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().remove(&self.path);
    }
}

/// Removes the staging folders in `objects` that no push of this process uses.
pub(crate) fn sweep(objects: &Path) -> io::Result<()> {
    let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    for entry in fs::read_dir(objects)? {
        let entry = entry?;
        let stale = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && !live.as_ref().is_some_and(|live| live.contains(&entry.path()));
        if stale {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stale_folders_are_swept() {
        let objects = tempfile::tempdir().expect("a temporary folder");
        let objects = fs::canonicalize(objects.path()).map(|path| (objects, path)).expect("an existing folder");
        fs::create_dir_all(objects.1.join("incoming-x/y")).expect("a writable folder");
        let staging = Staging::create(&objects.1).expect("a staging folder");
        sweep(&objects.1).expect("a readable folder");
        assert!(!objects.1.join("incoming-x").exists());
        assert!(staging.path().exists());
        let path = staging.path().to_owned();
        drop(staging);
        assert!(!path.exists());
    }
}

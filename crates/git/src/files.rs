//! File operations that must leave a sound repository after a crash.
//!
//! **Invariant:** each change in the folder of a repository is made here, so that the crash tests can end the process
//! before each of these steps.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Creates a folder in an existing one.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    step();
    fs::create_dir(path)
}

/// Writes a small file; replaces an existing one.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    step();
    fs::write(path, content)
}

/// Renames a file; replaces an existing one.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step();
    fs::rename(from, to)
}

/// Removes a file, if it exists.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step();
    ignore_missing(fs::remove_file(path))
}

/// Removes a folder with its content, if it exists.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    step();
    ignore_missing(fs::remove_dir_all(path))
}

/// Flushes a file to the disk.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    step();
    File::open(path)?.sync_all()
}

/// Flushes the entries of a folder to the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    sync(path)
}

/// Does nothing: on this system a folder cannot be opened, and so not flushed.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a file read-only, as Git does with packs.
pub(crate) fn make_read_only(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions)
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A step before which a crash test can end the process.
#[cfg(not(test))]
fn step() {}

#[cfg(test)]
use crash::step;

#[cfg(test)]
pub(crate) mod crash {
    //! Ends the process, as a crash does, before the step whose number is in the environment.

    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    /// The environment variable with the number of the step, counted from 1.
    pub(crate) const BEFORE: &str = "GIT_TEST_CRASH_BEFORE";

    static TAKEN: AtomicU64 = AtomicU64::new(0);
    static LAST: OnceLock<Option<u64>> = OnceLock::new();

    pub(super) fn step() {
        let last = LAST.get_or_init(|| std::env::var(BEFORE).ok()?.parse().ok());
        let step = TAKEN.fetch_add(1, Ordering::Relaxed) + 1;
        if last.is_some_and(|last| step >= last) {
            std::process::abort();
        }
    }

    /// Returns the number of steps that this process has reached.
    pub(crate) fn steps() -> u64 {
        TAKEN.load(Ordering::Relaxed)
    }
}

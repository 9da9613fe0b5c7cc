//! The file operations that have to survive a crash.
//!
//! **Invariant:** whatever changes the folder of a repository goes through here, so that the crash tests can end
//! the process before each of these steps.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Makes a folder whose parent exists.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    step();
    fs::create_dir(path)
}

/// Writes a small file, in place of what was there.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    step();
    fs::write(path, content)
}

/// Gives a file another name; what had that name is replaced.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step();
    fs::rename(from, to)
}

/// Removes a file; that it is gone already is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step();
    absent_is_fine(fs::remove_file(path))
}

/// Removes a folder with all that is in it; that it is gone already is no error.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    step();
    absent_is_fine(fs::remove_dir_all(path))
}

/// Flushes a file to the disk.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    step();
    File::open(path)?.sync_all()
}

/// Flushes the names in a folder to the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    sync(path)
}

/// Elsewhere folders cannot be opened to be flushed.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Packs are read-only files, as Git makes them.
pub(crate) fn make_read_only(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions)
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A place where a crash test may end the process.
#[cfg(not(test))]
fn step() {}

#[cfg(test)]
use crash::step;

#[cfg(test)]
pub(crate) mod crash {
    //! Ends the process, as a crash would, before the step whose number is in the environment.

    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    /// The variable that holds the number of the step, counted from 1.
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

    /// Gives the number of steps that this process took.
    pub(crate) fn steps() -> u64 {
        TAKEN.load(Ordering::Relaxed)
    }
}

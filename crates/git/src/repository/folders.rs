//! The folders that hold the objects of a repository: its own, and those that it borrows from.
//!
//! **Invariant:** the own folder is the first, and each folder is listed once, so that a ring of repositories that
//! borrow from each other is harmless.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How far repositories may borrow from repositories that borrow, as in Git.
const DEPTH_MAX: usize = 5;

/// A change this soon after another one may leave a folder's time as it was: file systems take the time from a clock
/// that ticks, some of them in whole seconds.
const TICK: Duration = Duration::from_millis(20);
const COARSE_TICK: Duration = Duration::from_secs(2);

/// Lists the folders; one that is borrowed and cannot be read is left out, as Git does.
///
/// Gives for each whether it was found; those that were not may appear later.
pub(super) fn list(objects: &Path) -> Vec<PathBuf> {
    let mut found = vec![objects.to_owned()];
    let mut level = 0..1;
    for _ in 0..DEPTH_MAX {
        for at in level.clone() {
            for path in alternates(&found[at]) {
                let path = fs::canonicalize(&path).unwrap_or(path);
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        level = level.end..found.len();
    }
    found
}

/// Reads which folders a folder borrows from; relative paths start at the folder itself.
fn alternates(folder: &Path) -> Vec<PathBuf> {
    let Ok(text) = fs::read(folder.join("info/alternates")) else { return Vec::new() };
    gix::odb::alternate::parse(&text)
        .map(|paths| paths.into_iter().map(|path| folder.join(path)).collect())
        .unwrap_or_default()
}

/// What the file system tells of the folders without their being read.
pub(super) struct Stamp {
    marks: Vec<Option<Mark>>,
    /// Whether the folders were read without a failure.
    sound: bool,
    /// Whether every later change shows.
    settled: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Mark {
    modified: SystemTime,
    bytes: u64,
    file: u64,
}

impl Stamp {
    /// Looks at the folders; to be called before they are read.
    pub(super) fn of(folders: &[PathBuf]) -> Self {
        let now = SystemTime::now();
        let paths = folders.iter().flat_map(|folder| [folder.join("pack"), folder.join("info/alternates")]);
        let marks: Vec<_> = paths.map(|path| mark(&path).ok()).collect();
        let recent = |mark: &Mark| {
            let age = now.duration_since(mark.modified).unwrap_or_else(|future| future.duration());
            let since = mark.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            age < if since.subsec_nanos() == 0 { COARSE_TICK } else { TICK }
        };
        let settled = !marks.iter().flatten().any(recent);
        Self { marks, sound: true, settled }
    }

    /// Tells whether every change after the folders were looked at shows.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Tells whether the folders are as they were.
    pub(super) fn shows(&self, earlier: &Self) -> bool {
        earlier.sound && self.marks == earlier.marks
    }

    /// Makes sure that the folders are read again.
    pub(super) fn distrust(&mut self) {
        (self.sound, self.settled) = (false, false);
    }
}

fn mark(path: &Path) -> io::Result<Mark> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let file = 0;
    Ok(Mark { modified: metadata.modified()?, bytes: metadata.len(), file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_and_rings_are_followed() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let root = fs::canonicalize(root.path()).map(|path| (root, path)).expect("an existing folder").1;
        for (name, text) in [("a", "# it\n\n../b\n"), ("b", "\"../c\"\n../missing\n"), ("c", "../a\n")] {
            fs::create_dir_all(root.join(name).join("info")).expect("a writable folder");
            fs::write(root.join(name).join("info/alternates"), text).expect("a writable folder");
        }
        let names: Vec<_> =
            list(&root.join("a")).iter().map(|path| path.strip_prefix(&root).map(Path::to_owned)).collect();
        assert_eq!(names.len(), 4);
        assert_eq!(names[1], Ok("b".into()));
        assert_eq!(names[2], Ok("c".into()));
    }
}

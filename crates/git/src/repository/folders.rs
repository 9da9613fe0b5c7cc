//! The object folders of a repository: its own, and its alternates.
//!
//! **Invariant:** the repository's own folder is the first, and each folder is listed once, so that repositories may be
//! alternates of each other.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The maximum depth of alternates of alternates, as in Git.
const DEPTH_MAX: usize = 5;

/// The time after a change in which another change may not show in the modification time: file systems use a clock of low
/// resolution, some of whole seconds.
const TICK: Duration = Duration::from_millis(20);
const COARSE_TICK: Duration = Duration::from_secs(2);

/// Lists the folders, including alternates that do not exist yet.
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

/// Reads the alternates of a folder; relative paths start at the folder itself.
fn alternates(folder: &Path) -> Vec<PathBuf> {
    let Ok(text) = fs::read(folder.join("info/alternates")) else { return Vec::new() };
    gix::odb::alternate::parse(&text)
        .map(|paths| paths.into_iter().map(|path| folder.join(path)).collect())
        .unwrap_or_default()
}

/// The metadata of the folders, which shows changes without reading the folders.
pub(super) struct Stamp {
    marks: Vec<Option<Mark>>,
    /// Whether the folders were read without a failure.
    is_reliable: bool,
    /// Whether every later change shows.
    is_settled: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Mark {
    modified: SystemTime,
    bytes: u64,
    file: u64,
}

impl Stamp {
    /// Reads the metadata; must be called before the folders are read.
    pub(super) fn of(folders: &[PathBuf]) -> Self {
        let now = SystemTime::now();
        let paths = folders.iter().flat_map(|folder| [folder.join("pack"), folder.join("info/alternates")]);
        let marks: Vec<_> = paths.map(|path| mark(&path).ok()).collect();
        let recent = |mark: &Mark| {
            let age = now.duration_since(mark.modified).unwrap_or_else(|future| future.duration());
            let since = mark.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            age < if since.subsec_nanos() == 0 { COARSE_TICK } else { TICK }
        };
        let is_settled = !marks.iter().flatten().any(recent);
        Self { marks, is_reliable: true, is_settled }
    }

    /// Returns whether every change after the metadata was read shows.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Returns whether the folders have not changed since `earlier`.
    pub(super) fn equals(&self, earlier: &Self) -> bool {
        earlier.is_reliable && self.marks == earlier.marks
    }

    /// Causes the folders to be read again.
    pub(super) fn distrust(&mut self) {
        (self.is_reliable, self.is_settled) = (false, false);
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
    fn chains_and_cycles_of_alternates_are_followed() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let root = fs::canonicalize(root.path()).map(|path| (root, path)).expect("an existing folder").1;
        for (name, text) in [("a", "# a comment\n\n../b\n"), ("b", "\"../c\"\n../missing\n"), ("c", "../a\n")] {
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

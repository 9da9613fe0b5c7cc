//! The versions of three trees at one path.

use bstr::{BStr, BString, ByteSlice};

use super::FileVersion;
use crate::Mode;

/// The indices of the three trees.
pub(super) const BASE: usize = 0;
pub(super) const OURS: usize = 1;
pub(super) const THEIRS: usize = 2;

/// A set of the three trees: 1 for the ancestor's, 2 for ours, 4 for theirs.
pub(super) type TreeSet = u8;

pub(super) const fn bit(tree: usize) -> TreeSet {
    1 << tree
}

/// The versions of three trees at one path, and the result of their merge.
#[derive(Debug, Clone, Default)]
pub(super) struct MergeEntry {
    /// The files, links and submodules at the path.
    pub(super) versions: [Option<FileVersion>; 3],
    /// The original paths of the versions, if they differ.
    pub(super) origins: [Option<BString>; 3],
    /// The trees with a folder at the path.
    pub(super) folders: TreeSet,
    /// The trees with equal versions, before renames are considered.
    pub(super) same: TreeSet,
    /// Whether it is unclear if this is the right path.
    pub(super) is_misplaced: bool,
    pub(super) conflicts_in_content: bool,
    pub(super) conflicts_in_mode: bool,
    /// The result.
    pub(super) resolution: Resolution,
}

/// The result of the merge at a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Resolution {
    /// Not decided yet.
    #[default]
    Open,
    /// The version, or `None` for no entry.
    Settled(Option<FileVersion>),
}

impl MergeEntry {
    pub(super) fn new(versions: [Option<FileVersion>; 3], folders: TreeSet) -> Self {
        let [base, ours, theirs] = versions;
        let same = |one: Option<FileVersion>, other: Option<FileVersion>| one.is_some() && one == other;
        let mut entry = Self { versions, folders, ..Self::default() };
        entry.same = match (same(base, ours), same(base, theirs), same(ours, theirs)) {
            (true, true, _) => 7,
            (true, ..) => 3,
            (_, true, _) => 5,
            (.., true) => 6,
            _ => 0,
        };
        // If all trees have the path, it is neither source nor target of a rename.
        if entry.files() == 7 && entry.same != 0 {
            entry.resolution = Resolution::Settled(if entry.same == 3 { theirs } else { ours });
        }
        entry
    }

    /// Returns the trees with a version.
    pub(super) fn files(&self) -> TreeSet {
        self.versions.iter().enumerate().filter(|(_, version)| version.is_some()).map(|(tree, _)| bit(tree)).sum()
    }

    /// Returns the original path of each version; `path` is the current one.
    pub(super) fn paths<'e>(&'e self, path: &'e BStr) -> [&'e BStr; 3] {
        [BASE, OURS, THEIRS].map(|tree| self.origins[tree].as_ref().map_or(path, |origin| origin.as_bstr()))
    }

    /// Removes the entry from its path.
    pub(super) fn remove(&mut self) {
        self.resolution = Resolution::Settled(None);
    }
}

/// The type of an entry; only versions of the same type can be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileType {
    File,
    Link,
    Submodule,
}

pub(super) fn file_type((mode, _): FileVersion) -> FileType {
    match mode {
        Mode::Symlink => FileType::Link,
        Mode::Submodule => FileType::Submodule,
        Mode::File | Mode::Executable | Mode::Tree => FileType::File,
    }
}

/// Returns the parent folder of a path; the root is empty.
pub(super) fn parent(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |end| &path[..end])
}

/// Returns the last part of a path.
pub(super) fn name(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(path, |end| &path[end + 1..])
}

pub(super) fn join(folder: &BStr, name: &BStr) -> BString {
    if folder.is_empty() { name.to_owned() } else { bstr::join("/", [folder, name]).into() }
}

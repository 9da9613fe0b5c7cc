//! What three trees have at one path, and what comes of it.

use bstr::{BStr, BString, ByteSlice};

use super::FileVersion;
use crate::Mode;

/// The places of the three trees, and their bits in sets of them.
pub(super) const BASE: usize = 0;
pub(super) const OURS: usize = 1;
pub(super) const THEIRS: usize = 2;

/// A set of the three trees: 1 for the ancestor's, 2 for ours, 4 for theirs.
pub(super) type TreeSet = u8;

pub(super) const fn bit(tree: usize) -> TreeSet {
    1 << tree
}

/// What three trees have at one path.
#[derive(Debug, Clone, Default)]
pub(super) struct MergeEntry {
    /// What is there that is no folder.
    pub(super) versions: [Option<FileVersion>; 3],
    /// Where the versions come from, if it is another path.
    pub(super) origins: [Option<BString>; 3],
    /// Which trees have a folder there.
    pub(super) folders: TreeSet,
    /// Which trees have the same there, before any renames are known.
    pub(super) same: TreeSet,
    /// Whether it is to be decided if this is the right path.
    pub(super) is_misplaced: bool,
    pub(super) conflicts_in_content: bool,
    pub(super) conflicts_in_mode: bool,
    /// What comes of it.
    pub(super) resolution: Resolution,
}

/// What comes of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Resolution {
    /// That remains to be decided.
    #[default]
    Open,
    /// The version, or nothing.
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
        // Where nothing was deleted, no rename can begin or end.
        if entry.files() == 7 && entry.same != 0 {
            entry.resolution = Resolution::Settled(if entry.same == 3 { theirs } else { ours });
        }
        entry
    }

    /// Tells which trees have a version.
    pub(super) fn files(&self) -> TreeSet {
        self.versions.iter().enumerate().filter(|(_, version)| version.is_some()).map(|(tree, _)| bit(tree)).sum()
    }

    /// Tells where each version is from, given where it is now.
    pub(super) fn paths<'e>(&'e self, path: &'e BStr) -> [&'e BStr; 3] {
        [BASE, OURS, THEIRS].map(|tree| self.origins[tree].as_ref().map_or(path, |origin| origin.as_bstr()))
    }

    /// Makes it gone from its path, and nothing more to decide.
    pub(super) fn remove(&mut self) {
        self.resolution = Resolution::Settled(None);
    }
}

/// What a version is, for those who ask whether two can be merged.
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

/// The folder that a path is in; the root is empty.
pub(super) fn parent(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |end| &path[..end])
}

/// The last part of a path.
pub(super) fn name(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(path, |end| &path[end + 1..])
}

pub(super) fn join(folder: &BStr, name: &BStr) -> BString {
    if folder.is_empty() { name.to_owned() } else { bstr::join("/", [folder, name]).into() }
}

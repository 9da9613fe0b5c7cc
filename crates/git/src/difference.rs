//! The files that differ between two trees.

use std::{cmp::Ordering, collections::HashSet};

use bstr::{BStr, BString};
use gix::{ObjectId, hash::oid};

use crate::{
    Error, FileVersion, Mode,
    object_links::TreeEntry,
    reader::Reader,
    tree_comparison::order,
    tree_levels::{Level, Levels, TreeCursor},
};

/// A file that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path.
    pub path: BString,
    /// Its version in the first tree; `None` if the file was added.
    pub before: Option<FileVersion>,
    /// Its version in the second tree; `None` if the file was deleted.
    pub after: Option<FileVersion>,
}

/// An iterator over the files that differ between two trees, in the order of their paths.
///
/// Symbolic links and submodules count as files. Folders that are the same in both trees are not read.
pub struct Differences {
    levels: Levels<FolderPair>,
    /// The path of the current folder, with a trailing slash.
    folder: BString,
    /// Only files after this path are reported.
    start: BString,
    /// Pairs of different trees whose files are all equal, such as folders without files. Each pair is compared once, even
    /// if it occurs at many paths.
    equal: HashSet<TreePair>,
}

/// The maximum number of remembered pairs.
const EQUAL_MAX: usize = 1 << 16;

/// The trees of both sides at one path, if they exist.
type TreePair = [Option<ObjectId>; 2];

/// A pair of folders at the same path.
struct FolderPair {
    sides: [TreeCursor; 2],
    /// The length of the path of the parent folder.
    parent_path_bytes: usize,
    /// Whether a file differs in them, or may differ in a part that was skipped.
    differ: bool,
}

impl Level for FolderPair {
    fn cursors(&mut self) -> &mut [TreeCursor] {
        &mut self.sides
    }
}

impl Differences {
    /// Compares two trees; a missing tree counts as empty. Only files after the path `start` are reported; it is empty for
    /// all files.
    pub fn new(
        reader: &mut Reader,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
        start: &BStr,
    ) -> Result<Self, Error> {
        let mut differences = Self {
            levels: Levels::default(),
            folder: BString::default(),
            start: start.to_owned(),
            equal: HashSet::new(),
        };
        if before != after {
            differences.enter(reader, b"".into(), [before, after])?;
        }
        Ok(differences)
    }

    /// Returns the next difference.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<Difference>, Error> {
        while let Some(folders) = self.levels.last(reader)? {
            let Some((name, before, after)) = folders.next_pair()? else {
                self.leave(reader)?;
                continue;
            };
            let tree = |side: Option<FileVersion>| side.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id);
            let trees = [tree(before), tree(after)];
            if trees.iter().any(Option::is_some) {
                if !self.equal.contains(&trees) && !self.enter(reader, name.as_ref(), trees)? {
                    self.note_difference(reader)?;
                }
                continue;
            }
            folders.differ = true;
            let path: BString = [self.folder.as_slice(), &name].concat().into();
            if path > self.start {
                return Ok(Some(Difference { path, before, after }));
            }
        }
        Ok(None)
    }

    /// Enters a pair of folders and returns `true`, unless all their files come before the start.
    fn enter(&mut self, reader: &mut Reader, name: &BStr, trees: TreePair) -> Result<bool, Error> {
        let parent_path_bytes = self.folder.len();
        if !self.levels.is_empty() {
            self.folder.extend_from_slice(name);
            self.folder.push(b'/');
        }
        if self.folder < self.start && !self.start.starts_with(&self.folder) {
            self.folder.truncate(parent_path_bytes);
            return Ok(false);
        }
        let sides = [TreeCursor::open(reader, trees[0])?, TreeCursor::open(reader, trees[1])?];
        self.levels.push(FolderPair { sides, parent_path_bytes, differ: false });
        Ok(true)
    }

    /// Leaves a pair of folders, and remembers it if all its files are equal.
    fn leave(&mut self, reader: &mut Reader) -> Result<(), Error> {
        let Some(FolderPair { sides: [before, after], parent_path_bytes, differ }) = self.levels.pop() else {
            return Ok(());
        };
        self.folder.truncate(parent_path_bytes);
        if differ {
            return self.note_difference(reader);
        }
        if self.equal.len() == EQUAL_MAX {
            self.equal.clear();
        }
        self.equal.insert([before.id(), after.id()]);
        Ok(())
    }

    /// Notes that a file of the current pair of folders differs or may differ.
    fn note_difference(&mut self, reader: &mut Reader) -> Result<(), Error> {
        if let Some(folders) = self.levels.last(reader)? {
            folders.differ = true;
        }
        Ok(())
    }
}

/// A name, with its versions on both sides.
type NamedPair = (BString, Option<FileVersion>, Option<FileVersion>);

impl FolderPair {
    /// Takes the next entries that differ: one from each side if name and kind are equal, otherwise the first of both.
    fn next_pair(&mut self) -> Result<Option<NamedPair>, Error> {
        loop {
            let [before, after] = &self.sides;
            let (before, after) = (before.peek()?, after.peek()?);
            let order = match (&before, &after) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((before, _)), Some((after, _))) => order(before, after),
            };
            let version = |entry: &TreeEntry<'_>| (Mode::of(entry.mode), entry.id.to_owned());
            let before =
                before.filter(|_| order != Ordering::Greater).map(|(entry, end)| (entry.name, version(&entry), end));
            let after =
                after.filter(|_| order != Ordering::Less).map(|(entry, end)| (entry.name, version(&entry), end));
            let name = before.as_ref().or(after.as_ref()).map(|(name, ..)| *name).unwrap_or_default();
            let same = before.as_ref().map(|(_, version, _)| version) == after.as_ref().map(|(_, version, _)| version);
            let name: BString = if same { BString::default() } else { name.into() };
            let ends = [&before, &after].map(|side| side.as_ref().map(|(_, _, end)| *end));
            let (before, after) = (before.map(|(_, version, _)| version), after.map(|(_, version, _)| version));
            for (side, end) in self.sides.iter_mut().zip(ends) {
                if let Some(end) = end {
                    side.go_to(end);
                }
            }
            if !same {
                return Ok(Some((name, before, after)));
            }
        }
    }
}

impl Reader {
    /// Lists all files that differ between two trees; a missing tree counts as empty.
    pub fn differences(&mut self, before: Option<&oid>, after: Option<&oid>) -> Result<Vec<Difference>, Error> {
        let owned = |id: Option<&oid>| id.map(oid::to_owned);
        let mut differences = Differences::new(self, owned(before), owned(after), b"".into())?;
        let mut all = Vec::new();
        while let Some(difference) = differences.next(self)? {
            all.push(difference);
        }
        Ok(all)
    }
}

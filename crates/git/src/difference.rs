//! The files in which two trees differ.

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

/// A file that is not the same in two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is.
    pub path: BString,
    /// What it is in the first tree; nothing if it is added.
    pub before: Option<FileVersion>,
    /// What it is in the second tree; nothing if it is deleted.
    pub after: Option<FileVersion>,
}

/// The files in which two trees differ, in the order of their paths.
///
/// Symbolic links and submodules count as files. Folders that are the same in both trees are not read.
pub struct Differences {
    levels: Levels<FolderPair>,
    /// The path of the folder of the last level, with a slash at its end.
    folder: BString,
    /// Only what comes after this path is found.
    start: BString,
    /// Pairs of trees in which no file differs, such as folders without files; they may be in any number of places.
    alike: HashSet<TreePair>,
}

/// How many pairs are remembered.
const ALIKE_MAX: usize = 1 << 16;

/// The trees of both sides at one path.
type TreePair = [Option<ObjectId>; 2];

/// A pair of folders at the same path.
struct FolderPair {
    sides: [TreeCursor; 2],
    /// The length of the path of the folder above.
    above_bytes: usize,
    /// Whether a file differs in them, or may.
    differ: bool,
}

impl Level for FolderPair {
    fn cursors(&mut self) -> &mut [TreeCursor] {
        &mut self.sides
    }
}

impl Differences {
    /// Compares two trees; what is missing is empty. `start` is a path after which to begin, empty for all.
    pub fn new(
        reader: &mut Reader,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
        start: &BStr,
    ) -> Result<Self, Error> {
        let mut all = Self {
            levels: Levels::default(),
            folder: BString::default(),
            start: start.to_owned(),
            alike: HashSet::new(),
        };
        if before != after {
            all.enter(reader, b"".into(), [before, after])?;
        }
        Ok(all)
    }

    /// Finds the next one.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<Difference>, Error> {
        while let Some(folders) = self.levels.last(reader)? {
            let Some((name, before, after)) = folders.pair()? else {
                self.leave(reader)?;
                continue;
            };
            let tree = |side: Option<FileVersion>| side.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id);
            let trees = [tree(before), tree(after)];
            if trees.iter().any(Option::is_some) {
                if !self.alike.contains(&trees) && !self.enter(reader, name.as_ref(), trees)? {
                    self.differ(reader)?;
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

    /// Goes down into a pair of folders, unless all that is in them comes before the start; tells whether it did.
    fn enter(&mut self, reader: &mut Reader, name: &BStr, trees: TreePair) -> Result<bool, Error> {
        let above_bytes = self.folder.len();
        if !self.levels.is_empty() {
            self.folder.extend_from_slice(name);
            self.folder.push(b'/');
        }
        if self.folder < self.start && !self.start.starts_with(&self.folder) {
            self.folder.truncate(above_bytes);
            return Ok(false);
        }
        let sides = [TreeCursor::open(reader, trees[0])?, TreeCursor::open(reader, trees[1])?];
        self.levels.push(FolderPair { sides, above_bytes, differ: false });
        Ok(true)
    }

    /// Goes back up, and remembers a pair of folders in which no file differs.
    fn leave(&mut self, reader: &mut Reader) -> Result<(), Error> {
        let Some(FolderPair { sides: [before, after], above_bytes, differ }) = self.levels.pop() else { return Ok(()) };
        self.folder.truncate(above_bytes);
        if differ {
            return self.differ(reader);
        }
        if self.alike.len() == ALIKE_MAX {
            self.alike.clear();
        }
        self.alike.insert([before.id(), after.id()]);
        Ok(())
    }

    /// Notes that a file differs in the last pair of folders, or may.
    fn differ(&mut self, reader: &mut Reader) -> Result<(), Error> {
        if let Some(folders) = self.levels.last(reader)? {
            folders.differ = true;
        }
        Ok(())
    }
}

/// A name, and what has it on either side.
type NamedPair = (BString, Option<FileVersion>, Option<FileVersion>);

impl FolderPair {
    /// Takes the next entries that differ, one of each side if they have the same name and kind.
    fn pair(&mut self) -> Result<Option<NamedPair>, Error> {
        loop {
            let [before, after] = &self.sides;
            let (before, after) = (before.peek()?, after.peek()?);
            let order = match (&before, &after) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((before, _)), Some((after, _))) => order(before, after),
            };
            let what = |entry: &TreeEntry<'_>| (Mode::of(entry.mode), entry.id.to_owned());
            let before =
                before.filter(|_| order != Ordering::Greater).map(|(entry, end)| (entry.name, what(&entry), end));
            let after = after.filter(|_| order != Ordering::Less).map(|(entry, end)| (entry.name, what(&entry), end));
            let name = before.as_ref().or(after.as_ref()).map(|(name, ..)| *name).unwrap_or_default();
            let same = before.as_ref().map(|(_, what, _)| what) == after.as_ref().map(|(_, what, _)| what);
            let name: BString = if same { BString::default() } else { name.into() };
            let ends = [&before, &after].map(|side| side.as_ref().map(|(_, _, end)| *end));
            let (before, after) = (before.map(|(_, what, _)| what), after.map(|(_, what, _)| what));
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
    /// Lists all the files in which two trees differ; what is missing is empty.
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

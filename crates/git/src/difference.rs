//! The files in which two trees differ.

use std::cmp::Ordering;

use bstr::{BStr, BString};
use gix::{ObjectId, hash::oid};

use crate::{
    Error, Kind, Mode,
    links::{TreeEntries, TreeEntry},
    reader::Reader,
    trees::order,
};

/// A file that is not the same in two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is.
    pub path: BString,
    /// What it is in the first tree; nothing if it is added.
    pub before: Option<(Mode, ObjectId)>,
    /// What it is in the second tree; nothing if it is deleted.
    pub after: Option<(Mode, ObjectId)>,
}

/// The files in which two trees differ, in the order of their paths.
///
/// Symbolic links and submodules count as files. Folders that are the same in both trees are not read.
pub struct Differences {
    levels: Vec<Level>,
    /// The path of the folder of the last level, with a slash at its end.
    folder: BString,
    /// Only what comes after this path is found.
    start: BString,
}

/// A pair of trees at the same path.
struct Level {
    before: Side,
    after: Side,
    /// The length of the path of the folder above.
    above_bytes: usize,
}

/// The entries of a tree that were not looked at yet; none if there is no tree.
#[derive(Default)]
struct Side {
    id: Option<ObjectId>,
    data: Vec<u8>,
    at: usize,
}

impl Differences {
    /// Compares two trees; what is missing is empty. `start` is a path after which to begin, empty for all.
    pub fn new(
        reader: &mut Reader,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
        start: &BStr,
    ) -> Result<Self, Error> {
        let mut all = Self { levels: Vec::new(), folder: BString::default(), start: start.to_owned() };
        if before != after {
            all.enter(reader, b"".into(), before, after)?;
        }
        Ok(all)
    }

    /// Finds the next one.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<Difference>, Error> {
        while let Some(level) = self.levels.last_mut() {
            let Some((name, before, after)) = level.pair()? else {
                self.folder.truncate(level.above_bytes);
                self.levels.pop();
                continue;
            };
            let tree = |side: Option<(Mode, ObjectId)>| side.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id);
            let (before_tree, after_tree) = (tree(before), tree(after));
            if before_tree.is_some() || after_tree.is_some() {
                self.enter(reader, name.as_ref(), before_tree, after_tree)?;
                continue;
            }
            let path: BString = [self.folder.as_slice(), &name].concat().into();
            if path > self.start {
                return Ok(Some(Difference { path, before, after }));
            }
        }
        Ok(None)
    }

    /// Goes down into a pair of folders, unless all that is in them comes before the start.
    fn enter(
        &mut self,
        reader: &mut Reader,
        name: &BStr,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
    ) -> Result<(), Error> {
        let above_bytes = self.folder.len();
        if !self.levels.is_empty() {
            self.folder.extend_from_slice(name);
            self.folder.push(b'/');
        }
        if self.folder < self.start && !self.start.starts_with(&self.folder) {
            self.folder.truncate(above_bytes);
            return Ok(());
        }
        let (before, after) = (Side::read(reader, before)?, Side::read(reader, after)?);
        self.levels.push(Level { before, after, above_bytes });
        Ok(())
    }
}

/// A name, and what has it on either side.
type Pair = (BString, Option<(Mode, ObjectId)>, Option<(Mode, ObjectId)>);

impl Level {
    /// Takes the next entries that differ, one of each side if they have the same name and kind.
    fn pair(&mut self) -> Result<Option<Pair>, Error> {
        loop {
            let (before, after) = (self.before.peek()?, self.after.peek()?);
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
            for (side, end) in [&mut self.before, &mut self.after].into_iter().zip(ends) {
                side.at = end.unwrap_or(side.at);
            }
            if !same {
                return Ok(Some((name, before, after)));
            }
        }
    }
}

impl Side {
    fn read(reader: &mut Reader, id: Option<ObjectId>) -> Result<Self, Error> {
        let mut side = Self { id, ..Self::default() };
        if let Some(id) = id {
            reader.expect(&id, Kind::Tree, &mut side.data)?;
        }
        Ok(side)
    }

    /// Gives the next entry and where it ends.
    fn peek(&self) -> Result<Option<(TreeEntry<'_>, usize)>, Error> {
        let mut entries = TreeEntries::new(&self.data[self.at..]);
        let Some(entry) = entries.next() else { return Ok(None) };
        let id = self.id.unwrap_or_else(|| ObjectId::null(gix::hash::Kind::Sha1));
        let entry = entry.map_err(|reason| Error::Malformed { id, reason })?;
        Ok(Some((entry, self.data.len() - entries.rest().len())))
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

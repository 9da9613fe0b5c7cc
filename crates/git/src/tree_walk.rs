//! Walking through all entries below a tree, in Git's order.

use bstr::{BStr, BString, ByteSlice};
use gix::hash::oid;

use crate::{
    Entry, Error, Mode,
    reader::Reader,
    tree_levels::{Level, Levels, TreeCursor},
};

/// A walk through a tree. A folder comes before its entries; without `recursive`, folders are not entered.
pub struct TreeWalk {
    levels: Levels<WalkedFolder>,
    /// The path of the last entry.
    path: BString,
    recursive: bool,
}

/// A tree that is being walked.
struct WalkedFolder {
    tree: [TreeCursor; 1],
    /// The length of the folder's path, without a trailing slash.
    path_bytes: usize,
}

impl Level for WalkedFolder {
    fn cursors(&mut self) -> &mut [TreeCursor] {
        &mut self.tree
    }
}

/// An entry with its path below the root of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkedEntry {
    /// The path.
    pub path: BString,
    /// The entry.
    pub entry: Entry,
}

impl TreeWalk {
    /// Starts at a tree.
    pub fn new(reader: &mut Reader, tree: &oid, recursive: bool) -> Result<Self, Error> {
        let mut levels = Levels::default();
        levels.push(WalkedFolder { tree: [TreeCursor::open(reader, Some(tree.to_owned()))?], path_bytes: 0 });
        Ok(Self { levels, path: BString::default(), recursive })
    }

    /// Returns the next entry with its path.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<WalkedEntry>, Error> {
        Ok(self.advance(reader)?.map(|entry| WalkedEntry { path: self.path.clone(), entry }))
    }

    /// Returns the next entry; [`TreeWalk::path`] then returns its path.
    pub fn advance(&mut self, reader: &mut Reader) -> Result<Option<Entry>, Error> {
        while let Some(folder) = self.levels.last(reader)? {
            let Some((entry, end)) = folder.tree[0].peek()? else {
                self.levels.pop();
                continue;
            };
            let entry = Entry::of(&entry);
            folder.tree[0].go_to(end);
            self.path.truncate(folder.path_bytes);
            if folder.path_bytes > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&entry.name);
            if self.recursive && entry.mode == Mode::Tree {
                let tree = [TreeCursor::open(reader, Some(entry.id))?];
                self.levels.push(WalkedFolder { tree, path_bytes: self.path.len() });
            }
            return Ok(Some(entry));
        }
        Ok(None)
    }

    /// Returns the path of the last entry, below the root of the walk.
    pub fn path(&self) -> &BStr {
        self.path.as_bstr()
    }
}

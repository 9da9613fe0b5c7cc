//! Everything below a tree, entry by entry in Git's order.

use std::vec::IntoIter;

use bstr::BString;
use gix::hash::oid;

use crate::{Entry, Error, Mode, reader::Reader};

/// A walk through a tree: a folder goes before what is in it, if folders are entered at all.
pub struct TreeWalk {
    /// The trees that the walk is in: the path of each with a slash, and what is left of it.
    levels: Vec<(BString, IntoIter<Entry>)>,
    recursive: bool,
}

/// An entry with its path below the tree that is walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The path.
    pub path: BString,
    /// The entry.
    pub entry: Entry,
}

impl TreeWalk {
    /// Begins with a tree.
    pub fn new(reader: &mut Reader, tree: &oid, recursive: bool) -> Result<Self, Error> {
        Ok(Self { levels: vec![(BString::default(), reader.tree(tree)?.into_iter())], recursive })
    }

    /// Gives the next entry, if there is one.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<Placed>, Error> {
        while let Some((folder, entries)) = self.levels.last_mut() {
            let Some(entry) = entries.next() else {
                self.levels.pop();
                continue;
            };
            let mut path = folder.clone();
            path.extend_from_slice(&entry.name);
            if self.recursive && entry.mode == Mode::Tree {
                let mut folder = path.clone();
                folder.push(b'/');
                self.levels.push((folder, reader.tree(&entry.id)?.into_iter()));
            }
            return Ok(Some(Placed { path, entry }));
        }
        Ok(None)
    }
}

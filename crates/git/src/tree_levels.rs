//! The stack of trees from the root to the one that is being read.
//!
//! **Invariant:** the trees on the stack take a bounded amount of memory, even if they are deep and wide: when they are too
//! large together, those near the root are released, and read again on the way back.

use gix::ObjectId;

use crate::{
    Error, Kind,
    object_links::{TreeEntries, TreeEntry},
    reader::Reader,
};

/// The maximum size of the trees on one stack, without the last one, in bytes.
const HELD_BYTES_MAX: usize = 32 << 20;

/// The remaining entries of a tree; empty if there is no tree.
pub(crate) struct TreeCursor {
    id: Option<ObjectId>,
    /// `None` while it is released.
    data: Option<Vec<u8>>,
    at: usize,
}

impl TreeCursor {
    /// Starts with the first entry of a tree.
    pub(crate) fn open(reader: &mut Reader, id: Option<ObjectId>) -> Result<Self, Error> {
        let mut cursor = Self { id, data: None, at: 0 };
        cursor.reopen(reader)?;
        Ok(cursor)
    }

    /// Returns the tree, if there is one.
    pub(crate) fn id(&self) -> Option<ObjectId> {
        self.id
    }

    /// Returns the next entry and the position of its end.
    pub(crate) fn peek(&self) -> Result<Option<(TreeEntry<'_>, usize)>, Error> {
        let data = self.data.as_deref().unwrap_or_default();
        let mut entries = TreeEntries::new(&data[self.at..]);
        let Some(entry) = entries.next() else { return Ok(None) };
        let id = self.id.unwrap_or_else(|| ObjectId::null(gix::hash::Kind::Sha1));
        let entry = entry.map_err(|reason| Error::Malformed { id, reason })?;
        Ok(Some((entry, data.len() - entries.rest().len())))
    }

    /// Skips all entries before the position `end`.
    pub(crate) fn go_to(&mut self, end: usize) {
        self.at = end;
    }

    fn reopen(&mut self, reader: &mut Reader) -> Result<(), Error> {
        if self.data.is_none() {
            let mut data = Vec::new();
            if let Some(id) = self.id {
                reader.expect(&id, Kind::Tree, &mut data)?;
            }
            self.data = Some(data);
        }
        Ok(())
    }
}

/// A level of the stack: a tree, or several trees that are read side by side.
pub(crate) trait Level {
    /// Returns the trees of the level.
    fn cursors(&mut self) -> &mut [TreeCursor];
}

/// The stack of levels, the root first.
pub(crate) struct Levels<L> {
    stack: Vec<L>,
    held_bytes: usize,
    /// The number of released levels, counted from the root.
    released: usize,
}

impl<L> Default for Levels<L> {
    fn default() -> Self {
        Self { stack: Vec::new(), held_bytes: 0, released: 0 }
    }
}

fn bytes(level: &mut impl Level) -> usize {
    level.cursors().iter().filter_map(|cursor| cursor.data.as_ref()).map(Vec::len).sum()
}

impl<L: Level> Levels<L> {
    pub(crate) fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// Adds a level.
    pub(crate) fn push(&mut self, mut level: L) {
        self.held_bytes += bytes(&mut level);
        self.stack.push(level);
        while self.held_bytes > HELD_BYTES_MAX && self.released + 1 < self.stack.len() {
            let level = &mut self.stack[self.released];
            self.held_bytes -= bytes(level);
            for cursor in level.cursors() {
                cursor.data = None;
            }
            self.released += 1;
        }
    }

    /// Returns the last level; reads its trees again if they were released.
    pub(crate) fn last(&mut self, reader: &mut Reader) -> Result<Option<&mut L>, Error> {
        let Some(at) = self.stack.len().checked_sub(1) else { return Ok(None) };
        let level = &mut self.stack[at];
        if at < self.released {
            for cursor in level.cursors() {
                cursor.reopen(reader)?;
            }
            self.held_bytes += bytes(level);
            self.released = at;
        }
        Ok(Some(level))
    }

    /// Removes the last level.
    pub(crate) fn pop(&mut self) -> Option<L> {
        let mut level = self.stack.pop()?;
        self.held_bytes -= bytes(&mut level);
        Some(level)
    }
}

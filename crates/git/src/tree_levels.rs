//! The way down through trees to the one that is being read.
//!
//! **Invariant:** the trees on the way take a bounded amount of memory, however deep and wide they are: those near the
//! root are let go when they are too large together, and read again on the way back.

use gix::ObjectId;

use crate::{
    Error, Kind,
    object_links::{TreeEntries, TreeEntry},
    reader::Reader,
};

/// The bytes of trees that are held on one way, beside those of the last tree.
const HELD_BYTES_MAX: usize = 32 << 20;

/// The entries of a tree that were not looked at yet; none if there is no tree.
pub(crate) struct TreeCursor {
    id: Option<ObjectId>,
    /// Nothing while it is let go.
    data: Option<Vec<u8>>,
    at: usize,
}

impl TreeCursor {
    /// Begins with the first entry of a tree.
    pub(crate) fn open(reader: &mut Reader, id: Option<ObjectId>) -> Result<Self, Error> {
        let mut cursor = Self { id, data: None, at: 0 };
        cursor.reopen(reader)?;
        Ok(cursor)
    }

    /// The tree, if there is one.
    pub(crate) fn id(&self) -> Option<ObjectId> {
        self.id
    }

    /// Gives the next entry and where it ends.
    pub(crate) fn peek(&self) -> Result<Option<(TreeEntry<'_>, usize)>, Error> {
        let data = self.data.as_deref().unwrap_or_default();
        let mut entries = TreeEntries::new(&data[self.at..]);
        let Some(entry) = entries.next() else { return Ok(None) };
        let id = self.id.unwrap_or_else(|| ObjectId::null(gix::hash::Kind::Sha1));
        let entry = entry.map_err(|reason| Error::Malformed { id, reason })?;
        Ok(Some((entry, data.len() - entries.rest().len())))
    }

    /// Passes over all that comes before `end`.
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

/// A place on the way: a tree, or several that are read side by side.
pub(crate) trait Level {
    /// The trees of the place.
    fn cursors(&mut self) -> &mut [TreeCursor];
}

/// All places on the way, the root's first.
pub(crate) struct Levels<L> {
    way: Vec<L>,
    held_bytes: usize,
    /// The levels before this one are let go.
    released: usize,
}

impl<L> Default for Levels<L> {
    fn default() -> Self {
        Self { way: Vec::new(), held_bytes: 0, released: 0 }
    }
}

fn bytes(level: &mut impl Level) -> usize {
    level.cursors().iter().filter_map(|cursor| cursor.data.as_ref()).map(Vec::len).sum()
}

impl<L: Level> Levels<L> {
    pub(crate) fn is_empty(&self) -> bool {
        self.way.is_empty()
    }

    /// Goes down to a place.
    pub(crate) fn push(&mut self, mut level: L) {
        self.held_bytes += bytes(&mut level);
        self.way.push(level);
        while self.held_bytes > HELD_BYTES_MAX && self.released + 1 < self.way.len() {
            let level = &mut self.way[self.released];
            self.held_bytes -= bytes(level);
            for cursor in level.cursors() {
                cursor.data = None;
            }
            self.released += 1;
        }
    }

    /// Gives the last place, whose trees are read again if they were let go.
    pub(crate) fn last(&mut self, reader: &mut Reader) -> Result<Option<&mut L>, Error> {
        let Some(at) = self.way.len().checked_sub(1) else { return Ok(None) };
        let level = &mut self.way[at];
        if at < self.released {
            for cursor in level.cursors() {
                cursor.reopen(reader)?;
            }
            self.held_bytes += bytes(level);
            self.released = at;
        }
        Ok(Some(level))
    }

    /// Goes back up from the last place.
    pub(crate) fn pop(&mut self) -> Option<L> {
        let mut level = self.way.pop()?;
        self.held_bytes -= bytes(&mut level);
        Some(level)
    }
}

//! Whether one commit is an ancestor of another one.

use gix::hash::oid;

use crate::{
    Error, Kind, Repository,
    history::History,
    paint::{Marks, Paint},
};

/// The marks of the commits that the new and the old commit lead to.
const FROM_NEW: Marks = 1;
const FROM_OLD: Marks = 2;

impl Repository {
    /// Tells whether `old` is `new` or one of its ancestors, so that moving a branch from `old` to `new` is a fast-forward.
    ///
    /// Reads the commits between the two, and those that both lead to until this is decided. Fails if an object is missing
    /// or is not a commit.
    pub fn is_ancestor(&self, old: &oid, new: &oid) -> Result<bool, Error> {
        let mut reader = self.reader();
        for id in [old, new] {
            match reader.kind(id)? {
                Some(Kind::Commit) => {}
                Some(_) => return Err(Error::other_kind(id)),
                None => return Err(reader.missing(id)),
            }
        }
        let mut history = History::default();
        let (old, new) = (history.node(old), history.node(new));
        // The old commit can only be found below commits that the new one alone leads to.
        let mut paint = Paint::new(|marks| marks == FROM_NEW);
        paint.mark(&mut reader, &mut history, old, FROM_OLD)?;
        paint.mark(&mut reader, &mut history, new, FROM_NEW)?;
        while paint.marks(old) & FROM_NEW == 0
            && let Some((node, marks)) = paint.next()
        {
            paint.mark_parents(&mut reader, &mut history, node, marks)?;
        }
        Ok(paint.marks(old) & FROM_NEW != 0)
    }
}

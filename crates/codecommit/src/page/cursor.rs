//! Cursors in listings that start from one object, such as a commit's history; updates of branches do not affect them.

use git::{Kind, ObjectId, Reader};

use crate::Exception;

/// Object from which a listing starts, and the number of items that earlier pages had.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    pub(crate) id: ObjectId,
    pub(crate) listed: usize,
}

impl Cursor {
    /// Returns the start of the listing from an object.
    pub(crate) fn start(id: ObjectId) -> Self {
        Self { id, listed: 0 }
    }

    /// Returns the cursor after this number of further items.
    pub(crate) fn advance(self, items: usize) -> Self {
        Self { listed: self.listed + items, ..self }
    }

    /// Encodes the cursor as the key of a page token.
    pub(crate) fn key(self) -> Vec<u8> {
        [self.id.as_slice(), self.listed.to_string().as_bytes()].concat()
    }

    /// Decodes a key; its object must exist and have this kind.
    pub(crate) fn read(key: &[u8], kind: Kind, reader: &mut Reader) -> Result<Self, Exception> {
        let parts = key.split_at_checked(20).and_then(|(id, listed)| {
            let id = ObjectId::try_from(id).ok()?;
            Some(Self { id, listed: str::from_utf8(listed).ok()?.parse().ok()? })
        });
        let cursor = parts.ok_or(Exception::InvalidContinuationToken)?;
        // An unreachable object may have been pruned since the last page.
        if reader.kind(&cursor.id)? == Some(kind) { Ok(cursor) } else { Err(Exception::InvalidContinuationToken) }
    }
}

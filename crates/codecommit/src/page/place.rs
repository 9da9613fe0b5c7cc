//! A place in what follows from one object, such as a commit's history: it stays the same however branches move.

use git::{Kind, ObjectId, Reader};

use crate::Exception;

/// The object that a listing is made of, and how much of the listing was given.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) id: ObjectId,
    pub(crate) listed: usize,
}

impl Place {
    /// The start of what follows from an object.
    pub(crate) fn start(id: ObjectId) -> Self {
        Self { id, listed: 0 }
    }

    /// The place after so many items more.
    pub(crate) fn after(self, items: usize) -> Self {
        Self { listed: self.listed + items, ..self }
    }

    pub(crate) fn key(self) -> Vec<u8> {
        [self.id.as_slice(), self.listed.to_string().as_bytes()].concat()
    }

    pub(crate) fn read(key: &[u8], kind: Kind, reader: &mut Reader) -> Result<Self, Exception> {
        let parts = key.split_at_checked(20).and_then(|(id, listed)| {
            let id = ObjectId::try_from(id).ok()?;
            Some(Self { id, listed: str::from_utf8(listed).ok()?.parse().ok()? })
        });
        let place = parts.ok_or(Exception::InvalidContinuationToken)?;
        // What no reference leads to may be pruned between two pages.
        if reader.kind(&place.id)? == Some(kind) { Ok(place) } else { Err(Exception::InvalidContinuationToken) }
    }
}

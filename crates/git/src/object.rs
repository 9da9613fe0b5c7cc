//! An object with its content.

use gix::ObjectId;
pub use gix::objs::Kind;

use crate::Error;

/// The content of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What the object is.
    pub kind: Kind,
    /// The content, without Git's `kind size` header.
    pub data: Vec<u8>,
}

impl Object {
    /// Makes a blob of a file's content.
    pub fn blob(content: impl Into<Vec<u8>>) -> Self {
        Self { kind: Kind::Blob, data: content.into() }
    }

    /// Computes the object's id; fails for content that was made to have the id of another one.
    pub fn id(&self) -> Result<ObjectId, Error> {
        gix::objs::compute_hash(gix::hash::Kind::Sha1, self.kind, &self.data).map_err(|error| Error::decode(&error))
    }
}

//! Git objects with their content.

use gix::ObjectId;
pub use gix::objs::Kind;

use crate::Error;

/// An object: its kind and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The kind.
    pub kind: Kind,
    /// The content, without Git's `kind size` header.
    pub data: Vec<u8>,
}

impl Object {
    /// Creates a blob with the content of a file.
    pub fn blob(content: impl Into<Vec<u8>>) -> Self {
        Self { kind: Kind::Blob, data: content.into() }
    }

    /// Computes the object's id; fails for content that is a known SHA-1 collision attack.
    pub fn id(&self) -> Result<ObjectId, Error> {
        gix::objs::compute_hash(gix::hash::Kind::Sha1, self.kind, &self.data).map_err(|error| Error::decode(&error))
    }
}

//! An object with its content.

pub use gix::objs::Kind;

/// The content of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What the object is.
    pub kind: Kind,
    /// The content, without Git's `kind size` header.
    pub data: Vec<u8>,
}

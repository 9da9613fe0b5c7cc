//! A snapshot of a repository's references.
//!
//! **Invariant:** references are sorted by the bytes of their names.

use bstr::{BStr, BString};
use gix::ObjectId;

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The full name, such as `refs/heads/main`.
    pub name: BString,
    /// What the reference points at.
    pub target: ObjectId,
    /// What an annotated tag finally names; nothing when the target is no tag object.
    pub peeled: Option<ObjectId>,
}

/// The references of one repository at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The full name of the default branch, whether that branch exists or not.
    pub head: Option<BString>,
    /// The references, sorted by the bytes of their names.
    pub references: Vec<Reference>,
}

impl References {
    /// Gives the default branch, if it exists.
    pub fn default_branch(&self) -> Option<&Reference> {
        self.find(self.head.as_ref()?)
    }

    /// Finds a reference by its full name.
    pub fn find(&self, name: &[u8]) -> Option<&Reference> {
        let position = self.references.binary_search_by(|reference| reference.name.as_slice().cmp(name)).ok()?;
        self.references.get(position)
    }
}

/// Tells whether a name is one that a reference can have: below `refs/`, with a folder there, and sound by Git's rules.
pub fn is_reference_name(name: &BStr) -> bool {
    name.strip_prefix(b"refs/").is_some_and(|rest| rest.contains(&b'/')) && gix::validate::reference::name(name).is_ok()
}

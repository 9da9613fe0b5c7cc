//! Edits of references: what is to change, under which condition, and why an edit is rejected.

use git::{BString, ObjectId};

use crate::ancestry_cache::AncestryCache;

/// A requested change of one reference.
#[derive(Clone, Debug)]
pub(crate) struct RefEdit {
    /// Full name of the reference.
    pub(crate) name: BString,
    /// Value that the reference must have before the edit.
    pub(crate) expected: PreviousValue,
    /// New target; `None` deletes the reference.
    pub(crate) new: Option<ObjectId>,
    /// Object that the new target peels to, if it is an annotated tag.
    pub(crate) peeled: Option<ObjectId>,
}

/// Value that a reference must have for an edit to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PreviousValue {
    /// The reference must not exist.
    MustNotExist,
    /// The reference must exist and point at this object.
    MustExistAndMatch(ObjectId),
}

/// Why an edit was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// The repository was deleted in the meantime.
    #[error("the repository does not exist")]
    NoRepository,
    /// The reference does not have the expected value; the text is that of Git's own server.
    #[error("failed to update ref")]
    Stale,
    /// Another node has removed unreachable objects since the call began, and the new ones may depend on them.
    #[error("unreachable objects were removed meanwhile; try again")]
    Pruned,
    /// Another edit of the same atomic push was rejected.
    #[error("atomic push failed")]
    Atomic,
    /// The default branch cannot be deleted.
    #[error("the default branch cannot be deleted")]
    DefaultBranch,
    /// No API call could name a branch of this name.
    #[error("'{0}' is not a valid branch name")]
    BranchName(String),
    /// One of the two names would be a folder of the other.
    #[error("'{existing}' exists; cannot create '{name}'")]
    NameConflict {
        /// The existing reference.
        existing: BString,
        /// The reference to be created.
        name: BString,
    },
}

/// A reference that a push changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedReference {
    /// The full name.
    pub name: String,
    /// The object that it named before; `None` if the push created it.
    pub old: Option<ObjectId>,
    /// Whether the new commit does not contain the old one.
    pub is_forced: bool,
}

impl RefEdit {
    /// Creates or updates a branch.
    pub(crate) fn branch(name: BString, expected: PreviousValue, new: ObjectId) -> Self {
        Self { name, expected, new: Some(new), peeled: None }
    }

    /// Creates a reference to an object that is not an annotated tag.
    pub(crate) fn create(name: BString, new: ObjectId) -> Self {
        Self { name, expected: PreviousValue::MustNotExist, new: Some(new), peeled: None }
    }

    /// Deletes a reference.
    pub(crate) fn delete(name: BString, expected: PreviousValue) -> Self {
        Self { name, expected, new: None, peeled: None }
    }

    /// Returns whether the edit may leave objects unreachable: a deletion, or an update that is not a fast-forward.
    ///
    /// An object that is not a commit has no ancestors, so replacing one counts.
    pub(crate) fn may_orphan_objects(&self, ancestry: &AncestryCache) -> bool {
        match (self.expected, self.new) {
            (PreviousValue::MustNotExist, _) => false,
            (PreviousValue::MustExistAndMatch(_), None) => true,
            (PreviousValue::MustExistAndMatch(old), Some(new)) => !ancestry.is_ancestor(old, new).unwrap_or(false),
        }
    }
}

//! The rules for the objects of a push, and the links between the objects.

use std::sync::atomic::{AtomicU64, Ordering};

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use super::{LinkedObjects, PackError, nesting::Nesting};
use crate::{Kind, Options, fsck::Findings, object_links};

/// The rules for the objects of one push; its threads share them.
pub(super) struct Rules<'a> {
    pub(super) options: &'a Options,
    /// The commits in the `shallow` file of the repository.
    shallow: &'a HashSet<ObjectId>,
    /// The number of bytes inflated or made from deltas so far.
    expanded_bytes: AtomicU64,
}

impl<'a> Rules<'a> {
    pub(super) fn new(options: &'a Options, shallow: &'a HashSet<ObjectId>) -> Self {
        Self { options, shallow, expanded_bytes: AtomicU64::new(0) }
    }

    /// Counts bytes that the first `pack_bytes` of a pack expand to.
    ///
    /// This limits the work for packs that expand by their zlib streams, or by deltas that each repeat a large base.
    pub(super) fn count_expansion(&self, bytes: u64, pack_bytes: u64) -> Result<(), PackError> {
        let limits = &self.options.limits;
        let expanded = self.expanded_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if expanded > limits.expansion_bytes.saturating_add(limits.expansion_factor.saturating_mul(pack_bytes)) {
            return Err(PackError::new("the pack expands to too much"));
        }
        Ok(())
    }
}

/// The links of parsed objects, and the findings of fsck.
#[derive(Default)]
pub(super) struct ParsedLinks {
    pub(super) objects: LinkedObjects,
    pub(super) findings: Findings,
    pub(super) nesting: Nesting,
}

impl ParsedLinks {
    /// Checks an object, and adds its links.
    pub(super) fn add(&mut self, rules: &Rules<'_>, id: &oid, kind: Kind, data: &[u8]) -> Result<(), PackError> {
        if kind == Kind::Blob {
            return Ok(());
        }
        let without_parents = kind == Kind::Commit && !rules.shallow.is_empty() && rules.shallow.contains(id);
        let mut conflict = false;
        let Self { objects, findings, nesting } = self;
        let is_tree = kind == Kind::Tree;
        if is_tree {
            nesting.add_tree(id);
        }
        let mut visit = |target: &oid, kind| {
            if is_tree && kind == Kind::Tree {
                nesting.add_link(target);
            }
            if !(without_parents && kind == Kind::Commit) {
                conflict |= !objects.insert(target.to_owned(), kind);
            }
        };
        if !findings.check(&rules.options.fsck, id, kind, data, &mut visit).map_err(PackError)? {
            object_links::visit(kind, data, &mut visit)
                .map_err(|reason| PackError::new(format!("object {id} is malformed: {reason}")))?;
        }
        if self.objects.len() > rules.options.limits.pack_objects as usize {
            return Err(PackError::new("the objects name too many others"));
        }
        if conflict {
            return Err(PackError::new(format!("object {id} names an object as of another kind")));
        }
        Ok(())
    }

    /// Adds the links that another thread found.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), PackError> {
        self.findings.merge(other.findings);
        self.nesting.merge(other.nesting);
        self.objects.merge(other.objects)
    }
}

//! What one push is checked by, and what is learnt from its objects.

use std::sync::atomic::{AtomicU64, Ordering};

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use super::{Named, Refusal, nesting::Nesting};
use crate::{Kind, Options, fsck::Findings, object_links};

/// What one push is checked by; all its threads share it.
pub(super) struct Rules<'a> {
    pub(super) options: &'a Options,
    /// The commits at which the history of the repository ends, whatever they name.
    cut: &'a HashSet<ObjectId>,
    /// The number of bytes that were inflated or made from deltas.
    made: AtomicU64,
}

impl<'a> Rules<'a> {
    pub(super) fn new(options: &'a Options, cut: &'a HashSet<ObjectId>) -> Self {
        Self { options, cut, made: AtomicU64::new(0) }
    }

    /// Counts bytes that are about to be made from the first `pack_bytes` of a pack.
    ///
    /// This bounds the work, whichever way a pack grows: by its zlib streams, or by deltas that each repeat a large base.
    pub(super) fn make(&self, bytes: u64, pack_bytes: u64) -> Result<(), Refusal> {
        let limits = &self.options.limits;
        let made = self.made.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if made > limits.expansion_bytes.saturating_add(limits.expansion_factor.saturating_mul(pack_bytes)) {
            return Err(Refusal::new("the pack expands to too much"));
        }
        Ok(())
    }
}

/// What was learnt from objects.
#[derive(Default)]
pub(super) struct Learnt {
    pub(super) named: Named,
    pub(super) findings: Findings,
    pub(super) nesting: Nesting,
}

impl Learnt {
    /// Checks one object, and notes what it names.
    pub(super) fn add(&mut self, rules: &Rules<'_>, id: &oid, kind: Kind, data: &[u8]) -> Result<(), Refusal> {
        if kind == Kind::Blob {
            return Ok(());
        }
        let without_parents = kind == Kind::Commit && !rules.cut.is_empty() && rules.cut.contains(id);
        let mut conflict = false;
        let Self { named: all, findings, nesting } = self;
        let is_tree = kind == Kind::Tree;
        if is_tree {
            nesting.tree(id);
        }
        let mut visit = |named: &oid, kind| {
            if is_tree && kind == Kind::Tree {
                nesting.name(named);
            }
            if !(without_parents && kind == Kind::Commit) {
                conflict |= !all.insert(named.to_owned(), kind);
            }
        };
        if !findings.check(&rules.options.fsck, id, kind, data, &mut visit).map_err(Refusal)? {
            object_links::visit(kind, data, &mut visit)
                .map_err(|reason| Refusal::new(format!("object {id} is malformed: {reason}")))?;
        }
        if self.named.len() > rules.options.limits.pack_objects as usize {
            return Err(Refusal::new("the objects name too many others"));
        }
        if conflict {
            return Err(Refusal::new(format!("object {id} names an object as of another kind")));
        }
        Ok(())
    }

    /// Adds what another thread learnt.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), Refusal> {
        self.findings.merge(other.findings);
        self.nesting.merge(other.nesting);
        self.named.merge(other.named)
    }
}

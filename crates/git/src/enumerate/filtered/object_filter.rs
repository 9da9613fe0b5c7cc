//! Applies a filter to the objects of a walk, in their order.

use bstr::{BStr, ByteSlice};
use gix::{
    ObjectId,
    hash::oid,
    hashtable::{HashMap, HashSet},
};

use crate::{
    Error, Kind, ProtocolError,
    filter::{Filter, sparse::Patterns},
    reader::Reader,
};

/// The moment at which a walk comes to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    Commit,
    /// A tree, before what is in it.
    TreeBegin,
    /// The tree again, after what is in it.
    TreeEnd,
    Blob,
}

/// The decision of a filter on an object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FilterResult {
    /// The object is sent.
    pub(super) show: bool,
    /// The object need not be visited again, not even under another path.
    pub(super) seen: bool,
    /// The entries of the tree are not visited.
    pub(super) skip: bool,
}

impl FilterResult {
    const AGAIN: Self = Self { show: false, seen: false, skip: false };
    const SHOWN: Self = Self { show: true, seen: true, skip: false };
    const HIDDEN: Self = Self { show: false, seen: true, skip: false };
    const SKIPPED: Self = Self { show: false, seen: false, skip: true };

    fn of(show: bool) -> Self {
        if show { Self::SHOWN } else { Self::HIDDEN }
    }
}

/// A filter and its state.
pub(crate) enum ObjectFilter {
    Blobs {
        /// The size from which on blobs are left out, in bytes; all are if there is none.
        limit: Option<u64>,
    },
    Depth {
        /// The depth from which on nothing is sent.
        end: u64,
        /// The depth of the next object.
        depth: u64,
        /// The least depth at which each tree was visited.
        trees: HashMap<ObjectId, u64>,
    },
    Kind(Kind),
    Sparse(Box<Sparse>),
    All(Vec<Part>),
}

/// A filter for paths.
pub(crate) struct Sparse {
    patterns: Patterns,
    /// The trees on the path of the visited object, the parent of the root first.
    folders: Vec<Folder>,
    shown: HashSet<ObjectId>,
}

#[derive(Clone, Copy, Default)]
struct Folder {
    /// Whether paths in it that no pattern matches are wanted.
    wanted: bool,
    /// Whether an entry was left out that may be wanted under another path.
    lacks: bool,
}

/// One of several filters that all have to let an object pass.
pub(crate) struct Part {
    object_filter: ObjectFilter,
    seen: HashSet<ObjectId>,
    /// The tree whose entries this filter skips.
    skipped: Option<ObjectId>,
}

impl ObjectFilter {
    /// Creates the state of a filter; `patterns` returns the patterns that a sparse filter names.
    pub(crate) fn new(
        filter: &Filter,
        patterns: &mut dyn FnMut(&BStr) -> Result<Patterns, ProtocolError>,
    ) -> Result<Self, ProtocolError> {
        Ok(match filter {
            Filter::NoBlobs => Self::Blobs { limit: None },
            Filter::BlobLimit(limit) => Self::Blobs { limit: Some(*limit) },
            Filter::Depth(end) => Self::Depth { end: *end, depth: 0, trees: HashMap::default() },
            Filter::Kind(kind) => Self::Kind(*kind),
            Filter::Sparse(name) => Self::Sparse(Box::new(Sparse {
                patterns: patterns(name.as_bstr())?,
                folders: vec![Folder::default()],
                shown: HashSet::default(),
            })),
            Filter::All(parts) => {
                let part = |filter| {
                    let object_filter = Self::new(filter, patterns)?;
                    Ok(Part { object_filter, seen: HashSet::default(), skipped: None })
                };
                Self::All(parts.iter().map(part).collect::<Result<_, ProtocolError>>()?)
            }
        })
    }

    /// Decides on an object that is visited at `path`.
    pub(super) fn apply(
        &mut self,
        reader: &mut Reader,
        visit: Visit,
        id: &oid,
        path: &BStr,
    ) -> Result<FilterResult, Error> {
        Ok(match (self, visit) {
            (Self::All(parts), _) => return all(parts, reader, visit, id, path),
            (Self::Kind(kind), Visit::TreeBegin) => FilterResult {
                // In trees there are no commits and no tags.
                skip: matches!(kind, Kind::Commit | Kind::Tag),
                ..FilterResult::of(*kind == Kind::Tree)
            },
            (Self::Kind(kind), Visit::Commit) => FilterResult::of(*kind == Kind::Commit),
            (Self::Kind(kind), Visit::Blob) => FilterResult::of(*kind == Kind::Blob),
            (_, Visit::Commit) | (Self::Blobs { .. }, Visit::TreeBegin) => FilterResult::SHOWN,
            (Self::Blobs { limit: Some(limit) }, Visit::Blob) => {
                let header = reader.header(id)?.ok_or_else(|| reader.missing(id))?;
                FilterResult::of(header.1 < *limit)
            }
            (Self::Depth { end, depth, trees }, Visit::TreeBegin) => {
                let here = *depth;
                *depth += 1;
                if trees.get(id).is_some_and(|least| *least <= here) {
                    return Ok(FilterResult::SKIPPED);
                }
                trees.insert(id.to_owned(), here);
                if here < *end { FilterResult { show: true, ..FilterResult::AGAIN } } else { FilterResult::SKIPPED }
            }
            (Self::Depth { depth, .. }, Visit::TreeEnd) => {
                *depth -= 1;
                FilterResult::AGAIN
            }
            (Self::Depth { end, depth, .. }, Visit::Blob) if *depth < *end => FilterResult::SHOWN,
            (Self::Sparse(sparse), _) => sparse.apply(visit, id, path),
            // Without a limit blobs are not noted as seen: that costs memory, and a second visit costs nothing.
            (Self::Depth { .. } | Self::Blobs { .. } | Self::Kind(_), _) => FilterResult::AGAIN,
        })
    }
}

impl Sparse {
    fn apply(&mut self, visit: Visit, id: &oid, path: &BStr) -> FilterResult {
        let folder = self.folders.last_mut().expect("the root's parent stays");
        match visit {
            Visit::Commit => FilterResult::SHOWN,
            Visit::TreeBegin => {
                let wanted = self.patterns.includes(path, true).unwrap_or(folder.wanted);
                self.folders.push(Folder { wanted, lacks: false });
                FilterResult { show: self.shown.insert(id.to_owned()), ..FilterResult::AGAIN }
            }
            Visit::TreeEnd => {
                let lacks = folder.lacks;
                self.folders.pop();
                self.folders.last_mut().expect("a tree ends after it began").lacks |= lacks;
                FilterResult { seen: !lacks, ..FilterResult::AGAIN }
            }
            Visit::Blob if self.patterns.includes(path, false).unwrap_or(folder.wanted) => FilterResult::SHOWN,
            Visit::Blob => {
                folder.lacks = true;
                FilterResult::AGAIN
            }
        }
    }
}

/// Combines the decisions of all parts. A part that has decided on an object for good, or that skips it, leaves it out.
fn all(parts: &mut [Part], reader: &mut Reader, visit: Visit, id: &oid, path: &BStr) -> Result<FilterResult, Error> {
    let mut all = FilterResult { show: true, seen: true, skip: true };
    for part in parts {
        let result = part.apply(reader, visit, id, path)?;
        all.show &= result.show;
        all.seen &= result.seen;
        all.skip &= part.skipped.is_some();
    }
    Ok(all)
}

impl Part {
    fn apply(&mut self, reader: &mut Reader, visit: Visit, id: &oid, path: &BStr) -> Result<FilterResult, Error> {
        if let Some(skipped) = &self.skipped {
            if visit != Visit::TreeEnd || skipped.as_slice() != id.as_bytes() {
                return Ok(FilterResult::AGAIN);
            }
            self.skipped = None;
        }
        if self.seen.contains(id) {
            return Ok(FilterResult::AGAIN);
        }
        let result = self.object_filter.apply(reader, visit, id, path)?;
        if result.seen {
            self.seen.insert(id.to_owned());
        }
        if result.skip {
            self.skipped = Some(id.to_owned());
        }
        Ok(result)
    }
}

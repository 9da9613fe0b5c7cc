//! A filter at work: what it says of each object that it sees.

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

/// What is seen of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Commit,
    /// A tree, before what is in it.
    TreeBegin,
    /// The tree again, after what is in it.
    TreeEnd,
    Blob,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Verdict {
    /// It is sent.
    pub(super) show: bool,
    /// It need not be seen again, not even under another path.
    pub(super) seen: bool,
    /// What is in the tree is not looked at.
    pub(super) skip: bool,
}

impl Verdict {
    const AGAIN: Self = Self { show: false, seen: false, skip: false };
    const SHOWN: Self = Self { show: true, seen: true, skip: false };
    const HIDDEN: Self = Self { show: false, seen: true, skip: false };
    const SKIPPED: Self = Self { show: false, seen: false, skip: true };

    fn of(show: bool) -> Self {
        if show { Self::SHOWN } else { Self::HIDDEN }
    }
}

/// A filter with what it remembers.
pub(crate) enum Sieve {
    Blobs {
        /// The size from which on blobs are left out, in bytes; all are if there is none.
        limit: Option<u64>,
    },
    Depth {
        /// The depth from which on nothing is sent.
        end: u64,
        /// The depth of what comes next.
        depth: u64,
        /// The least depth at which each tree was seen.
        trees: HashMap<ObjectId, u64>,
    },
    Kind(Kind),
    Sparse(Box<Sparse>),
    All(Vec<Part>),
}

/// A sieve for paths.
pub(crate) struct Sparse {
    patterns: Patterns,
    /// The trees on the way to what is looked at, the root's parent first.
    folders: Vec<Folder>,
    shown: HashSet<ObjectId>,
}

#[derive(Clone, Copy, Default)]
struct Folder {
    /// Whether paths in it that no pattern matches are wanted.
    wanted: bool,
    /// Whether something in it was left out, and may be wanted under another path.
    lacks: bool,
}

/// One of several sieves that have to agree.
pub(crate) struct Part {
    sieve: Sieve,
    seen: HashSet<ObjectId>,
    /// The tree whose content this one does not look at.
    skipped: Option<ObjectId>,
}

impl Sieve {
    /// Sets a filter up; `patterns` gives the patterns that a sparse filter names.
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
                    let sieve = Self::new(filter, patterns)?;
                    Ok(Part { sieve, seen: HashSet::default(), skipped: None })
                };
                Self::All(parts.iter().map(part).collect::<Result<_, ProtocolError>>()?)
            }
        })
    }

    /// Tells what becomes of an object that is seen at `path`.
    pub(super) fn judge(&mut self, reader: &mut Reader, sight: Sight, id: &oid, path: &BStr) -> Result<Verdict, Error> {
        Ok(match (self, sight) {
            (Self::All(parts), _) => return all(parts, reader, sight, id, path),
            (Self::Kind(kind), Sight::TreeBegin) => Verdict {
                // In trees there are no commits and no tags.
                skip: matches!(kind, Kind::Commit | Kind::Tag),
                ..Verdict::of(*kind == Kind::Tree)
            },
            (Self::Kind(kind), Sight::Commit) => Verdict::of(*kind == Kind::Commit),
            (Self::Kind(kind), Sight::Blob) => Verdict::of(*kind == Kind::Blob),
            (_, Sight::Commit) | (Self::Blobs { .. }, Sight::TreeBegin) => Verdict::SHOWN,
            (Self::Blobs { limit: Some(limit) }, Sight::Blob) => {
                let header = reader.header(id)?.ok_or_else(|| reader.missing(id))?;
                Verdict::of(header.1 < *limit)
            }
            (Self::Depth { end, depth, trees }, Sight::TreeBegin) => {
                let here = *depth;
                *depth += 1;
                if trees.get(id).is_some_and(|least| *least <= here) {
                    return Ok(Verdict::SKIPPED);
                }
                trees.insert(id.to_owned(), here);
                if here < *end { Verdict { show: true, ..Verdict::AGAIN } } else { Verdict::SKIPPED }
            }
            (Self::Depth { depth, .. }, Sight::TreeEnd) => {
                *depth -= 1;
                Verdict::AGAIN
            }
            (Self::Depth { end, depth, .. }, Sight::Blob) if *depth < *end => Verdict::SHOWN,
            (Self::Sparse(sparse), _) => sparse.judge(sight, id, path),
            // Without a limit blobs are not noted as seen: that costs memory, and to look again costs nothing.
            (Self::Depth { .. } | Self::Blobs { .. } | Self::Kind(_), _) => Verdict::AGAIN,
        })
    }
}

impl Sparse {
    fn judge(&mut self, sight: Sight, id: &oid, path: &BStr) -> Verdict {
        let folder = self.folders.last_mut().expect("the root's parent stays");
        match sight {
            Sight::Commit => Verdict::SHOWN,
            Sight::TreeBegin => {
                let wanted = self.patterns.wants(path, true).unwrap_or(folder.wanted);
                self.folders.push(Folder { wanted, lacks: false });
                Verdict { show: self.shown.insert(id.to_owned()), ..Verdict::AGAIN }
            }
            Sight::TreeEnd => {
                let lacks = folder.lacks;
                self.folders.pop();
                self.folders.last_mut().expect("a tree ends after it began").lacks |= lacks;
                Verdict { seen: !lacks, ..Verdict::AGAIN }
            }
            Sight::Blob if self.patterns.wants(path, false).unwrap_or(folder.wanted) => Verdict::SHOWN,
            Sight::Blob => {
                folder.lacks = true;
                Verdict::AGAIN
            }
        }
    }
}

/// Asks all parts; what one of them has settled or skips it is not asked about again, and counts as left out.
fn all(parts: &mut [Part], reader: &mut Reader, sight: Sight, id: &oid, path: &BStr) -> Result<Verdict, Error> {
    let mut all = Verdict { show: true, seen: true, skip: true };
    for part in parts {
        let verdict = part.judge(reader, sight, id, path)?;
        all.show &= verdict.show;
        all.seen &= verdict.seen;
        all.skip &= part.skipped.is_some();
    }
    Ok(all)
}

impl Part {
    fn judge(&mut self, reader: &mut Reader, sight: Sight, id: &oid, path: &BStr) -> Result<Verdict, Error> {
        if let Some(skipped) = &self.skipped {
            if sight != Sight::TreeEnd || skipped.as_slice() != id.as_bytes() {
                return Ok(Verdict::AGAIN);
            }
            self.skipped = None;
        }
        if self.seen.contains(id) {
            return Ok(Verdict::AGAIN);
        }
        let verdict = self.sieve.judge(reader, sight, id, path)?;
        if verdict.seen {
            self.seen.insert(id.to_owned());
        }
        if verdict.skip {
            self.skipped = Some(id.to_owned());
        }
        Ok(verdict)
    }
}

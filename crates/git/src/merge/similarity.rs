//! The similarity of two files: the share of one file that also occurs in the other.

use std::hash::BuildHasher;

use crate::is_binary;

/// The similarity of equal files.
pub(crate) const WHOLE: u64 = 60_000;

/// The maximum length of a piece of a line, in bytes.
const PIECE_BYTES_MAX: usize = 64;

/// The number of pieces that are collected before equal ones are combined.
const COLLECTED: usize = 1 << 16;

/// The maximum number of different pieces of a file; other files are not compared.
const PIECES_MAX: usize = 4_000_000;

/// The pieces of a file: their hashes with the number of bytes of each, sorted.
pub(crate) struct Pieces {
    bytes: u64,
    counts: Vec<(u64, u64)>,
}

impl Pieces {
    /// Splits a file into lines, and long lines into pieces; `None` if there are too many different pieces.
    pub(crate) fn new(data: &[u8], hasher: &impl BuildHasher) -> Option<Self> {
        let is_text = !is_binary(data);
        let mut counts = PieceCounts::default();
        let (mut piece, mut bytes) = (Vec::with_capacity(PIECE_BYTES_MAX), 0);
        let mut close = |piece: &mut Vec<u8>, bytes: &mut u64| {
            let fits = counts.add(hasher.hash_one(&piece), *bytes);
            piece.clear();
            *bytes = 0;
            fits
        };
        for (at, byte) in data.iter().enumerate() {
            if is_text && *byte == b'\r' && data.get(at + 1) == Some(&b'\n') {
                continue;
            }
            // As in Git, leading zero bytes count, but do not change the hash.
            if !piece.is_empty() || *byte != 0 {
                piece.push(*byte);
            }
            bytes += 1;
            if (bytes == PIECE_BYTES_MAX as u64 || *byte == b'\n') && !close(&mut piece, &mut bytes) {
                return None;
            }
        }
        if bytes > 0 {
            close(&mut piece, &mut bytes);
        }
        Some(Self { bytes: data.len() as u64, counts: counts.sorted() })
    }

    /// Returns the number of different pieces.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Returns the share of the larger file that is also in the other one, out of [`WHOLE`].
    pub(crate) fn similarity(&self, new: &Self) -> u64 {
        let mut others = new.counts.iter().peekable();
        let mut kept = 0;
        for (piece, bytes) in &self.counts {
            while others.next_if(|(other, _)| other < piece).is_some() {}
            if let Some((_, other)) = others.next_if(|(other, _)| other == piece) {
                kept += other.min(bytes);
            }
        }
        if new.bytes == 0 { 0 } else { kept * WHOLE / self.bytes.max(new.bytes) }
    }
}

/// Collects pieces; equal ones are combined from time to time.
#[derive(Default)]
struct PieceCounts {
    counts: Vec<(u64, u64)>,
    /// The number of pieces that are sorted and different.
    distinct: usize,
}

impl PieceCounts {
    /// Adds a piece; returns false if there are too many.
    fn add(&mut self, piece: u64, bytes: u64) -> bool {
        if self.counts.len() >= COLLECTED.max(self.distinct * 2) {
            self.combine();
        }
        self.counts.push((piece, bytes));
        self.distinct <= PIECES_MAX
    }

    fn combine(&mut self) {
        self.counts.sort_unstable_by_key(|(piece, _)| *piece);
        self.counts.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        self.distinct = self.counts.len();
    }

    fn sorted(mut self) -> Vec<(u64, u64)> {
        self.combine();
        self.counts.shrink_to_fit();
        self.counts
    }
}

/// The similarity from which on a file counts as another one under a new name, as in Git.
pub(crate) const SIMILAR: u64 = WHOLE / 2;

/// The number of files that are kept as candidates for one new name, as in Git.
const CANDIDATES_MAX: usize = 4;

/// How well a candidate fits: its similarity, and whether the file name is the same.
pub(crate) type Rank = (u64, bool);

/// The few best candidates for one new name, in no order.
pub(crate) struct BestCandidates<T>(Vec<(Rank, T)>);

impl<T> Default for BestCandidates<T> {
    fn default() -> Self {
        Self(Vec::with_capacity(CANDIDATES_MAX))
    }
}

impl<T> BestCandidates<T> {
    /// Adds a candidate if it is better than the worst so far; of equal ones the first stays.
    pub(crate) fn add(&mut self, rank: Rank, candidate: T) {
        if self.0.len() < CANDIDATES_MAX {
            self.0.push((rank, candidate));
        } else if let Some(worst) = self.0.iter_mut().min_by_key(|(rank, _)| *rank)
            && worst.0 < rank
        {
            *worst = (rank, candidate);
        }
    }

    /// Returns the candidates that are similar enough, with their ranks.
    pub(crate) fn similar(self) -> impl Iterator<Item = (Rank, T)> {
        self.0.into_iter().filter(|((similarity, _), _)| *similarity >= SIMILAR)
    }
}

/// Tells whether files of these sizes can have a similarity of at least `least`.
pub(crate) fn can_reach(least: u64, one: u64, other: u64) -> bool {
    one.max(other) * (WHOLE - least) >= one.abs_diff(other) * WHOLE
}

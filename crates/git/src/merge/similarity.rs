//! How alike two files are: how much of the one is made of what is in the other.

use std::hash::BuildHasher;

use crate::is_binary;

/// The similarity of what is the same.
pub(crate) const WHOLE: u64 = 60_000;

/// So many bytes of a line count as one piece.
const PIECE_BYTES_MAX: usize = 64;

/// So many pieces are gathered at least before those that are the same become one.
const GATHERED: usize = 1 << 16;

/// How many different pieces a file has at most that is compared with others.
const PIECES_MAX: usize = 4_000_000;

/// The pieces of a file by their hashes, with how many bytes there are of each; sorted.
pub(crate) struct Pieces {
    bytes: u64,
    counts: Vec<(u64, u64)>,
}

impl Pieces {
    /// Cuts a file into its lines, and long lines into pieces; nothing if it has too many different ones.
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
            // Zeros before the first other byte count, but they tell no pieces apart.
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

    /// Gives the number of different pieces.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Tells how much of the larger file is in the other one too, out of [`WHOLE`].
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

/// Gathers pieces; those that are the same become one from time to time.
#[derive(Default)]
struct PieceCounts {
    counts: Vec<(u64, u64)>,
    /// How many of them are sorted, and different from each other.
    distinct: usize,
}

impl PieceCounts {
    /// Adds a piece; tells whether there are not too many.
    fn add(&mut self, piece: u64, bytes: u64) -> bool {
        if self.counts.len() >= GATHERED.max(self.distinct * 2) {
            self.unite();
        }
        self.counts.push((piece, bytes));
        self.distinct <= PIECES_MAX
    }

    fn unite(&mut self) {
        self.counts.sort_unstable_by_key(|(piece, _)| *piece);
        self.counts.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        self.distinct = self.counts.len();
    }

    fn sorted(mut self) -> Vec<(u64, u64)> {
        self.unite();
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

/// Tells whether files of these sizes can be so similar.
pub(crate) fn can_reach(least: u64, one: u64, other: u64) -> bool {
    one.max(other) * (WHOLE - least) >= one.abs_diff(other) * WHOLE
}

//! How alike two files are: how much of the one is made of what is in the other.

use std::{collections::HashMap, hash::BuildHasher};

use crate::is_binary;

/// The similarity of what is the same.
pub(crate) const WHOLE: u64 = 60_000;

/// So many bytes of a line count as one piece.
const PIECE_BYTES_MAX: usize = 64;

/// The pieces of a file: how many bytes there are of each.
pub(crate) struct Pieces {
    bytes: u64,
    counts: HashMap<u64, u64>,
}

impl Pieces {
    /// Cuts a file into its lines, and long lines into pieces.
    pub(crate) fn new(data: &[u8], hasher: &impl BuildHasher) -> Self {
        let is_text = !is_binary(data);
        let mut counts = HashMap::new();
        let (mut piece, mut bytes) = (Vec::with_capacity(PIECE_BYTES_MAX), 0);
        let mut close = |piece: &mut Vec<u8>, bytes: &mut usize| {
            *counts.entry(hasher.hash_one(&piece)).or_default() += *bytes as u64;
            piece.clear();
            *bytes = 0;
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
            if bytes == PIECE_BYTES_MAX || *byte == b'\n' {
                close(&mut piece, &mut bytes);
            }
        }
        if bytes > 0 {
            close(&mut piece, &mut bytes);
        }
        Self { bytes: data.len() as u64, counts }
    }

    /// Tells how much of the larger file is in the other one too, out of [`WHOLE`].
    pub(crate) fn similarity(&self, new: &Self) -> u64 {
        let kept = |(piece, bytes): (&u64, &u64)| new.counts.get(piece).map_or(0, |other| *other.min(bytes));
        let kept: u64 = self.counts.iter().map(kept).sum();
        if new.bytes == 0 { 0 } else { kept * WHOLE / self.bytes.max(new.bytes) }
    }
}

/// Tells whether files of these sizes can be so similar.
pub(crate) fn can_reach(least: u64, one: u64, other: u64) -> bool {
    one.max(other) * (WHOLE - least) >= one.abs_diff(other) * WHOLE
}

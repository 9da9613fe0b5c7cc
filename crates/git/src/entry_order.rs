//! The order in which the entries of a pack lie.

use gix::odb::pack::index;

use crate::cache_memory::Weigh;

/// The entries of a pack by their offsets. The place of an entry in this order is its rank.
pub(crate) struct EntryOrder {
    /// The offset of every entry with its position in the index, in the order of the offsets.
    pub(crate) by_offset: Vec<(u64, u32)>,
    /// The ranks of the entries, by their positions in the index.
    ranks: Vec<u32>,
}

impl EntryOrder {
    /// Sorts the entries of an index.
    pub(crate) fn of(index: &index::File) -> Self {
        let offset = |position| index.pack_offset_at_index(position);
        let by_offset = sorted((0..index.num_objects()).map(|position| (offset(position), position)).collect());
        let mut ranks = vec![0; by_offset.len()];
        for (rank, (_, position)) in (0..).zip(&by_offset) {
            ranks[*position as usize] = rank;
        }
        Self { by_offset, ranks }
    }

    /// Returns the rank of the entry at a position of the index.
    pub(crate) fn rank(&self, position: u32) -> u32 {
        self.ranks[position as usize]
    }
}

impl Weigh for EntryOrder {
    fn bytes(&self) -> usize {
        self.by_offset.len() * size_of::<(u64, u32)>() + self.ranks.len() * size_of::<u32>()
    }
}

/// The bits of an offset that one pass of the sort looks at.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Below this number of entries a comparison sort is as fast.
const RADIX_MIN: usize = 4096;

/// Sorts entries by their offsets, digit by digit from the lowest: several times as fast as comparing them.
fn sorted(mut entries: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    if entries.len() < RADIX_MIN {
        entries.sort_unstable();
        return entries;
    }
    let highest = entries.iter().map(|(offset, _)| *offset).max().unwrap_or(0);
    let mut target = vec![(0, 0); entries.len()];
    let mut shift = 0;
    while highest.checked_shr(shift).is_some_and(|rest| rest > 0) {
        let digit = |offset: u64| usize::try_from(offset >> shift).unwrap_or(usize::MAX) & (DIGITS - 1);
        let mut starts = vec![0_usize; DIGITS];
        for (offset, _) in &entries {
            starts[digit(*offset)] += 1;
        }
        let mut start = 0;
        for count in &mut starts {
            start += std::mem::replace(count, start);
        }
        for entry in &entries {
            let start = &mut starts[digit(entry.0)];
            target[*start] = *entry;
            *start += 1;
        }
        std::mem::swap(&mut entries, &mut target);
        shift += DIGIT_BITS;
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_by_offset_whatever_their_number_and_size() {
        for (count, step) in [(0, 1), (100, 7), (RADIX_MIN, 1), (20_000, 333), (20_000, 1 << 34)] {
            let expected: Vec<_> = (0_u32..).take(count).map(|rank| (12 + u64::from(rank) * step, rank)).collect();
            let mut entries = expected.clone();
            entries.sort_by_key(|(_, position)| position.wrapping_mul(2_654_435_761));
            assert_eq!(sorted(entries), expected, "{count} entries, {step} bytes apart");
        }
    }
}

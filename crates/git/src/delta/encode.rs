//! Describing an object by what it shares with another one.
//!
//! The base is cut into blocks of equal size, found again in the target at any place by their hash. A match is
//! then made as long as it goes in both directions, so an edit costs little more than the bytes that it brought.
//!
//! **Invariant:** `apply(base, encode(base, target)) == target`, whatever the two are.

/// The size of the blocks, in bytes: no match that is shorter is found, all of twice the size are.
const BLOCK: usize = 16;

/// Blocks with the same hash that are compared; more would make odd bases slow and few deltas smaller.
const CANDIDATES: usize = 32;

/// A match of this length, in bytes, is taken without a look for a longer one.
const LONG: usize = 4096;

/// The most bytes that one instruction copies.
const COPY_MAX: usize = 0x10000;

/// The most bytes that one instruction inserts.
const INSERT_MAX: usize = 127;

/// No block.
const NONE: u32 = u32::MAX;

/// The blocks of a base, made ready for any number of targets.
pub(crate) struct Index {
    /// The first block for each hash.
    heads: Vec<u32>,
    /// The next block with the same hash, by block.
    next: Vec<u32>,
    /// What leaves of a hash as many bits as number the heads.
    shift: u32,
}

impl Index {
    /// Indexes a base of less than 4 GiB.
    pub(crate) fn new(base: &[u8]) -> Self {
        let blocks = base.len() / BLOCK;
        // Twice as many heads as blocks: most places of a target that match nothing then meet an empty one.
        let count = (2 * blocks).next_power_of_two().max(2);
        let mut index =
            Self { heads: vec![NONE; count], next: vec![NONE; blocks], shift: 128 - count.trailing_zeros() };
        for at in (0..blocks).rev() {
            let block = block_at(base, at * BLOCK);
            let head = index.slot(block);
            let first = index.heads[head];
            // Of a run of equal blocks the first leads to the longest match.
            let repeats = first as usize == at + 1 && block_at(base, (at + 1) * BLOCK) == block;
            index.next[at] = if repeats { index.next[at + 1] } else { first };
            index.heads[head] = u32::try_from(at).expect("bases are below 4 GiB");
        }
        index
    }

    /// The memory that the index takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.heads.len() + self.next.len())
    }

    /// Makes a delta of at most `limit` bytes from `base`, the one that was indexed, to `target`.
    ///
    /// Gives up as soon as that many bytes of the target were found nowhere, even if a later match might cover some.
    pub(crate) fn encode(&self, base: &[u8], target: &[u8], limit: usize) -> Option<Vec<u8>> {
        let mut delta = Delta { bytes: Vec::with_capacity(limit.min(1024)), limit };
        delta.size(base.len());
        delta.size(target.len());
        let (mut at, mut copied) = (0, 0);
        while at + BLOCK <= target.len() {
            let (start, length) = self.longest(base, &target[at..]);
            if length == 0 {
                at += 1;
                if at - copied > limit {
                    return None;
                }
                continue;
            }
            let before = common_end(&base[..start], &target[copied..at]);
            delta.insert(&target[copied..at - before])?;
            delta.copy(start - before, length + before)?;
            at += length;
            copied = at;
        }
        delta.insert(&target[copied..])?;
        Some(delta.bytes)
    }

    /// Finds where in the base the most of what the target begins with is; a length of 0 if nothing is.
    fn longest(&self, base: &[u8], target: &[u8]) -> (usize, usize) {
        let block = block_at(target, 0);
        let mut candidate = self.heads[self.slot(block)];
        let (mut start, mut length) = (0, 0);
        for _ in 0..CANDIDATES {
            if candidate == NONE || length >= LONG {
                break;
            }
            let position = candidate as usize * BLOCK;
            if block_at(base, position) == block {
                let found = BLOCK + common(&base[position + BLOCK..], &target[BLOCK..]);
                if found > length {
                    (start, length) = (position, found);
                }
            }
            candidate = self.next[candidate as usize];
        }
        (start, length)
    }

    fn slot(&self, block: u128) -> usize {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        usize::try_from(block.wrapping_mul(ODD) >> self.shift).expect("there are as many heads")
    }
}

fn block_at(bytes: &[u8], start: usize) -> u128 {
    u128::from_le_bytes(bytes[start..start + BLOCK].try_into().expect("a whole block"))
}

/// The length of what two texts share at their start.
fn common(one: &[u8], other: &[u8]) -> usize {
    const WORD: usize = 8;
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("a whole word"));
    let mut length = 0;
    for (left, right) in one.chunks_exact(WORD).zip(other.chunks_exact(WORD)) {
        let differing = word(left) ^ word(right);
        if differing != 0 {
            return length + differing.trailing_zeros() as usize / 8;
        }
        length += WORD;
    }
    length + one[length..].iter().zip(&other[length..]).take_while(|(left, right)| left == right).count()
}

/// The length of what two texts share at their end.
fn common_end(one: &[u8], other: &[u8]) -> usize {
    one.iter().rev().zip(other.iter().rev()).take_while(|(left, right)| left == right).count()
}

/// A delta that is being written; it never grows beyond its limit.
struct Delta {
    bytes: Vec<u8>,
    limit: usize,
}

impl Delta {
    fn size(&mut self, mut size: usize) {
        while size > 0x7f {
            self.bytes.push(size.to_le_bytes()[0] | 0x80);
            size >>= 7;
        }
        self.bytes.push(size.to_le_bytes()[0]);
    }

    fn insert(&mut self, bytes: &[u8]) -> Option<()> {
        self.room(bytes.len() + bytes.len().div_ceil(INSERT_MAX))?;
        for part in bytes.chunks(INSERT_MAX) {
            self.bytes.push(part.len().to_le_bytes()[0]);
            self.bytes.extend_from_slice(part);
        }
        Some(())
    }

    fn copy(&mut self, mut start: usize, mut length: usize) -> Option<()> {
        while length > 0 {
            let part = length.min(COPY_MAX);
            // The largest size is written as none at all.
            let [low, high, ..] = (part % COPY_MAX).to_le_bytes();
            let [a, b, c, d, ..] = start.to_le_bytes();
            let place = self.bytes.len();
            self.room(1)?;
            self.bytes.push(0x80);
            for (bit, byte) in [a, b, c, d, low, high].into_iter().enumerate() {
                if byte != 0 {
                    self.bytes[place] |= 1 << bit;
                    self.bytes.push(byte);
                }
            }
            self.room(0)?;
            start += part;
            length -= part;
        }
        Some(())
    }

    /// Gives up if that many more bytes do not fit.
    fn room(&self, bytes: usize) -> Option<()> {
        (self.bytes.len() + bytes <= self.limit).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::apply;

    /// A source of numbers, the same in each run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).expect("31 bits") % end
        }

        /// Bytes of few or of many values.
        fn bytes(&mut self, end: usize) -> Vec<u8> {
            let values = [1, 2, 5, 256][self.below(4)];
            (0..self.below(end)).map(|_| self.below(values).to_le_bytes()[0]).collect()
        }

        /// Parts of `base` in any order, with other bytes between them.
        fn edited(&mut self, base: &[u8], end: usize) -> Vec<u8> {
            let mut target = Vec::new();
            for _ in 0..self.below(8) {
                let start = self.below(base.len() + 1);
                let length = self.below(base.len() - start + 1);
                target.extend_from_slice(&base[start..start + length]);
                target.extend(self.bytes(end));
            }
            target
        }
    }

    #[test]
    fn deltas_make_what_they_were_made_from() {
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        for (rounds, base_end, end) in [(3000, 300, 40), (200, 20_000, 300), (10, 400_000, 90_000)] {
            for _ in 0..rounds {
                let base = dice.bytes(base_end);
                let index = Index::new(&base);
                for _ in 0..3 {
                    let target = dice.edited(&base, end);
                    let delta = index.encode(&base, &target, usize::MAX).expect("there is no limit");
                    assert_eq!(apply(&base, &delta).as_deref(), Ok(&target[..]));
                    let limit = dice.below(delta.len() + 2);
                    let limited = index.encode(&base, &target, limit);
                    assert!(limited.is_none_or(|limited| limited == delta && limit >= delta.len()));
                }
            }
        }
    }

    #[test]
    fn an_edit_costs_what_it_brings() {
        let base: Vec<_> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut target = base.clone();
        target.splice(70_001..70_004, *b"edited");
        target.extend_from_slice(b"end");
        let delta = Index::new(&base).encode(&base, &target, usize::MAX).expect("there is no limit");
        assert_eq!(apply(&base, &delta).as_deref(), Ok(&target[..]));
        assert!(delta.len() <= 40, "{}", delta.len());
    }

    #[test]
    fn monotonous_bases_are_not_slow() {
        let base = vec![0; 4 << 20];
        let mut target = [&base[..], &[1], &base[..]].concat();
        target.extend(std::iter::repeat_n([0; 15].as_slice(), 1 << 16).flat_map(|zeros| [zeros, &[2]].concat()));
        let delta = Index::new(&base).encode(&base, &target, usize::MAX).expect("there is no limit");
        assert_eq!(apply(&base, &delta).as_deref(), Ok(&target[..]));
    }
}

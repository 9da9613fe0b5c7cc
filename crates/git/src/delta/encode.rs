//! Computes deltas: an object as copies from a base and inserted bytes.
//!
//! The base is cut into blocks of equal size, which are found at any offset of the target by their hash. A match is then
//! extended in both directions, so an edit costs little more than its new bytes.
//!
//! **Invariant:** `apply(base, encode(base, target)) == target`, for all bases and targets.

#[cfg(test)]
mod tests;

/// The size of a block in bytes: shorter matches are never found, matches of twice the size always.
const BLOCK: usize = 16;

/// Half of a block.
const WORD: usize = 8;

/// Maximum number of blocks with the same hash that are compared; more would make some bases slow and few deltas smaller.
const CANDIDATES: usize = 32;

/// A match of this length in bytes is used without a search for a longer one.
const LONG: usize = 4096;

/// Samples of a target that are compared with a base, and the number that must match.
///
/// Of the targets half of which can be copied, all but one in a thousand pass.
const SAMPLES: usize = 32;
const SAMPLES_KNOWN: usize = 8;

/// Maximum number of bytes of a copy instruction.
const COPY_MAX: usize = 0x10000;

/// Maximum number of bytes of an insert instruction.
const INSERT_MAX: usize = 127;

/// No block.
const NONE: u32 = u32::MAX;

/// The index of the blocks of a base, for any number of targets.
pub(crate) struct Index {
    /// The first block for each hash.
    heads: Vec<u32>,
    /// The next block with the same hash, by block.
    next: Vec<u32>,
    /// The shift that reduces a hash to a number of a head.
    shift: u32,
}

impl Index {
    /// Indexes a base of less than 4 GiB.
    pub(crate) fn new(base: &[u8]) -> Self {
        let blocks = base.len() / BLOCK;
        // Twice as many heads as blocks, so most offsets of a target without a match find an empty head.
        let count = (2 * blocks).next_power_of_two().max(2);
        let mut index =
            Self { heads: vec![NONE; count], next: vec![NONE; blocks], shift: 128 - count.trailing_zeros() };
        for at in (0..blocks).rev() {
            let block = block_at(base, at * BLOCK);
            let head = index.slot(block);
            let first = index.heads[head];
            // The first of several equal blocks in a row gives the longest match.
            let repeats = first as usize == at + 1 && block_at(base, (at + 1) * BLOCK) == block;
            index.next[at] = if repeats { index.next[at + 1] } else { first };
            index.heads[head] = u32::try_from(at).expect("bases are below 4 GiB");
        }
        index
    }

    /// Returns the memory of the index in bytes.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.heads.len() + self.next.len())
    }

    /// Computes a delta of at most `limit` bytes from the indexed `base` to `target`.
    ///
    /// Returns `None` once that many bytes of the target have no match, even if a later match could cover some.
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

    /// Returns whether samples of the target match the base; in doubt, `true`.
    ///
    /// This costs a fraction of a delta, and avoids most deltas that would be too large.
    pub(crate) fn resembles(&self, base: &[u8], target: &[u8]) -> bool {
        let stride = target.len() / SAMPLES;
        if stride < 2 * BLOCK {
            return true;
        }
        // In a part copied from the base, a block of the base begins at one of every `BLOCK` offsets.
        let is_known = |sample: &usize| {
            let area = &target[sample * stride..][..2 * BLOCK];
            (0..BLOCK).any(|at| {
                let block = block_at(area, at);
                let candidate = self.heads[self.slot(block)];
                candidate != NONE && block_at(base, candidate as usize * BLOCK) == block
            })
        };
        (0..SAMPLES).filter(is_known).nth(SAMPLES_KNOWN - 1).is_some()
    }

    /// Finds the longest match in the base of the beginning of the target; its length is 0 if there is none.
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

    fn slot(&self, block: Block) -> usize {
        // Folding the product spreads blocks with counters, as in tables, as well as others.
        let product = u128::from(block.0 ^ 0x9e37_79b9_7f4a_7c15) * u128::from(block.1 ^ 0xf39c_c060_5ced_c835);
        let hash = (product ^ product >> 64) << 64 >> self.shift;
        usize::try_from(hash).expect("the number of heads fits")
    }
}

type Block = (u64, u64);

fn block_at(bytes: &[u8], start: usize) -> Block {
    let (low, high) = bytes[start..start + BLOCK].split_at(WORD);
    (word(low), word(high))
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("the slice has eight bytes"))
}

/// Returns the length of the common prefix of two texts.
fn common(one: &[u8], other: &[u8]) -> usize {
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

/// Returns the length of the common suffix of two texts.
fn common_end(one: &[u8], other: &[u8]) -> usize {
    one.iter().rev().zip(other.iter().rev()).take_while(|(left, right)| left == right).count()
}

/// A delta in construction; it never exceeds its limit.
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
            // The maximum size is encoded by no byte.
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

    /// Returns `None` if that many more bytes exceed the limit.
    fn room(&self, bytes: usize) -> Option<()> {
        (self.bytes.len() + bytes <= self.limit).then_some(())
    }
}

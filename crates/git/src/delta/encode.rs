//! Describing an object by what it shares with another one.
//!
//! The base is cut into blocks of equal size, found again in the target at any place by their hash. A match is
//! then made as long as it goes in both directions, so an edit costs little more than the bytes that it brought.
//!
//! **Invariant:** `apply(base, encode(base, target)) == target`, whatever the two are.

#[cfg(test)]
mod tests;

/// The size of the blocks, in bytes: no match that is shorter is found, all of twice the size are.
const BLOCK: usize = 16;

/// Half of a block.
const WORD: usize = 8;

/// Blocks with the same hash that are compared; more would make odd bases slow and few deltas smaller.
const CANDIDATES: usize = 32;

/// A match of this length, in bytes, is taken without a look for a longer one.
const LONG: usize = 4096;

/// The places of a target that are looked at to tell whether it is like a base, and how many of them have to be.
///
/// Of a target half of which can be copied, all but one in a thousand are recognized.
const SAMPLES: usize = 32;
const SAMPLES_KNOWN: usize = 8;

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

    /// Tells by samples whether the target is somewhat like the base; in doubt it is.
    ///
    /// Costs a fraction of a delta, and spares most that would come out too large.
    pub(crate) fn resembles(&self, base: &[u8], target: &[u8]) -> bool {
        let stride = target.len() / SAMPLES;
        if stride < 2 * BLOCK {
            return true;
        }
        // In what was copied from the base, one of as many places as a block has bytes begins a block of the base.
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

    fn slot(&self, block: Block) -> usize {
        // Folding the product spreads blocks that count up, as in tables, as well as any others.
        let product = u128::from(block.0 ^ 0x9e37_79b9_7f4a_7c15) * u128::from(block.1 ^ 0xf39c_c060_5ced_c835);
        let hash = (product ^ product >> 64) << 64 >> self.shift;
        usize::try_from(hash).expect("there are as many heads")
    }
}

type Block = (u64, u64);

fn block_at(bytes: &[u8], start: usize) -> Block {
    let (low, high) = bytes[start..start + BLOCK].split_at(WORD);
    (word(low), word(high))
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("a whole word"))
}

/// The length of what two texts share at their start.
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

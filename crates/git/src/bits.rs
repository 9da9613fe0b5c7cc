//! Bit sets of small numbers.

/// A set of numbers below a fixed bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

const WORD: usize = 64;

impl Bits {
    /// Creates an empty set for numbers below `len`.
    pub(crate) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD)] }
    }

    /// Tells whether a number is in the set.
    pub(crate) fn get(&self, at: u32) -> bool {
        let at = at as usize;
        self.words[at / WORD] >> (at % WORD) & 1 != 0
    }

    /// Adds a number; returns whether it is new.
    pub(crate) fn set(&mut self, at: u32) -> bool {
        let at = at as usize;
        let word = &mut self.words[at / WORD];
        let new = *word >> (at % WORD) & 1 == 0;
        *word |= 1 << (at % WORD);
        new
    }

    /// Counts the numbers in the set.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Lists the numbers in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..).step_by(WORD).zip(&self.words).flat_map(|(start, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(start + bit)
            })
        })
    }

    /// Removes the numbers of another set with the same bound.
    pub(crate) fn and_not(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Returns the bits, 64 to a word; the smallest number is the lowest bit.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Returns the words to change. Bits at or beyond the bound must stay zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u32]) -> Bits {
        let mut bits = Bits::new(130);
        for number in numbers {
            assert!(bits.set(*number));
        }
        bits
    }

    #[test]
    fn numbers_are_added_removed_and_listed() {
        let mut bits = of(&[129, 0, 63, 64]);
        assert!(!bits.set(63));
        assert!(bits.get(129) && !bits.get(128));
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert_eq!(bits.count(), 4);
        bits.and_not(&of(&[0, 129, 7]));
        assert_eq!(bits, of(&[63, 64]));
    }
}

//! Sets of objects as runs: adjacent objects of a pack mostly belong to the same commits.

use crate::bits::Bits;

/// A set of numbers: runs of words that are all empty or all full, each followed by words as they are.
///
/// A word before each run tells in its lowest bit which it is, in the 31 bits above how many words it has, and in
/// its upper half how many words follow as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runs(Vec<u64>);

const RUN_MAX: usize = (1 << 31) - 1;

impl Runs {
    /// Takes the words of runs that were read; `None` if they do not describe a set of numbers below `bound`.
    pub(crate) fn of_words(words: Vec<u64>, bound: usize) -> Option<Self> {
        let (mut at, mut described, mut last) = (0, 0, 0);
        while let Some(head) = words.get(at) {
            let (full, run, plain) = parts(*head);
            at += 1 + plain;
            described += run + plain;
            last = if plain > 0 { *words.get(at - 1)? } else { u64::from(full).wrapping_neg() };
        }
        let len = bound.div_ceil(64);
        let beyond = if bound.is_multiple_of(64) { 0 } else { u64::MAX << (bound % 64) };
        (at == words.len() && described == len && last & beyond == 0).then_some(Self(words))
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }

    /// Puts a set into runs.
    pub(crate) fn of(bits: &Bits) -> Self {
        let mut words = Vec::new();
        let mut rest = bits.words();
        while let Some(first) = rest.first() {
            let fill = if *first == u64::MAX { u64::MAX } else { 0 };
            let run = rest.iter().take(RUN_MAX).take_while(|word| **word == fill).count();
            let (_, tail) = rest.split_at(run);
            let plain = tail.iter().take(RUN_MAX).take_while(|word| **word != 0 && **word != u64::MAX).count();
            let (literals, tail) = tail.split_at(plain);
            words.push(fill & 1 | (run as u64) << 1 | (plain as u64) << 32);
            words.extend_from_slice(literals);
            rest = tail;
        }
        words.shrink_to_fit();
        Self(words)
    }

    /// Adds the set to another one of the same bound.
    pub(crate) fn add_to(&self, bits: &mut Bits) {
        let mut rest = bits.words_mut();
        let mut words = self.0.as_slice();
        while let Some((head, tail)) = words.split_first() {
            let (full, run, plain) = parts(*head);
            let (filled, other) = rest.split_at_mut(run);
            if full {
                filled.fill(u64::MAX);
            }
            let (copied, other) = other.split_at_mut(plain);
            for (word, literal) in copied.iter_mut().zip(tail) {
                *word |= literal;
            }
            (words, rest) = (&tail[plain..], other);
        }
    }
}

/// Takes the head of a run apart: whether it is full, its words, and the words as they are that follow it.
fn parts(head: u64) -> (bool, usize, usize) {
    let number = |bits: u64| usize::try_from(bits).expect("32 bits at most");
    (head & 1 != 0, number(head >> 1 & RUN_MAX as u64), number(head >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_keep_the_set() {
        for numbers in [&[][..], &[0], &[63, 64, 999], &(0..128).collect::<Vec<_>>(), &(70..700).collect::<Vec<_>>()] {
            let mut bits = Bits::new(1000);
            for number in numbers {
                bits.set(*number);
            }
            let runs = Runs::of(&bits);
            let mut read = Bits::new(1000);
            runs.add_to(&mut read);
            assert_eq!(read, bits);
            let words = runs.words().to_vec();
            assert_eq!(Runs::of_words(words.clone(), 1000), Some(runs));
            assert_eq!(Runs::of_words(words.clone(), 1025), None);
            assert_eq!(Runs::of_words(words[..words.len() - 1].to_vec(), 1000), None);
        }
        assert_eq!(Runs::of_words(vec![1 | 16 << 1], 1000), None);
        assert!(Runs::of(&Bits::new(1 << 20)).words().len() == 1);
    }
}

//! Deltas of random and of awkward texts.

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
fn samples_tell_what_is_alike() {
    let base: Vec<_> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
    let other: Vec<_> = (20_000..30_000_u32).flat_map(u32::to_le_bytes).collect();
    let index = Index::new(&base);
    assert!(index.resembles(&base, &base[5..]));
    assert!(index.resembles(&base, &[&other[..20_000], &base[3..20_000]].concat()));
    assert!(index.resembles(&base, b"too short to tell"));
    assert!(!index.resembles(&base, &other));
}

#[test]
fn monotonous_bases_are_not_slow() {
    let base = vec![0; 4 << 20];
    let mut target = [&base[..], &[1], &base[..]].concat();
    target.extend(std::iter::repeat_n([0; 15].as_slice(), 1 << 16).flat_map(|zeros| [zeros, &[2]].concat()));
    let delta = Index::new(&base).encode(&base, &target, usize::MAX).expect("there is no limit");
    assert_eq!(apply(&base, &delta).as_deref(), Ok(&target[..]));
}

//! The lines that two texts have in common, by the histogram algorithm: matches start at rare lines and are extended to their
//! neighbours.
//!
//! gitoxide has this algorithm too, but it drops the common start and end of both texts before it counts lines, and skips
//! some lines that it should compare. Both rarely matter in a difference, but they change the result of a merge.

use std::collections::HashMap;

use gix::diff::blob::{Algorithm, Diff, Hunk, NoSliderHeuristic, Token};

use crate::{Error, Interrupt, line_diff::from_pairs};

/// The maximum number of occurrences of a line at which a match can start.
const OCCURRENCES_MAX: usize = 64;

/// The interval between checks for an interruption, in lines.
const LINES_PER_CHECK: usize = 1 << 10;

/// Lists the changes between two texts; a change with several possible positions is at the last one.
pub(super) fn diff(before: &[Token], after: &[Token], tokens: u32, interrupt: &Interrupt) -> Result<Vec<Hunk>, Error> {
    let pairs = pairs(before, after, tokens, interrupt)?;
    let mut diff = from_pairs(before.len(), after.len(), &pairs);
    diff.postprocess_with(before, after, NoSliderHeuristic);
    Ok(diff.hunks().collect())
}

/// A range of equal lines in two texts.
#[derive(Clone, Copy, Default)]
struct CommonRun {
    before: usize,
    after: usize,
    lines: usize,
}

/// Pairs the lines that two texts have in common, in any order.
fn pairs(before: &[Token], after: &[Token], tokens: u32, interrupt: &Interrupt) -> Result<Vec<(usize, usize)>, Error> {
    let mut pairs = Vec::with_capacity(before.len().min(after.len()));
    // The ranges that are not paired yet.
    let mut open = vec![(0..before.len(), 0..after.len())];
    while let Some((part, part_after)) = open.pop() {
        let (start, start_after) = (part.start, part_after.start);
        let (before, after) = (&before[part.clone()], &after[part_after.clone()]);
        if before.is_empty() || after.is_empty() {
            continue;
        }
        interrupt.check()?;
        let Some(common) = longest(before, after, interrupt)? else {
            let mut diff = Diff::default();
            diff.compute_with(Algorithm::Myers, before, after, tokens);
            let same = (0..before.len()).filter(|line| !diff.is_removed(u32::try_from(*line).unwrap_or(u32::MAX)));
            let same_after = (0..after.len()).filter(|line| !diff.is_added(u32::try_from(*line).unwrap_or(u32::MAX)));
            pairs.extend(same.zip(same_after).map(|(line, line_after)| (start + line, start_after + line_after)));
            continue;
        };
        if common.lines == 0 {
            continue;
        }
        let (at, at_after) = (start + common.before, start_after + common.after);
        pairs.extend((0..common.lines).map(|line| (at + line, at_after + line)));
        open.push((start..at, start_after..at_after));
        open.push((at + common.lines..part.end, at_after + common.lines..part_after.end));
    }
    Ok(pairs)
}

/// Where each line is in a text.
struct Places {
    /// The first place of a line, and how many there are.
    first: HashMap<Token, (usize, usize)>,
    /// For each place the next one of the same line.
    next: Vec<u32>,
}

impl Places {
    fn of(text: &[Token]) -> Self {
        let mut places = Self { first: HashMap::new(), next: vec![0; text.len()] };
        for (line, token) in text.iter().enumerate().rev() {
            let (first, count) = places.first.entry(*token).or_insert((line, 0));
            places.next[line] = u32::try_from(*first).expect("a text has fewer lines than that");
            (*first, *count) = (line, *count + 1);
        }
        places
    }

    fn count(&self, token: Token) -> usize {
        self.first.get(&token).map_or(0, |(_, count)| *count)
    }

    /// Lists the places of a line, the first one first.
    fn list(&self, token: Token) -> impl Iterator<Item = usize> {
        let (first, count) = self.first.get(&token).copied().unwrap_or_default();
        std::iter::successors(Some(first), |place| Some(self.next[*place] as usize)).take(count)
    }
}

/// Finds the longest common range with the rarest lines; `None` if all common lines occur too often.
fn longest(before: &[Token], after: &[Token], interrupt: &Interrupt) -> Result<Option<CommonRun>, Error> {
    let places = Places::of(before);
    let mut best = CommonRun::default();
    let mut rarity = OCCURRENCES_MAX + 1;
    let mut has_common = false;
    let (mut line, mut checked) = (0, 0);
    while line < after.len() {
        if line >= checked + LINES_PER_CHECK {
            interrupt.check()?;
            checked = line;
        }
        let mut next = line + 1;
        let count = places.count(after[line]);
        has_common |= count > 0;
        let here = if count > rarity { 0 } else { count };
        // A position in the range that was just found would give the same range.
        let mut from = 0;
        for place in places.list(after[line]).take(here) {
            if place < from {
                continue;
            }
            let common = extend(before, after, place, line);
            let end = common.before + common.lines;
            let rarest = before[common.before..end].iter().map(|token| places.count(*token)).min().unwrap_or(rarity);
            next = next.max(common.after + common.lines);
            from = end;
            if common.lines > best.lines.max(1) || rarest < rarity {
                (best, rarity) = (common, rarest);
            }
        }
        line = next;
    }
    Ok(if has_common && rarity > OCCURRENCES_MAX { None } else { Some(best) })
}

/// Extends a common line by the equal lines before and after it.
fn extend(before: &[Token], after: &[Token], line: usize, line_after: usize) -> CommonRun {
    let back = before[..line].iter().rev().zip(after[..line_after].iter().rev());
    let back = back.take_while(|(one, other)| one == other).count();
    let ahead = before[line..].iter().zip(&after[line_after..]).take_while(|(one, other)| one == other).count();
    CommonRun { before: line - back, after: line_after - back, lines: back + ahead }
}

//! Which lines two texts have in common, by the histogram algorithm: rare lines decide, and what is next to them follows.
//!
//! gitoxide has this algorithm too, but it leaves out what both texts begin and end with before it counts lines, and skips
//! some of those that it should compare. Both are rarely seen in a difference, and make another merge.

use std::collections::HashMap;

use gix::diff::blob::{Algorithm, Diff, Hunk, NoSliderHeuristic, Token};

/// How often a line can be there at most to decide anything.
const OCCURRENCES_MAX: usize = 64;

/// Finds what differs between two texts; changes that can be at several places are at the last of them.
pub(super) fn diff(before: &[Token], after: &[Token], tokens: u32) -> Vec<Hunk> {
    let mut pairs = Vec::with_capacity(before.len().min(after.len()));
    pair(before, after, (0, 0), tokens, &mut pairs);
    // Each line counts as its own, but for those that were paired, so that gitoxide cannot but find the same.
    let count = |lines: usize| u32::try_from(lines).expect("a text has fewer lines than that");
    let mut numbered: Vec<_> = (0..count(after.len())).map(|line| Token(count(before.len()) + line)).collect();
    for (line, line_after) in pairs {
        numbered[line_after] = Token(count(line));
    }
    let all: Vec<_> = (0..count(before.len())).map(Token).collect();
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Histogram, &all, &numbered, count(before.len() + after.len()));
    diff.postprocess_with(before, after, NoSliderHeuristic);
    diff.hunks().collect()
}

/// A part of two texts that is the same in both.
#[derive(Clone, Copy, Default)]
struct Common {
    before: usize,
    after: usize,
    lines: usize,
}

/// Pairs the lines of two parts of texts, which begin at `start`.
fn pair(
    mut before: &[Token],
    mut after: &[Token],
    start: (usize, usize),
    tokens: u32,
    pairs: &mut Vec<(usize, usize)>,
) {
    let mut start = start;
    while !before.is_empty() && !after.is_empty() {
        let Some(common) = longest(before, after) else {
            let mut diff = Diff::default();
            diff.compute_with(Algorithm::Myers, before, after, tokens);
            let same = (0..before.len()).filter(|line| !diff.is_removed(u32::try_from(*line).unwrap_or(u32::MAX)));
            let same_after = (0..after.len()).filter(|line| !diff.is_added(u32::try_from(*line).unwrap_or(u32::MAX)));
            pairs.extend(same.zip(same_after).map(|(line, line_after)| (start.0 + line, start.1 + line_after)));
            return;
        };
        if common.lines == 0 {
            return;
        }
        pair(&before[..common.before], &after[..common.after], start, tokens, pairs);
        let (at, at_after) = (start.0 + common.before, start.1 + common.after);
        pairs.extend((0..common.lines).map(|line| (at + line, at_after + line)));
        before = &before[common.before + common.lines..];
        after = &after[common.after + common.lines..];
        start = (at + common.lines, at_after + common.lines);
    }
}

/// Finds the longest part with the rarest lines that two texts have in common; nothing if all that they have in common
/// is there too often.
fn longest(before: &[Token], after: &[Token]) -> Option<Common> {
    let mut places = HashMap::<Token, Vec<usize>>::new();
    for (line, token) in before.iter().enumerate() {
        places.entry(*token).or_default().push(line);
    }
    let mut best = Common::default();
    let mut rarity = OCCURRENCES_MAX + 1;
    let mut has_common = false;
    let mut line = 0;
    while line < after.len() {
        let mut next = line + 1;
        let here = places.get(&after[line]).map_or(&[][..], Vec::as_slice);
        has_common |= !here.is_empty();
        let here = if here.len() > rarity { &[] } else { here };
        // What lies in the part that was just found gives that part again.
        let mut from = 0;
        for &place in here {
            if place < from {
                continue;
            }
            let common = extend(before, after, place, line);
            let end = common.before + common.lines;
            let rarest = before[common.before..end].iter().map(|token| places[token].len()).min().unwrap_or(rarity);
            next = next.max(common.after + common.lines);
            from = end;
            if common.lines > best.lines.max(1) || rarest < rarity {
                (best, rarity) = (common, rarest);
            }
        }
        line = next;
    }
    if has_common && rarity > OCCURRENCES_MAX { None } else { Some(best) }
}

/// Extends a line that both texts have to all around it that is the same.
fn extend(before: &[Token], after: &[Token], line: usize, line_after: usize) -> Common {
    let back = before[..line].iter().rev().zip(after[..line_after].iter().rev());
    let back = back.take_while(|(one, other)| one == other).count();
    let ahead = before[line..].iter().zip(&after[line_after..]).take_while(|(one, other)| one == other).count();
    Common { before: line - back, after: line_after - back, lines: back + ahead }
}

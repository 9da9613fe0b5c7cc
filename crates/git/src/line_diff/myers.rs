//! The lines that two texts have in common, by Myers' algorithm with Git's heuristics.
//!
//! gitoxide has this algorithm too, but without a way to interrupt it, and on large texts with little in common it takes
//! minutes.

use std::ops::Range;

use gix::diff::blob::Token;

use crate::{Error, Interrupt};

/// The number of edits after which Git accepts a good cut instead of the best one.
const EDITS_MIN: i64 = 256;

/// The number of equal lines in a row that makes a cut good.
const SNAKE: i64 = 20;

/// The number of occurrences in the other text from which on a line counts as common.
const COMMON_MAX: usize = 1024;

/// The number of lines to inspect before and after a common line.
const SURROUNDING_LINES: usize = 100;

/// Pairs the lines that two texts have in common, in order.
pub(super) fn pairs(before: &[Token], after: &[Token], interrupt: &Interrupt) -> Result<Vec<(usize, usize)>, Error> {
    let same = |(one, other): &(&Token, &Token)| one == other;
    let front = before.iter().zip(after).take_while(same).count();
    let back = before[front..].iter().rev().zip(after[front..].iter().rev()).take_while(same).count();
    let (end, end_after) = (before.len() - back, after.len() - back);
    let mut pairs: Vec<_> = (0..front).map(|line| (line, line)).collect();
    let kept = compared(before, front..end, after);
    let kept_after = compared(after, front..end_after, before);
    let tokens = |text: &[Token], lines: &[usize]| lines.iter().map(|line| text[*line]).collect::<Vec<_>>();
    let (ours, theirs) = (tokens(before, &kept), tokens(after, &kept_after));
    let mut search = MyersSearch::new(&ours, &theirs, interrupt);
    search.run()?;
    let is_kept = |changed: &[bool], lines: &[usize]| {
        lines.iter().zip(changed).filter(|(_, changed)| !**changed).map(|(line, _)| *line).collect::<Vec<_>>()
    };
    pairs.extend(is_kept(&search.removed, &kept).into_iter().zip(is_kept(&search.added, &kept_after)));
    pairs.extend((0..back).map(|line| (end + line, end_after + line)));
    Ok(pairs)
}

/// The value of a line for finding its counterpart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It does not occur in the other text.
    Alone,
    /// It occurs in the other text.
    Shared,
    /// It occurs in the other text very often.
    Common,
}

/// Lists the lines of a part of a text that are compared with the other text.
fn compared(text: &[Token], part: Range<usize>, other: &[Token]) -> Vec<usize> {
    let tokens = text.iter().chain(other).map(|token| token.0 as usize + 1).max().unwrap_or_default();
    let mut counts = vec![0_usize; tokens];
    for token in other {
        counts[token.0 as usize] += 1;
    }
    let common = root(text.len()).min(COMMON_MAX);
    let weigh = |token: &Token| match counts[token.0 as usize] {
        0 => Weight::Alone,
        count if count >= common => Weight::Common,
        _ => Weight::Shared,
    };
    let weights: Vec<_> = text[part.clone()].iter().map(weigh).collect();
    let is_worth = |at: &usize| match weights[*at] {
        Weight::Alone => false,
        Weight::Shared => true,
        Weight::Common => !is_in_changes(&weights, *at),
    };
    (0..weights.len()).filter(is_worth).map(|at| part.start + at).collect()
}

/// Tells whether a common line is surrounded by so many lines of this text alone that it counts as changed.
fn is_in_changes(weights: &[Weight], at: usize) -> bool {
    let start = at.saturating_sub(SURROUNDING_LINES);
    let end = weights.len().min(at + SURROUNDING_LINES + 1);
    let count = |lines: &mut dyn Iterator<Item = &Weight>| {
        let (mut alone, mut common) = (0, 1);
        for weight in lines.take_while(|weight| **weight != Weight::Shared) {
            if *weight == Weight::Alone { alone += 1 } else { common += 1 }
        }
        (alone, common)
    };
    let (alone, common) = count(&mut weights[start..at].iter().rev());
    let (alone_after, common_after) = count(&mut weights[at + 1..end].iter());
    alone > 0 && alone_after > 0 && alone + alone_after > 3 * (common + common_after)
}

/// Approximates the square root by a power of two, as Git does.
fn root(mut number: usize) -> usize {
    let mut root = 1;
    while number > 0 {
        number >>= 2;
        root <<= 1;
    }
    root
}

/// A range of lines in each text; the end is excluded.
#[derive(Clone, Copy)]
struct DiffWindow {
    start: i64,
    end: i64,
    start_after: i64,
    end_after: i64,
    /// Whether the result must have the fewest possible edits, without heuristics.
    is_minimal: bool,
}

/// The position at which a window is cut in two, and which of the two parts must have the fewest possible edits.
struct Cut {
    line: i64,
    line_after: i64,
    minimal: [bool; 2],
}

struct MyersSearch<'t> {
    before: &'t [Token],
    after: &'t [Token],
    removed: Vec<bool>,
    added: Vec<bool>,
    /// The furthest line on each diagonal, from the start and from the end.
    reached: [Vec<i64>; 2],
    /// The maximum number of edits that are tried for one cut.
    edits_max: i64,
    interrupt: &'t Interrupt,
}

impl<'t> MyersSearch<'t> {
    fn new(before: &'t [Token], after: &'t [Token], interrupt: &'t Interrupt) -> Self {
        let diagonals = before.len() + after.len() + 3;
        let edits_max = i64::try_from(root(diagonals)).unwrap_or(i64::MAX).max(EDITS_MIN);
        Self {
            before,
            after,
            removed: vec![false; before.len()],
            added: vec![false; after.len()],
            reached: [vec![0; diagonals], vec![0; diagonals]],
            edits_max,
            interrupt,
        }
    }

    /// Finds the removed and added lines.
    fn run(&mut self) -> Result<(), Error> {
        let (end, end_after) = (length(self.before), length(self.after));
        let mut open = vec![DiffWindow { start: 0, end, start_after: 0, end_after, is_minimal: false }];
        while let Some(mut window) = open.pop() {
            while window.start < window.end
                && window.start_after < window.end_after
                && self.is_same(window.start, window.start_after)
            {
                window.start += 1;
                window.start_after += 1;
            }
            while window.start < window.end
                && window.start_after < window.end_after
                && self.is_same(window.end - 1, window.end_after - 1)
            {
                window.end -= 1;
                window.end_after -= 1;
            }
            if window.start == window.end || window.start_after == window.end_after {
                self.removed[index(window.start)..index(window.end)].fill(true);
                self.added[index(window.start_after)..index(window.end_after)].fill(true);
                continue;
            }
            let Cut { line, line_after, minimal } = self.cut(&window)?;
            open.push(DiffWindow { start: line, start_after: line_after, is_minimal: minimal[1], ..window });
            open.push(DiffWindow { end: line, end_after: line_after, is_minimal: minimal[0], ..window });
        }
        Ok(())
    }

    /// Finds the position at which the paths from the start and from the end meet, or a good cut.
    fn cut(&mut self, window: &DiffWindow) -> Result<Cut, Error> {
        let DiffWindow { start, end, start_after, end_after, .. } = *window;
        let (least, most) = (start - end_after, end - start_after);
        let (middle, middle_back) = (start - start_after, end - end_after);
        let is_odd = (middle - middle_back) & 1 != 0;
        let (mut low, mut high) = (middle, middle);
        let (mut low_back, mut high_back) = (middle_back, middle_back);
        self.set(0, middle, start);
        self.set(1, middle_back, end);
        for edits in 1.. {
            self.interrupt.check()?;
            let mut is_snake = false;
            widen(&mut low, &mut high, least, most, |at| self.set(0, at, -1));
            for diagonal in downwards(low, high) {
                let (below, above) = (self.get(0, diagonal - 1), self.get(0, diagonal + 1));
                let first = if below >= above { below + 1 } else { above };
                let mut line = first;
                while line < end && line - diagonal < end_after && self.is_same(line, line - diagonal) {
                    line += 1;
                }
                is_snake |= line - first > SNAKE;
                self.set(0, diagonal, line);
                if is_odd && (low_back..=high_back).contains(&diagonal) && self.get(1, diagonal) <= line {
                    return Ok(Cut { line, line_after: line - diagonal, minimal: [true, true] });
                }
            }
            widen(&mut low_back, &mut high_back, least, most, |at| self.set(1, at, i64::MAX));
            for diagonal in downwards(low_back, high_back) {
                let (below, above) = (self.get(1, diagonal - 1), self.get(1, diagonal + 1));
                let first = if below < above { below } else { above - 1 };
                let mut line = first;
                while line > start && line - diagonal > start_after && self.is_same(line - 1, line - diagonal - 1) {
                    line -= 1;
                }
                is_snake |= first - line > SNAKE;
                self.set(1, diagonal, line);
                if !is_odd && (low..=high).contains(&diagonal) && line <= self.get(0, diagonal) {
                    return Ok(Cut { line, line_after: line - diagonal, minimal: [true, true] });
                }
            }
            if window.is_minimal {
                continue;
            }
            if is_snake && edits > EDITS_MIN {
                if let Some(cut) = self.good_cut_from_start(window, edits, low, high) {
                    return Ok(cut);
                }
                if let Some(cut) = self.good_cut_from_end(window, edits, low_back, high_back) {
                    return Ok(cut);
                }
            }
            if edits >= self.edits_max {
                break;
            }
        }
        Ok(self.furthest(window, (low, high), (low_back, high_back)))
    }

    /// Finds the furthest position from the start that follows a row of equal lines.
    fn good_cut_from_start(&self, window: &DiffWindow, edits: i64, low: i64, high: i64) -> Option<Cut> {
        let DiffWindow { start, end, start_after, end_after, .. } = *window;
        let middle = start - start_after;
        let (mut best, mut found) = (0, None);
        for diagonal in downwards(low, high) {
            let line = self.get(0, diagonal);
            let line_after = line - diagonal;
            let value = (line - start) + (line_after - start_after) - (diagonal - middle).abs();
            if value > 4 * edits
                && value > best
                && (start + SNAKE..end).contains(&line)
                && (start_after + SNAKE..end_after).contains(&line_after)
                && (1..=SNAKE).all(|back| self.is_same(line - back, line_after - back))
            {
                best = value;
                found = Some(Cut { line, line_after, minimal: [true, false] });
            }
        }
        found
    }

    /// Finds the furthest position from the end that begins a row of equal lines.
    fn good_cut_from_end(&self, window: &DiffWindow, edits: i64, low: i64, high: i64) -> Option<Cut> {
        let DiffWindow { start, end, start_after, end_after, .. } = *window;
        let middle = end - end_after;
        let (mut best, mut found) = (0, None);
        for diagonal in downwards(low, high) {
            let line = self.get(1, diagonal);
            let line_after = line - diagonal;
            let value = (end - line) + (end_after - line_after) - (diagonal - middle).abs();
            if value > 4 * edits
                && value > best
                && (start + 1..=end - SNAKE).contains(&line)
                && (start_after + 1..=end_after - SNAKE).contains(&line_after)
                && (0..SNAKE).all(|on| self.is_same(line + on, line_after + on))
            {
                best = value;
                found = Some(Cut { line, line_after, minimal: [false, true] });
            }
        }
        found
    }

    /// Returns the furthest position of all, after too many edits.
    fn furthest(&self, window: &DiffWindow, ahead: (i64, i64), back: (i64, i64)) -> Cut {
        let DiffWindow { start, end, start_after, end_after, .. } = *window;
        let (mut far, mut near) = ((-1, -1), (i64::MAX, i64::MAX));
        for diagonal in downwards(ahead.0, ahead.1) {
            let line = self.get(0, diagonal).min(end).min(end_after + diagonal);
            far = if 2 * line - diagonal > far.0 { (2 * line - diagonal, line) } else { far };
        }
        for diagonal in downwards(back.0, back.1) {
            let line = self.get(1, diagonal).max(start).max(start_after + diagonal);
            near = if 2 * line - diagonal < near.0 { (2 * line - diagonal, line) } else { near };
        }
        if end + end_after - near.0 < far.0 - (start + start_after) {
            Cut { line: far.1, line_after: far.0 - far.1, minimal: [true, false] }
        } else {
            Cut { line: near.1, line_after: near.0 - near.1, minimal: [false, true] }
        }
    }

    fn is_same(&self, line: i64, line_after: i64) -> bool {
        self.before[index(line)] == self.after[index(line_after)]
    }

    fn get(&self, way: usize, diagonal: i64) -> i64 {
        self.reached[way][index(diagonal + length(self.after) + 1)]
    }

    fn set(&mut self, way: usize, diagonal: i64, line: i64) {
        let at = index(diagonal + length(self.after) + 1);
        self.reached[way][at] = line;
    }
}

/// Adds a diagonal on each side, or removes one at the border of the window; calls `set` for the diagonals just outside.
fn widen(low: &mut i64, high: &mut i64, least: i64, most: i64, mut set: impl FnMut(i64)) {
    if *low > least {
        *low -= 1;
        set(*low - 1);
    } else {
        *low += 1;
    }
    if *high < most {
        *high += 1;
        set(*high + 1);
    } else {
        *high -= 1;
    }
}

/// Lists every second diagonal, in descending order.
fn downwards(low: i64, high: i64) -> impl Iterator<Item = i64> {
    std::iter::successors(Some(high), |diagonal| Some(diagonal - 2)).take_while(move |diagonal| *diagonal >= low)
}

fn length(text: &[Token]) -> i64 {
    i64::try_from(text.len()).expect("a text has fewer than 2^63 lines")
}

fn index(line: i64) -> usize {
    usize::try_from(line).expect("lines and diagonals are never below the start")
}

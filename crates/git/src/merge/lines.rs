//! Comparing three versions of a text line by line.
//!
//! Lines are compared by the histogram algorithm, and adjacent changes conflict, as in Git.

use std::ops::Range;

use gix::diff::blob::{Hunk, Interner, Token, sources::byte_lines};

use super::histogram;
use crate::{Error, Interrupt};

/// The maximum number of lines of three versions of a text together. The comparison takes about a hundred bytes of memory
/// for each line.
pub const LINES_MAX: usize = 2_000_000;

/// Tells whether three versions of a text have at most [`LINES_MAX`] lines.
pub fn can_compare(texts: [&[u8]; 3]) -> bool {
    let lines = texts.iter().flat_map(|text| text.iter()).filter(|byte| **byte == b'\n').count();
    lines <= LINES_MAX
}

/// A part of three versions of a text; consecutive parts cover the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPart {
    /// The side that changed it.
    pub by: ChangedBy,
    /// The lines of the common ancestor, counted from 0.
    pub base: Range<usize>,
    /// The lines of our side.
    pub ours: Range<usize>,
    /// The lines of their side.
    pub theirs: Range<usize>,
}

/// The side that changed a part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedBy {
    /// None, or both in the same way.
    Neither,
    /// Our side only.
    Ours,
    /// Their side only.
    Theirs,
    /// Both, in different ways.
    Both,
}

/// Three versions of a text, split into lines.
pub struct TextVersions<'t> {
    interner: Interner<&'t [u8]>,
    pub(super) base: Vec<Token>,
    pub(super) ours: Vec<Token>,
    pub(super) theirs: Vec<Token>,
}

impl<'t> TextVersions<'t> {
    /// Splits the texts into lines with their line ends.
    pub fn new(base: &'t [u8], ours: &'t [u8], theirs: &'t [u8]) -> Self {
        let mut interner = Interner::new(64);
        let [base, ours, theirs] =
            [base, ours, theirs].map(|text| byte_lines(text).map(|line| interner.intern(line)).collect());
        Self { interner, base, ours, theirs }
    }

    /// Returns the text of lines.
    pub fn text(&self, lines: &[Token]) -> Vec<u8> {
        lines.iter().flat_map(|line| self.line(*line)).copied().collect()
    }

    /// Returns the text of a part in the common ancestor, on our side and on theirs.
    pub fn texts(&self, part: &TextPart) -> [Vec<u8>; 3] {
        [&self.base[part.base.clone()], &self.ours[part.ours.clone()], &self.theirs[part.theirs.clone()]]
            .map(|lines| self.text(lines))
    }

    pub(super) fn line(&self, line: Token) -> &'t [u8] {
        self.interner[line]
    }

    /// Splits the texts into parts by the side that changed them; `interrupt` can end the work early.
    pub fn parts(&self, interrupt: &Interrupt) -> Result<Vec<TextPart>, Error> {
        let mut parts = Vec::new();
        let mut last = TextPart { by: ChangedBy::Neither, base: 0..0, ours: 0..0, theirs: 0..0 };
        let ends = (self.base.len(), self.ours.len(), self.theirs.len());
        let end =
            TextPart { by: ChangedBy::Neither, base: ends.0..ends.0, ours: ends.1..ends.1, theirs: ends.2..ends.2 };
        for mut change in self.changes(interrupt)?.into_iter().chain([end]) {
            let same = TextPart {
                by: ChangedBy::Neither,
                base: last.base.end..change.base.start,
                ours: last.ours.end..change.ours.start,
                theirs: last.theirs.end..change.theirs.start,
            };
            // Different changes can have the same result.
            if change.by == ChangedBy::Both && self.ours[change.ours.clone()] == self.theirs[change.theirs.clone()] {
                change.by = ChangedBy::Neither;
            }
            last = change.clone();
            parts.extend([same, change].into_iter().filter(|part| !part.is_empty()));
        }
        Ok(parts)
    }

    /// Returns the whole texts as one part; `None` if all are empty.
    pub fn whole(&self) -> Option<TextPart> {
        let by = match (self.base == self.ours, self.base == self.theirs) {
            _ if self.ours == self.theirs => ChangedBy::Neither,
            (true, _) => ChangedBy::Theirs,
            (_, true) => ChangedBy::Ours,
            _ => ChangedBy::Both,
        };
        let part = TextPart { by, base: 0..self.base.len(), ours: 0..self.ours.len(), theirs: 0..self.theirs.len() };
        Some(part).filter(|part| !part.is_empty())
    }

    /// Lists the differences between lines.
    pub(super) fn diff(&self, before: &[Token], after: &[Token], interrupt: &Interrupt) -> Result<Vec<Hunk>, Error> {
        histogram::diff(before, after, self.interner.num_tokens(), interrupt)
    }

    /// Lists the changes in order, without those that both sides made in the same way.
    pub(super) fn changes(&self, interrupt: &Interrupt) -> Result<Vec<TextPart>, Error> {
        let ours = self.diff(&self.base, &self.ours, interrupt)?;
        let theirs = self.diff(&self.base, &self.theirs, interrupt)?;
        let (mut our, mut their) = (ours.iter().peekable(), theirs.iter().peekable());
        let mut changes = Vec::new();
        // The distance of a side's lines from those of the ancestor, between two changes.
        let drift = |next: Option<&&Hunk>, lines: usize| match next {
            Some(hunk) => i64::from(hunk.after.start) - i64::from(hunk.before.start),
            None => offset(lines) - offset(self.base.len()),
        };
        loop {
            let (our_drift, their_drift) = (drift(our.peek(), self.ours.len()), drift(their.peek(), self.theirs.len()));
            match (our.peek().copied(), their.peek().copied()) {
                (None, None) => return Ok(changes),
                (Some(hunk), other) if other.is_none_or(|other| hunk.before.end < other.before.start) => {
                    let (base, ours) = (range(&hunk.before), range(&hunk.after));
                    append(
                        &mut changes,
                        TextPart { by: ChangedBy::Ours, theirs: moved(&base, their_drift), base, ours },
                    );
                    our.next();
                }
                (other, Some(hunk)) if other.is_none_or(|other| hunk.before.end < other.before.start) => {
                    let (base, theirs) = (range(&hunk.before), range(&hunk.after));
                    append(
                        &mut changes,
                        TextPart { by: ChangedBy::Theirs, ours: moved(&base, our_drift), base, theirs },
                    );
                    their.next();
                }
                (Some(mine), Some(other)) => {
                    if !self.is_same(mine, other) {
                        append(&mut changes, both(mine, other));
                    }
                    let (mine, other) = (mine.before.end, other.before.end);
                    if mine >= other {
                        their.next();
                    }
                    if other >= mine {
                        our.next();
                    }
                }
                _ => unreachable!("a change without a counterpart is matched above"),
            }
        }
    }

    fn is_same(&self, ours: &Hunk, theirs: &Hunk) -> bool {
        ours.before == theirs.before && self.ours[range(&ours.after)] == self.theirs[range(&theirs.after)]
    }
}

impl TextPart {
    fn is_empty(&self) -> bool {
        self.base.is_empty() && self.ours.is_empty() && self.theirs.is_empty()
    }
}

/// Joins two overlapping changes into one part, from the start of the first to the end of the last one.
fn both(ours: &Hunk, theirs: &Hunk) -> TextPart {
    let start = ours.before.start.min(theirs.before.start);
    let end = ours.before.end.max(theirs.before.end);
    let reach = |hunk: &Hunk| {
        let (front, back) = (hunk.before.start - start, end - hunk.before.end);
        // A start before the first line touches the previous change, with which it is joined.
        hunk.after.start.saturating_sub(front) as usize..(hunk.after.end + back) as usize
    };
    TextPart { by: ChangedBy::Both, base: start as usize..end as usize, ours: reach(ours), theirs: reach(theirs) }
}

/// Adds a change; joins it with the last one if they touch on one of the sides.
fn append(changes: &mut Vec<TextPart>, change: TextPart) {
    match changes.last_mut() {
        Some(last) if change.ours.start <= last.ours.end || change.theirs.start <= last.theirs.end => {
            if last.by != change.by {
                last.by = ChangedBy::Both;
            }
            last.base.end = change.base.end;
            last.ours.end = change.ours.end;
            last.theirs.end = change.theirs.end;
        }
        _ => changes.push(change),
    }
}

fn range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn moved(range: &Range<usize>, drift: i64) -> Range<usize> {
    // A position before the first line touches the previous change, with which it is joined.
    let at = |line: usize| usize::try_from(offset(line) + drift).unwrap_or_default();
    at(range.start)..at(range.end)
}

fn offset(lines: usize) -> i64 {
    i64::try_from(lines).expect("a text has fewer than 2^63 lines")
}

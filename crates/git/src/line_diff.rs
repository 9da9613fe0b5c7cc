//! The lines that differ between two texts.

mod myers;

use std::borrow::Cow;
use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, InternedInput, Token};

use crate::{Error, Interrupt};

/// The number of leading bytes that decide whether content is text, as in Git.
const INSPECTED_BYTES: usize = 8_000;

/// A range of lines in one text that replaces a range of lines in another; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// The lines of the first text, counted from 0.
    pub before: Range<usize>,
    /// The lines of the second text, counted from 0.
    pub after: Range<usize>,
}

/// Splits a text into lines with their newlines; the last line may have none.
pub fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Tells whether content is binary: as in Git, whether a zero byte is near the start.
pub fn is_binary(content: &[u8]) -> bool {
    content.iter().take(INSPECTED_BYTES).any(|byte| *byte == 0)
}

/// Lists the lines that differ between two texts, in order, with the same result as Git.
///
/// With `ignore_white_space`, lines that differ in white space only count as equal. `interrupt` can end the work early.
pub fn diff_lines(
    before: &[&[u8]],
    after: &[&[u8]],
    ignore_white_space: bool,
    interrupt: &Interrupt,
) -> Result<Vec<LineChange>, Error> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().map(|line| key_of(line, ignore_white_space)));
    input.update_after(after.iter().map(|line| key_of(line, ignore_white_space)));
    let pairs = myers::pairs(&input.before, &input.after, interrupt)?;
    let mut diff = from_pairs(before.len(), after.len(), &pairs);
    diff.postprocess_lines(&input);
    let lines = |range: Range<u32>| range.start as usize..range.end as usize;
    Ok(diff.hunks().map(|hunk| LineChange { before: lines(hunk.before), after: lines(hunk.after) }).collect())
}

/// Creates the difference of two texts, given their numbers of lines and the pairs of lines that they have in common.
pub(crate) fn from_pairs(before: usize, after: usize, pairs: &[(usize, usize)]) -> Diff {
    // Only paired lines get equal tokens, so that gitoxide finds exactly these pairs.
    let count = |lines: usize| u32::try_from(lines).expect("a text has fewer than 2^32 lines");
    let all: Vec<_> = (0..count(before)).map(Token).collect();
    let mut numbered: Vec<_> = (0..count(after)).map(|line| Token(count(before) + line)).collect();
    for (line, line_after) in pairs {
        numbered[*line_after] = Token(count(*line));
    }
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Myers, &all, &numbered, count(before + after));
    diff
}

/// Returns the part of a line that is compared.
fn key_of(line: &[u8], ignore_white_space: bool) -> Cow<'_, [u8]> {
    if ignore_white_space && line.iter().any(u8::is_ascii_whitespace) {
        line.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    } else {
        line.into()
    }
}

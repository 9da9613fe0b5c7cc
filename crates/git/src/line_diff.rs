//! The lines in which two texts differ.

mod myers;

use std::borrow::Cow;
use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, InternedInput, Token};

use crate::{Error, Interrupt};

/// How many bytes are looked at to tell whether content is text; Git looks at as many.
const LOOKED_AT_BYTES: usize = 8_000;

/// Neighbouring lines of one text in the place of those of another one; either may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// The lines of the first text, counted from 0.
    pub before: Range<usize>,
    /// The lines of the second text, counted from 0.
    pub after: Range<usize>,
}

/// Splits a text into lines; each keeps its newline, which the last one may not have.
pub fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Tells whether content is no text, as Git does it: by a zero near the start.
pub fn is_binary(content: &[u8]) -> bool {
    content.iter().take(LOOKED_AT_BYTES).any(|byte| *byte == 0)
}

/// Finds the lines in which two texts differ, in their order, as Git finds them.
///
/// Lines that differ in white space alone are the same if `ignore_white_space` says so. `interrupt` can end it early.
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
    let mut diff = paired(before.len(), after.len(), &pairs);
    diff.postprocess_lines(&input);
    let lines = |range: Range<u32>| range.start as usize..range.end as usize;
    Ok(diff.hunks().map(|hunk| LineChange { before: lines(hunk.before), after: lines(hunk.after) }).collect())
}

/// Gives what differs between two texts of so many lines that have the lines in common that are paired.
pub(crate) fn paired(before: usize, after: usize, pairs: &[(usize, usize)]) -> Diff {
    // Each line counts as its own, but for those that are paired, so that gitoxide cannot but find the same.
    let count = |lines: usize| u32::try_from(lines).expect("a text has fewer lines than that");
    let all: Vec<_> = (0..count(before)).map(Token).collect();
    let mut numbered: Vec<_> = (0..count(after)).map(|line| Token(count(before) + line)).collect();
    for (line, line_after) in pairs {
        numbered[*line_after] = Token(count(*line));
    }
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Myers, &all, &numbered, count(before + after));
    diff
}

/// What two lines have in common that are the same.
fn key_of(line: &[u8], ignore_white_space: bool) -> Cow<'_, [u8]> {
    if ignore_white_space && line.iter().any(u8::is_ascii_whitespace) {
        line.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    } else {
        line.into()
    }
}

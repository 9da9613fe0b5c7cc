//! Changed lines with those around them.

use aws_sdk_codecommit::types::{DiffChange, DiffChangeType, DiffHunk};
use git::Change;

/// How many lines a hunk can have; a longer one is cut.
const LINES_MAX: usize = 25_000;

/// A run of lines of two texts.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    /// How many lines of the texts come before it.
    before_start: usize,
    after_start: usize,
    lines: Vec<Line>,
}

/// A line; its number in the texts that have it, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Kept(usize, usize),
    Deleted(usize),
    Added(usize),
}

/// Cuts two texts into the runs of lines that changed, each with up to `context` lines before and behind it.
///
/// Runs that then meet are one. `before_lines` is the length of the first text.
pub(super) fn pieces(changes: &[Change], before_lines: usize, context: usize) -> impl Iterator<Item = Piece> {
    let apart = move |one: &Change, next: &Change| next.before.start - one.before.end <= 2 * context;
    changes.chunk_by(apart).flat_map(move |group| cut(group, before_lines, context))
}

fn cut(group: &[Change], before_lines: usize, context: usize) -> impl Iterator<Item = Piece> + use<> {
    let (first, last) = (&group[0], &group[group.len() - 1]);
    let lead = context.min(first.before.start);
    let (before_start, after_start) = (first.before.start - lead, first.after.start - lead);
    let mut lines = Vec::new();
    let (mut before, mut after) = (before_start, after_start);
    let keep = |lines: &mut Vec<Line>, (before, after): (usize, usize), count: usize| {
        lines.extend((0..count).map(|at| Line::Kept(before + at, after + at)));
    };
    for change in group {
        keep(&mut lines, (before, after), change.before.start - before);
        lines.extend(change.before.clone().map(Line::Deleted));
        lines.extend(change.after.clone().map(Line::Added));
        (before, after) = (change.before.end, change.after.end);
    }
    keep(&mut lines, (before, after), context.min(before_lines - last.before.end));
    let mut starts = (before_start, after_start);
    let pieces: Vec<_> = lines
        .chunks(LINES_MAX)
        .map(|lines| {
            let (before_start, after_start) = starts;
            let piece = Piece { before_start, after_start, lines: lines.to_vec() };
            starts = (before_start + piece.before_lines(), after_start + piece.after_lines());
            piece
        })
        .collect();
    pieces.into_iter()
}

impl Piece {
    fn before_lines(&self) -> usize {
        self.lines.iter().filter(|line| !matches!(line, Line::Added(_))).count()
    }

    fn after_lines(&self) -> usize {
        self.lines.iter().filter(|line| !matches!(line, Line::Deleted(_))).count()
    }

    /// Shows the piece. As in Git, a side without lines begins with the line before it.
    pub(super) fn shape(&self, before: &[&[u8]], after: &[&[u8]]) -> DiffHunk {
        let start = |start: usize, count: usize| number(if count == 0 { start } else { start + 1 });
        let (before_count, after_count) = (self.before_lines(), self.after_lines());
        let changes = self.lines.iter().map(|line| {
            let (kind, before_at, after_at, content) = match *line {
                Line::Kept(before, at) => (DiffChangeType::Context, Some(before), Some(at), after[at]),
                Line::Deleted(at) => (DiffChangeType::Delete, Some(at), None, before[at]),
                Line::Added(at) => (DiffChangeType::Add, None, Some(at), after[at]),
            };
            let content = content.strip_suffix(b"\n").unwrap_or(content);
            DiffChange::builder()
                .r#type(kind)
                .set_before_line_number(before_at.map(|at| number(at + 1)))
                .set_after_line_number(after_at.map(|at| number(at + 1)))
                .content(String::from_utf8_lossy(content))
                .build()
        });
        DiffHunk::builder()
            .before_start_line(start(self.before_start, before_count))
            .before_line_count(number(before_count))
            .after_start_line(start(self.after_start, after_count))
            .after_line_count(number(after_count))
            .set_changes(Some(changes.collect()))
            .build()
    }
}

fn number(lines: usize) -> i32 {
    i32::try_from(lines).expect("a file has fewer lines than bytes, and those have a limit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: std::ops::Range<usize>, after: std::ops::Range<usize>) -> Change {
        Change { before, after }
    }

    #[test]
    fn runs_that_meet_are_one() {
        let changes = [change(3..4, 3..4), change(10..10, 10..11)];
        let lengths = |context| pieces(&changes, 11, context).map(|piece| piece.lines.len()).collect::<Vec<_>>();
        assert_eq!(lengths(3), [13]);
        assert_eq!(lengths(2), [6, 4]);
        assert_eq!(lengths(0), [2, 1]);
    }

    #[test]
    fn a_side_without_lines_begins_before() {
        let added = pieces(&[change(0..0, 0..1)], 0, 3).next().expect("a piece").shape(&[], &[b"a\n"]);
        assert_eq!((added.before_start_line(), added.before_line_count()), (Some(0), Some(0)));
        assert_eq!((added.after_start_line(), added.after_line_count()), (Some(1), Some(1)));
    }

    #[test]
    fn a_long_run_is_cut() {
        let changes = [change(0..0, 0..LINES_MAX + 1)];
        let pieces: Vec<_> = pieces(&changes, 0, 3).collect();
        assert_eq!(pieces.iter().map(|piece| piece.lines.len()).collect::<Vec<_>>(), [LINES_MAX, 1]);
        assert_eq!((pieces[1].before_start, pieces[1].after_start), (0, LINES_MAX));
    }
}

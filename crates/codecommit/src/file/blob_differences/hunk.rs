//! Hunks: changed lines with their context.

use aws_sdk_codecommit::types::{DiffChange, DiffChangeType, DiffHunk};
use git::LineChange;

/// Maximum number of lines of a hunk; a longer one is split.
const LINES_MAX: usize = 25_000;

/// Run of lines of two texts.
#[derive(Debug, PartialEq)]
pub(super) struct Hunk {
    /// Number of lines of each text before the run.
    before_start: usize,
    after_start: usize,
    lines: Vec<Line>,
}

/// Line, with its number in each text that has it, from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Kept(usize, usize),
    Deleted(usize),
    Added(usize),
}

/// Returns the hunks of a comparison: changed lines with up to `context` lines before and after them.
///
/// Changes whose contexts touch share a hunk. `before_lines` is the number of lines of the first text.
pub(super) fn hunks(changes: &[LineChange], before_lines: usize, context: usize) -> impl Iterator<Item = Hunk> {
    let apart = move |one: &LineChange, next: &LineChange| next.before.start - one.before.end <= 2 * context;
    changes.chunk_by(apart).flat_map(move |group| hunks_of(group, before_lines, context))
}

/// Returns the hunk of a group of changes, split if it is too long.
fn hunks_of(group: &[LineChange], before_lines: usize, context: usize) -> impl Iterator<Item = Hunk> + use<> {
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
    let hunks: Vec<_> = lines
        .chunks(LINES_MAX)
        .map(|lines| {
            let (before_start, after_start) = starts;
            let hunk = Hunk { before_start, after_start, lines: lines.to_vec() };
            starts = (before_start + hunk.before_lines(), after_start + hunk.after_lines());
            hunk
        })
        .collect();
    hunks.into_iter()
}

impl Hunk {
    fn before_lines(&self) -> usize {
        self.lines.iter().filter(|line| !matches!(line, Line::Added(_))).count()
    }

    fn after_lines(&self) -> usize {
        self.lines.iter().filter(|line| !matches!(line, Line::Deleted(_))).count()
    }

    /// Returns the wire shape. As in Git, a side without lines starts at the line before the hunk.
    pub(super) fn to_wire(&self, before: &[&[u8]], after: &[&[u8]]) -> DiffHunk {
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
    i32::try_from(lines).expect("a file has at most FILE_BYTES_MAX lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: std::ops::Range<usize>, after: std::ops::Range<usize>) -> LineChange {
        LineChange { before, after }
    }

    #[test]
    fn changes_with_touching_contexts_share_a_hunk() {
        let changes = [change(3..4, 3..4), change(10..10, 10..11)];
        let lengths = |context| hunks(&changes, 11, context).map(|hunk| hunk.lines.len()).collect::<Vec<_>>();
        assert_eq!(lengths(3), [13]);
        assert_eq!(lengths(2), [6, 4]);
        assert_eq!(lengths(0), [2, 1]);
    }

    #[test]
    fn a_side_without_lines_starts_at_the_line_before() {
        let added = hunks(&[change(0..0, 0..1)], 0, 3).next().expect("the change has a hunk").to_wire(&[], &[b"a\n"]);
        assert_eq!((added.before_start_line(), added.before_line_count()), (Some(0), Some(0)));
        assert_eq!((added.after_start_line(), added.after_line_count()), (Some(1), Some(1)));
    }

    #[test]
    fn a_long_hunk_is_split() {
        let changes = [change(0..0, 0..LINES_MAX + 1)];
        let hunks: Vec<_> = hunks(&changes, 0, 3).collect();
        assert_eq!(hunks.iter().map(|hunk| hunk.lines.len()).collect::<Vec<_>>(), [LINES_MAX, 1]);
        assert_eq!((hunks[1].before_start, hunks[1].after_start), (0, LINES_MAX));
    }
}

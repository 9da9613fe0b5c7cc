//! Rows of a table of differences: hunks, lines, and the comments on them.

use serde::Deserialize;

use crate::comments::Thread;

/// A run of lines of two files.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hunk {
    pub(super) before_start_line: u32,
    pub(super) before_line_count: u32,
    pub(super) after_start_line: u32,
    pub(super) after_line_count: u32,
    #[serde(default)]
    pub(super) changes: Vec<HunkLine>,
}

/// A line of a hunk.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HunkLine {
    #[serde(rename = "type")]
    pub(super) kind: LineKind,
    pub(super) before_line_number: Option<u32>,
    pub(super) after_line_number: Option<u32>,
    pub(super) content: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum LineKind {
    Context,
    Delete,
    Add,
}

/// The version of a file in which a line is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Side {
    /// Returns the name in locations of comments.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Before => "BEFORE",
            Self::After => "AFTER",
        }
    }

    /// Reads the position of a line, such as `AFTER-12`.
    pub(super) fn parse_line(text: &str) -> Option<(Self, u32)> {
        let (version, number) = text.split_once('-')?;
        let version = [Self::Before, Self::After].into_iter().find(|known| known.name() == version)?;
        Some((version, number.parse().ok()?))
    }
}

/// A row of the table.
pub(super) enum DiffRow {
    /// The start of a hunk, as Git writes it.
    Hunk(String),
    /// A line of the unified view.
    Line(Line),
    /// Lines side by side.
    Pair(Option<Cell>, Option<Cell>),
    /// Comments on the line above.
    Threads(Vec<Thread>),
    /// The form for a comment on the line above.
    Form(Side, u32),
}

/// A line of one side.
pub(super) struct Cell {
    pub(super) number: u32,
    pub(super) line: Line,
    /// Whether comments on the line are made here: a line without changes is on both sides.
    pub(super) has_link: bool,
}

/// A line with the part of it that differs from its counterpart.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) kind: LineKind,
    pub(super) before: Option<u32>,
    pub(super) after: Option<u32>,
    text: String,
    /// The bytes of the part that differs.
    changed: (usize, usize),
    /// Whether it ends with a carriage return, which is shown only where it is the difference.
    has_return: bool,
}

impl Line {
    fn new(line: &HunkLine) -> Self {
        let text = line.content.strip_suffix('\r').unwrap_or(&line.content).to_owned();
        Self {
            kind: line.kind,
            before: line.before_line_number,
            after: line.after_line_number,
            has_return: text.len() < line.content.len(),
            text,
            changed: (0, 0),
        }
    }

    /// Returns the class of the row or cell.
    pub(super) const fn class(&self) -> &'static str {
        match self.kind {
            LineKind::Context => "",
            LineKind::Delete => "removed",
            LineKind::Add => "added",
        }
    }

    /// Returns the text before, in and after the part that differs.
    pub(super) fn parts(&self) -> [&str; 3] {
        let (start, end) = self.changed;
        [&self.text[..start], &self.text[start..end], &self.text[end..]]
    }

    /// Returns where a comment on the line is placed.
    pub(super) fn position(&self) -> (Side, u32) {
        match (self.kind, self.before, self.after) {
            (LineKind::Delete, Some(before), _) => (Side::Before, before),
            (_, _, after) => (Side::After, after.unwrap_or_default()),
        }
    }

    fn is_at(&self, (version, number): (Side, u32)) -> bool {
        let own = match version {
            Side::Before => self.before,
            Side::After => self.after,
        };
        own == Some(number)
    }
}

/// Arranges hunks as rows, with a form at a line, and the threads that are on shown lines; the others stay in `threads`.
pub(super) fn arrange(
    hunks: Vec<Hunk>,
    is_split: bool,
    form: Option<(Side, u32)>,
    threads: &mut Vec<Thread>,
) -> Vec<DiffRow> {
    let mut rows = Vec::new();
    for hunk in hunks {
        let Hunk { before_start_line, before_line_count, after_start_line, after_line_count, changes } = hunk;
        rows.push(DiffRow::Hunk(format!(
            "@@ -{before_start_line},{before_line_count} +{after_start_line},{after_line_count} @@"
        )));
        let mut lines: Vec<Line> = changes.iter().map(Line::new).collect();
        for run in runs(&mut lines) {
            mark(run);
            if is_split {
                for (before, after) in pairs(run) {
                    let shown: Vec<Line> = before.iter().chain(&after).cloned().collect();
                    let left = before.map(|line| Cell {
                        number: line.before.unwrap_or_default(),
                        has_link: line.kind == LineKind::Delete,
                        line,
                    });
                    let right = after.map(|line| Cell { number: line.after.unwrap_or_default(), has_link: true, line });
                    rows.push(DiffRow::Pair(left, right));
                    add_comments(&mut rows, &shown, form, threads);
                }
            } else {
                for line in run.iter() {
                    rows.push(DiffRow::Line(line.clone()));
                    add_comments(&mut rows, std::slice::from_ref(line), form, threads);
                }
            }
        }
    }
    rows
}

/// Splits lines into runs of context and runs of changes.
fn runs(lines: &mut [Line]) -> impl Iterator<Item = &mut [Line]> {
    lines.chunk_by_mut(|one, next| (one.kind == LineKind::Context) == (next.kind == LineKind::Context))
}

/// Returns the lines of a run side by side.
fn pairs(run: &[Line]) -> Vec<(Option<Line>, Option<Line>)> {
    if run.first().is_some_and(|line| line.kind == LineKind::Context) {
        return run.iter().map(|line| (Some(line.clone()), Some(line.clone()))).collect();
    }
    let side = |kind| run.iter().filter(move |line| line.kind == kind).cloned();
    let (mut before, mut after) = (side(LineKind::Delete), side(LineKind::Add));
    std::iter::from_fn(|| Some((before.next(), after.next())).filter(|(one, other)| one.is_some() || other.is_some()))
        .collect()
}

/// Marks what differs between the removed and the added lines of a run, if there are as many of both.
fn mark(run: &mut [Line]) {
    let removed = run.iter().take_while(|line| line.kind == LineKind::Delete).count();
    if removed == 0 || removed * 2 != run.len() {
        return;
    }
    let (before, after) = run.split_at_mut(removed);
    for (one, other) in before.iter_mut().zip(after) {
        if one.has_return != other.has_return {
            for line in [&mut *one, &mut *other].into_iter().filter(|line| line.has_return) {
                line.text.push('\u{240d}');
            }
        }
        let common = |(left, right): (char, char)| (left == right).then(|| left.len_utf8());
        let start: usize = one.text.chars().zip(other.text.chars()).map_while(common).sum();
        let rest = (one.text[start..].chars().rev()).zip(other.text[start..].chars().rev());
        let end: usize = rest.map_while(common).sum();
        // Lines that have little in common differ as a whole.
        if (start + end) * 3 >= one.text.len().max(other.text.len()) {
            one.changed = (start, one.text.len() - end);
            other.changed = (start, other.text.len() - end);
        }
    }
}

/// Adds the comments on lines, and the form.
fn add_comments(rows: &mut Vec<DiffRow>, lines: &[Line], form: Option<(Side, u32)>, threads: &mut Vec<Thread>) {
    let is_on_lines = |thread: &mut Thread| {
        let position = thread.location.as_ref().and_then(|location| {
            let version = location.relative_file_version.as_deref()?;
            Side::parse_line(&format!("{version}-{}", location.file_position?))
        });
        position.is_some_and(|position| lines.iter().any(|line| line.is_at(position)))
    };
    if !threads.is_empty() {
        let found: Vec<Thread> = threads.extract_if(.., is_on_lines).collect();
        if !found.is_empty() {
            rows.push(DiffRow::Threads(found));
        }
    }
    if let Some((version, number)) = form
        && lines.iter().any(|line| line.is_at((version, number)))
    {
        rows.push(DiffRow::Form(version, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunk(lines: &[(LineKind, &str)]) -> Vec<Hunk> {
        let (mut before, mut after) = (0, 0);
        let changes = lines.iter().map(|(kind, content)| {
            before += u32::from(*kind != LineKind::Add);
            after += u32::from(*kind != LineKind::Delete);
            HunkLine {
                kind: *kind,
                before_line_number: (*kind != LineKind::Add).then_some(before),
                after_line_number: (*kind != LineKind::Delete).then_some(after),
                content: (*content).to_owned(),
            }
        });
        let changes = changes.collect();
        vec![Hunk { before_start_line: 1, before_line_count: 2, after_start_line: 1, after_line_count: 2, changes }]
    }

    #[test]
    fn the_differing_part_of_a_line_is_marked() {
        use LineKind::{Add, Context, Delete};
        let hunks = hunk(&[(Context, "a"), (Delete, "let x = 1;\r"), (Add, "let x = 21;\r"), (Context, "b")]);
        let rows = arrange(hunks, false, None, &mut Vec::new());
        let lines: Vec<_> =
            rows.iter().filter_map(|row| if let DiffRow::Line(line) = row { Some(line) } else { None }).collect();
        assert_eq!(lines[1].parts(), ["let x = ", "", "1;"]);
        assert_eq!(lines[2].parts(), ["let x = ", "2", "1;"]);
        assert_eq!(lines[0].parts(), ["", "", "a"]);
    }

    #[test]
    fn lines_side_by_side_have_gaps() {
        use LineKind::{Add, Context, Delete};
        let hunks = hunk(&[(Context, "a"), (Delete, "b"), (Delete, "c"), (Add, "d"), (Context, "e")]);
        let form = Side::parse_line("AFTER-2");
        let rows = arrange(hunks, true, form, &mut Vec::new());
        let shown: Vec<_> = rows
            .iter()
            .map(|row| match row {
                DiffRow::Hunk(text) => text.clone(),
                DiffRow::Pair(before, after) => {
                    let side =
                        |cell: &Option<Cell>| cell.as_ref().map_or("-".to_owned(), |cell| cell.line.text.clone());
                    format!("{} {}", side(before), side(after))
                }
                DiffRow::Form(version, number) => format!("{} {number}", version.name()),
                DiffRow::Line(_) | DiffRow::Threads(_) => String::new(),
            })
            .collect();
        assert_eq!(shown, ["@@ -1,2 +1,2 @@", "a a", "b d", "AFTER 2", "c -", "e e"]);
        assert_eq!(Side::parse_line("AFTER-x"), None);
        assert_eq!(Side::parse_line("12"), None);
    }
}

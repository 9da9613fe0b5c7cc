//! Merging three versions of a text, with markers around conflicts.

use gix::diff::blob::Token;

use super::lines::{ChangedBy, TextPart, TextVersions};
use crate::{Error, Interrupt};

/// The maximum number of lines between two conflicts that are shown as one.
const BETWEEN_MAX: usize = 3;

/// The length of conflict markers.
pub(super) const MARKER_LENGTH: usize = 7;

/// The side whose lines are used where both sides changed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Favor {
    /// None: the change is a conflict.
    #[default]
    Neither,
    /// Our side's.
    Ours,
    /// Their side's.
    Theirs,
}

/// A merged text.
pub(super) struct MergedText {
    pub(super) data: Vec<u8>,
    pub(super) is_clean: bool,
}

/// The form of conflict markers.
pub(super) struct ConflictMarkers {
    pub(super) length: usize,
    pub(super) ours: Vec<u8>,
    pub(super) theirs: Vec<u8>,
}

/// Merges three versions of a text: the ancestor's, ours and theirs. `interrupt` can end the work early.
pub(super) fn merge(
    [base, ours, theirs]: [&[u8]; 3],
    favor: Favor,
    markers: &ConflictMarkers,
    interrupt: &Interrupt,
) -> Result<MergedText, Error> {
    let lines = TextVersions::new(base, ours, theirs);
    let mut text = MergedText { data: Vec::with_capacity(ours.len().max(theirs.len())), is_clean: true };
    let mut at = 0;
    for part in joined(refined(&lines, lines.changes(interrupt)?, interrupt)?) {
        let (ours, theirs) = (&lines.ours[part.ours.clone()], &lines.theirs[part.theirs.clone()]);
        text.data.extend(lines.text(&lines.ours[at..part.ours.start]));
        match (part.by, favor) {
            (ChangedBy::Ours | ChangedBy::Neither, _) | (ChangedBy::Both, Favor::Ours) => {
                text.data.extend(lines.text(ours));
            }
            (ChangedBy::Theirs, _) | (ChangedBy::Both, Favor::Theirs) => text.data.extend(lines.text(theirs)),
            (ChangedBy::Both, Favor::Neither) => {
                text.is_clean = false;
                let end: &[u8] = if ends_with_return(&lines, &part) { b"\r\n" } else { b"\n" };
                write_marker(&mut text.data, b'<', markers.length, &markers.ours, end);
                write_lines(&mut text.data, &lines.text(ours), end);
                write_marker(&mut text.data, b'=', markers.length, b"", end);
                write_lines(&mut text.data, &lines.text(theirs), end);
                write_marker(&mut text.data, b'>', markers.length, &markers.theirs, end);
            }
        }
        at = part.ours.end;
    }
    text.data.extend(lines.text(&lines.ours[at..]));
    Ok(text)
}

/// Reduces each conflict to the lines that differ between the sides.
fn refined(lines: &TextVersions<'_>, changes: Vec<TextPart>, interrupt: &Interrupt) -> Result<Vec<TextPart>, Error> {
    let mut refined = Vec::with_capacity(changes.len());
    for part in changes {
        if part.by != ChangedBy::Both || part.ours.is_empty() || part.theirs.is_empty() {
            refined.push(part);
            continue;
        }
        let (ours, theirs) = (part.ours.start, part.theirs.start);
        let hunks = lines.diff(&lines.ours[part.ours.clone()], &lines.theirs[part.theirs.clone()], interrupt)?;
        if hunks.is_empty() {
            refined.push(TextPart { by: ChangedBy::Neither, ..part });
            continue;
        }
        refined.extend(hunks.into_iter().map(|hunk| TextPart {
            by: ChangedBy::Both,
            base: part.base.clone(),
            ours: ours + hunk.before.start as usize..ours + hunk.before.end as usize,
            theirs: theirs + hunk.after.start as usize..theirs + hunk.after.end as usize,
        }));
    }
    Ok(refined)
}

/// Joins conflicts that are near each other.
fn joined(changes: Vec<TextPart>) -> Vec<TextPart> {
    let mut joined: Vec<TextPart> = Vec::with_capacity(changes.len());
    for part in changes {
        match joined.last_mut() {
            Some(last)
                if last.by == ChangedBy::Both
                    && part.by == ChangedBy::Both
                    && part.ours.start - last.ours.end <= BETWEEN_MAX =>
            {
                last.ours.end = part.ours.end;
                last.theirs.end = part.theirs.end;
            }
            _ => joined.push(part),
        }
    }
    joined
}

fn write_marker(out: &mut Vec<u8>, sign: u8, length: usize, label: &[u8], end: &[u8]) {
    out.extend(std::iter::repeat_n(sign, length));
    if !label.is_empty() {
        out.push(b' ');
        out.extend_from_slice(label);
    }
    out.extend_from_slice(end);
}

/// Writes lines; adds a line end if the last one has none.
fn write_lines(out: &mut Vec<u8>, lines: &[u8], end: &[u8]) {
    out.extend_from_slice(lines);
    if !lines.is_empty() && !lines.ends_with(b"\n") {
        out.extend_from_slice(end);
    }
}

/// Tells whether the markers of a conflict end with `\r\n`: if the surrounding lines do so in all versions.
fn ends_with_return(lines: &TextVersions<'_>, part: &TextPart) -> bool {
    let before = |text: &[Token], line: usize| line_end(lines, text, line.saturating_sub(1));
    // A side without any line end is ignored, but the ancestor must have one.
    before(&lines.ours, part.ours.start) != Some(false)
        && before(&lines.theirs, part.theirs.start) != Some(false)
        && line_end(lines, &lines.base, 0) == Some(true)
}

fn line_end(lines: &TextVersions<'_>, text: &[Token], line: usize) -> Option<bool> {
    let has_return = |line: usize| text.get(line).map(|line| lines.line(*line)).filter(|line| line.ends_with(b"\n"));
    let found = has_return(line).or_else(|| line.checked_sub(1).and_then(has_return));
    found.map(|line| line.ends_with(b"\r\n"))
}

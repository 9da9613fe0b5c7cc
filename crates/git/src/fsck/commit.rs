//! Checks of commits and annotated tags.

use bstr::ByteSlice;

use super::{Message, Report};
use crate::Kind;

type CheckResult = Result<(), String>;

/// Checks a commit.
pub(super) fn check_commit(data: &[u8], report: &mut Report<'_>) -> CheckResult {
    check_header(data, report)?;
    let Some(rest) = data.strip_prefix(b"tree ") else {
        return report.add(Message::MissingTree, "invalid format - expected 'tree' line");
    };
    let Some(mut rest) = after_id(rest) else {
        return report.add(Message::BadTreeSha1, "invalid 'tree' line format - bad sha1");
    };
    while let Some(parent) = rest.strip_prefix(b"parent ") {
        let Some(after) = after_id(parent) else {
            return report.add(Message::BadParentSha1, "invalid 'parent' line format - bad sha1");
        };
        rest = after;
    }
    let mut authors = 0;
    while let Some(author) = rest.strip_prefix(b"author ") {
        authors += 1;
        rest = check_person(author, report)?;
    }
    match authors {
        0 => report.add(Message::MissingAuthor, "invalid format - expected 'author' line")?,
        1 => {}
        _ => report.add(Message::MultipleAuthors, "invalid format - multiple 'author' lines")?,
    }
    let Some(committer) = rest.strip_prefix(b"committer ") else {
        return report.add(Message::MissingCommitter, "invalid format - expected 'committer' line");
    };
    check_person(committer, report)?;
    if data.contains(&0) {
        report.add(Message::NulInCommit, "NUL byte in the commit object body")?;
    }
    Ok(())
}

/// Checks an annotated tag.
pub(super) fn check_tag(data: &[u8], report: &mut Report<'_>) -> CheckResult {
    check_header(data, report)?;
    let Some(rest) = data.strip_prefix(b"object ") else {
        return report.add(Message::MissingObject, "invalid format - expected 'object' line");
    };
    let Some(rest) = after_id(rest) else {
        return report.add(Message::BadObjectSha1, "invalid 'object' line format - bad sha1");
    };
    let Some(rest) = rest.strip_prefix(b"type ") else {
        return report.add(Message::MissingTypeEntry, "invalid format - expected 'type' line");
    };
    let Some((kind, rest)) = rest.split_once_str("\n") else {
        return report.add(Message::MissingType, "invalid format - unexpected end after 'type' line");
    };
    if Kind::from_bytes(kind).is_err() {
        report.add(Message::BadType, "invalid 'type' value")?;
    }
    let Some(rest) = rest.strip_prefix(b"tag ") else {
        return report.add(Message::MissingTagEntry, "invalid format - expected 'tag' line");
    };
    let Some((name, rest)) = rest.split_once_str("\n") else {
        return report.add(Message::MissingTag, "invalid format - unexpected end after 'type' line");
    };
    if gix::validate::reference::name([b"refs/tags/", name].concat().as_bstr()).is_err() {
        report.add(Message::BadTagName, &format!("invalid 'tag' name: {}", name.as_bstr()))?;
    }
    let Some(tagger) = rest.strip_prefix(b"tagger ") else {
        return report.add(Message::MissingTaggerEntry, "invalid format - expected 'tagger' line");
    };
    let rest = check_person(tagger, report)?;
    if !rest.is_empty() && !rest.starts_with(b"\n") {
        report.add(Message::ExtraHeaderEntry, "invalid format - extra header(s) after 'tagger'")?;
    }
    Ok(())
}

/// Checks that the header is terminated and contains no zero byte.
fn check_header(data: &[u8], report: &mut Report<'_>) -> CheckResult {
    let end = data.find("\n\n").unwrap_or(data.len());
    if let Some(nul) = data[..end].find_byte(0) {
        return report.add(Message::NulInHeader, &format!("unterminated header: NUL at offset {nul}"));
    }
    if end == data.len() && !data.ends_with(b"\n") {
        return report.add(Message::UnterminatedHeader, "unterminated header");
    }
    Ok(())
}

/// Returns the data after an id and its newline.
fn after_id(data: &[u8]) -> Option<&[u8]> {
    let (id, rest) = (data.get(..40)?, &data[40..]);
    if id.iter().all(u8::is_ascii_hexdigit) { rest.strip_prefix(b"\n") } else { None }
}

/// Checks the person and time in the first line of `data`; returns the remaining lines.
fn check_person<'d>(data: &'d [u8], report: &mut Report<'_>) -> Result<&'d [u8], String> {
    let (line, rest) = data.split_once_str("\n").unwrap_or((data, b""));
    if let Some((message, fault)) = fault_of_person(line) {
        report.add(message, &format!("invalid author/committer line - {fault}"))?;
    }
    Ok(rest)
}

/// Finds the first fault of a line such as `A U Thor <a@example.com> 1700000000 +0100`.
fn fault_of_person(line: &[u8]) -> Option<(Message, &'static str)> {
    let name_bytes = line.find_byteset("<>").unwrap_or(line.len());
    match (line.get(name_bytes), name_bytes) {
        (Some(b'<'), 0) => return Some((Message::MissingNameBeforeEmail, "missing space before email")),
        (Some(b'>'), _) => return Some((Message::BadName, "bad name")),
        (None, _) => return Some((Message::MissingEmail, "missing email")),
        _ if line[name_bytes - 1] != b' ' => {
            return Some((Message::MissingSpaceBeforeEmail, "missing space before email"));
        }
        _ => {}
    }
    let email = &line[name_bytes + 1..];
    let rest = match email.find_byteset("<>") {
        Some(end) if email[end] == b'>' => &email[end + 1..],
        _ => return Some((Message::BadEmail, "bad email")),
    };
    match rest.strip_prefix(b" ") {
        Some(date) => fault_of_date(date.trim_start_with(|char| matches!(char, ' ' | '\t'))),
        None => Some((Message::MissingSpaceBeforeDate, "missing space before date")),
    }
}

/// Finds the first fault of seconds and a time zone.
fn fault_of_date(date: &[u8]) -> Option<(Message, &'static str)> {
    let digits = date.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (seconds, rest) = date.split_at(digits);
    if digits == 0 {
        return Some((Message::BadDate, "bad date"));
    }
    if seconds[0] == b'0' && date.get(1) != Some(&b' ') {
        return Some((Message::ZeroPaddedDate, "zero-padded date"));
    }
    if std::str::from_utf8(seconds).map_or(true, |seconds| seconds.parse::<i64>().is_err()) {
        return Some((Message::BadDateOverflow, "date causes integer overflow"));
    }
    let Some(zone) = rest.strip_prefix(b" ") else {
        return Some((Message::BadDate, "bad date"));
    };
    let sound =
        matches!(zone, [b'+' | b'-', digits @ ..] if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit));
    if sound { None } else { Some((Message::BadTimezone, "bad time zone")) }
}

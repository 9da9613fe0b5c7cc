//! Names that mean `.git`, `.gitmodules` and similar files on some file system.
//!
//! HFS+ ignores some characters and the case of letters. NTFS drops trailing spaces and periods, treats the part after a
//! colon as a stream, and has short names such as `git~1`.

use bstr::ByteSlice;

/// A file whose content or kind matters to Git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpecialName {
    Modules,
    Attributes,
    Ignore,
    Mailmap,
}

/// The special files: their names without the period, and the start of their short names on NTFS if the plain one is used
/// already.
const SPECIAL: [(SpecialName, &str, &str); 4] = [
    (SpecialName::Modules, "gitmodules", "gi7eba"),
    (SpecialName::Attributes, "gitattributes", "gi7d29"),
    (SpecialName::Ignore, "gitignore", "gi250a"),
    (SpecialName::Mailmap, "mailmap", "maba30"),
];

/// Tells quickly that a name is not special for any of the other functions.
pub(super) fn is_plain(name: &[u8]) -> bool {
    !matches!(name.first(), Some(b'.' | b'~' | b'g' | b'G' | b'm' | b'M' | b'/' | b'\\' | 0x80..) | None)
        && name.find_byteset(b"/\\").is_none()
}

/// Tells whether a name means `.git` on some file system; no entry of a tree may have such a name.
pub fn is_dot_git(name: &[u8]) -> bool {
    is_on_hfs(name, "git") || name.split_str("\\").any(is_dot_git_on_ntfs)
}

/// Returns the special file that a name means on some file system.
pub(super) fn special(name: &[u8]) -> Option<SpecialName> {
    let is = |(_, plain, short): &(SpecialName, &str, &str)| is_on_hfs(name, plain) || is_on_ntfs(name, plain, short);
    if let Some((special, ..)) = SPECIAL.iter().find(|known| is(known)) {
        return Some(*special);
    }
    let (_, plain, short) = SPECIAL[0];
    let mut below = (0..name.len()).filter(|at| name[*at] == b'\\').map(|at| &name[at + 1..]);
    below.any(|part| is_on_ntfs(part, plain, short)).then_some(SpecialName::Modules)
}

/// Tells whether a name means a period and `plain` on HFS+.
fn is_on_hfs(name: &[u8], plain: &str) -> bool {
    let mut rest = name;
    // Invalid UTF-8 ends a name here: none of those names contains it, so the rest does not matter.
    let mut next = || loop {
        let (char, bytes) = bstr::decode_utf8(rest);
        rest = &rest[bytes..];
        match char {
            Some('\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}') => {}
            other => return other,
        }
    };
    next() == Some('.')
        && plain.chars().all(|letter| next().is_some_and(|char| char.to_ascii_lowercase() == letter))
        && matches!(next(), None | Some('/'))
}

/// Tells whether a name without backslashes means `.git` on NTFS.
fn is_dot_git_on_ntfs(name: &[u8]) -> bool {
    let after = |start: &str| {
        let head = name.get(..start.len())?;
        head.eq_ignore_ascii_case(start.as_bytes()).then(|| &name[start.len()..])
    };
    after(".git").or_else(|| after("git~1")).is_some_and(|rest| {
        let rest = rest.trim_start_with(|char| matches!(char, ' ' | '.'));
        matches!(rest.first(), None | Some(b'/' | b':'))
    })
}

/// Tells whether a name means a period and `plain` on NTFS, or is a short name of it.
fn is_on_ntfs(name: &[u8], plain: &str, short: &str) -> bool {
    let starts = |name: &[u8], start: &str| {
        name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    let rest = if name.first() == Some(&b'.') && starts(&name[1..], plain) {
        &name[1 + plain.len()..]
    } else if starts(name, &plain[..6]) && matches!(name.get(6..8), Some([b'~', b'1'..=b'4']))
        || is_numbered(name, short)
    {
        &name[8..]
    } else {
        return false;
    };
    let rest = rest.trim_start_with(|char| matches!(char, ' ' | '.'));
    matches!(rest.first(), None | Some(b':'))
}

/// Tells whether a name starts with eight characters: the start of `short`, a tilde, and a number.
fn is_numbered(name: &[u8], short: &str) -> bool {
    let Some(head) = name.get(..8) else { return false };
    let Some(tilde) = head.find_byte(b'~').filter(|tilde| *tilde < 7) else { return false };
    let (start, number) = (&head[..tilde], &head[tilde + 1..]);
    short.get(..tilde).is_some_and(|short| start.eq_ignore_ascii_case(short.as_bytes()))
        && number[0] != b'0'
        && number.iter().all(u8::is_ascii_digit)
}

//! Patterns of a sparse checkout: the language of `.gitignore`, where matching paths are included.

use bstr::{BStr, ByteSlice};
use gix::glob::{Pattern, pattern::Case, wildmatch};

/// The patterns of one file, in order.
pub(crate) struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Parses a file of patterns.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let lines = text.lines().filter(|line| !line.starts_with(b"#"));
        Self(lines.filter_map(|line| Pattern::from_bytes(without_spaces(line))).collect())
    }

    /// Tells whether a path is included; `None` if no pattern matches.
    ///
    /// The last pattern that matches decides. The path has no slash at its start or end.
    pub(crate) fn includes(&self, path: &BStr, is_folder: bool) -> Option<bool> {
        let name_start = path.rfind_byte(b'/').map(|slash| slash + 1);
        let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
        let matches = |pattern: &&Pattern| {
            pattern.matches_repo_relative_path(path, name_start, Some(is_folder), Case::Sensitive, mode)
        };
        self.0.iter().rev().find(matches).map(|pattern| !pattern.is_negative())
    }
}

/// Removes trailing spaces from a line, except those after a backslash.
fn without_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        let step = if line[at] == b'\\' { 2 } else { 1 };
        if line[at] != b' ' {
            end = (at + step).min(line.len());
        }
        at += step;
    }
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_match_decides() {
        let patterns = Patterns::parse(b"# a comment\n\n*.c  \r\n!/old/\n/old/keep.c\nspace\\ \nfolder/\n");
        let includes = |path: &str| patterns.includes(path.into(), false);
        assert_eq!(includes("a.c"), Some(true));
        assert_eq!(includes("deep/a.c"), Some(true));
        assert_eq!(patterns.includes("old".into(), true), Some(false));
        assert_eq!(includes("old"), None);
        assert_eq!(includes("old/keep.c"), Some(true));
        assert_eq!(includes("a.h"), None);
        assert_eq!(includes("space "), Some(true));
        assert_eq!(patterns.includes("x/folder".into(), true), Some(true));
        assert_eq!(includes("x/folder"), None);
    }
}

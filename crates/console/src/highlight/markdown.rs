//! Lexer of Markdown: headings, quotes, code and lists.

use super::{Spans, Token};

/// Reads the whole text.
pub(super) fn read(spans: &mut Spans<'_>) {
    let text = spans.text;
    let mut fence = "";
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let trimmed = line.trim_start();
        let opened = ["```", "~~~"].into_iter().find(|fence| trimmed.starts_with(fence)).unwrap_or_default();
        if !fence.is_empty() {
            if opened == fence {
                fence = "";
            }
            spans.push_token(Token::String, start, end);
        } else if !opened.is_empty() {
            fence = opened;
            spans.push_token(Token::String, start, end);
        } else if is_heading(trimmed) {
            spans.push_token(Token::Keyword, start, end);
        } else if trimmed.starts_with('>') {
            spans.push_token(Token::Comment, start, end);
        } else {
            inline(spans, start, line);
        }
        start = end;
    }
}

fn is_heading(line: &str) -> bool {
    let text = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - text.len())) && text.starts_with([' ', '\t', '\n'])
}

/// Reads the mark of a list, and code between backticks.
fn inline(spans: &mut Spans<'_>, start: usize, line: &str) {
    let mark = line.trim_start();
    let indent = line.len() - mark.len();
    let digits = mark.bytes().take_while(u8::is_ascii_digit).count();
    let mark_length = match mark.as_bytes() {
        [b'-' | b'*' | b'+', b' ', ..] => 1,
        bytes if digits > 0 && bytes.get(digits) == Some(&b'.') => digits + 1,
        _ => 0,
    };
    let mut at = indent + mark_length;
    if mark_length > 0 {
        spans.push_token(Token::Keyword, start + indent, start + at);
    }
    while let Some(open) = line[at..].find('`').map(|found| at + found) {
        let Some(close) = line[open + 1..].find('`').map(|found| open + 1 + found) else { return };
        spans.push_token(Token::String, start + open, start + close + 1);
        at = close + 1;
    }
}

//! Lexer of HTML and XML. Scripts and styles inside are read as code.

use super::language::Language;
use super::languages::{CSS, JAVASCRIPT};
use super::{Spans, Token, code};

/// Elements whose text is code, with the end of the element.
const CODE: [(&str, &str, &Language); 2] = [("script", "</script", &JAVASCRIPT), ("style", "</style", &CSS)];

/// Sections that end at a text of their own.
const SECTIONS: [(&str, &str, Token); 4] = [
    ("<!--", "-->", Token::Comment),
    ("<![CDATA[", "]]>", Token::String),
    ("<!", ">", Token::Keyword),
    ("<?", "?>", Token::Keyword),
];

/// Reads the whole text.
pub(super) fn read(spans: &mut Spans<'_>) {
    let text = spans.text;
    let mut at = 0;
    while let Some(found) = text[at..].find(['<', '&']) {
        let start = at + found;
        at = match text.as_bytes()[start] {
            b'&' => entity(spans, start),
            _ => match SECTIONS.iter().find(|(open, ..)| text[start..].starts_with(open)) {
                Some((open, close, token)) => {
                    let inside = start + open.len();
                    let end = text[inside..].find(close).map_or(text.len(), |end| inside + end + close.len());
                    spans.push_token(*token, start, end);
                    end
                }
                None => tag(spans, start),
            },
        };
    }
}

/// Reads `&name;`, and returns the position behind it.
fn entity(spans: &mut Spans<'_>, start: usize) -> usize {
    let rest = &spans.text.as_bytes()[start + 1..];
    let name = rest.iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
    if name == 0 || rest.get(name) != Some(&b';') {
        return start + 1;
    }
    let end = start + 1 + name + 1;
    spans.push_token(Token::Number, start, end);
    end
}

/// Reads a tag with its attributes, and the code after it, if any.
fn tag(spans: &mut Spans<'_>, start: usize) -> usize {
    let text = spans.text;
    let bytes = text.as_bytes();
    let is_end = bytes.get(start + 1) == Some(&b'/');
    let name_start = start + 1 + usize::from(is_end);
    if !bytes.get(name_start).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return start + 1;
    }
    let name_end = skip_name(bytes, name_start);
    spans.push_token(Token::Keyword, start, name_end);
    let mut at = name_end;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'>' => {
                spans.push_token(Token::Keyword, at, at + 1);
                at += 1;
                break;
            }
            b'<' => return at,
            b'"' | b'\'' => {
                let quote = char::from(byte);
                at = text[at + 1..].find(quote).map_or(text.len(), |end| at + 1 + end + 1);
                spans.push_token(Token::String, start, at);
            }
            _ if is_name_byte(byte) => {
                at = skip_name(bytes, at);
                spans.push_token(Token::Type, start, at);
            }
            _ => at += 1,
        }
    }
    let name = &text[name_start..name_end];
    let element = CODE.iter().find(|(element, ..)| !is_end && element.eq_ignore_ascii_case(name));
    match element {
        Some((_, close, language)) => {
            spans.push(Token::Plain, at);
            let end = text[at..].find(close).map_or(text.len(), |end| at + end);
            code::read(spans, language, end);
            end
        }
        None => at,
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.' | b'@') || !byte.is_ascii()
}

fn skip_name(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| is_name_byte(**byte)).count()
}

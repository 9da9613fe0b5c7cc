//! Object filters of clients: the language of `--filter`.

mod allowed;
pub(crate) mod sparse;

use bstr::{BStr, BString, ByteSlice};

use crate::{Kind, ProtocolError, percent};
pub use allowed::Filters;

/// A filter of objects. Objects that the client requests by id are always sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// `blob:none`: no blobs.
    NoBlobs,
    /// `blob:limit=N`: no blobs of N bytes or more.
    BlobLimit(u64),
    /// `tree:N`: no trees and blobs at depth N or deeper; the root tree of a commit is at depth 0.
    Depth(u64),
    /// `object:type=T`: objects of this kind only.
    Kind(Kind),
    /// `sparse:oid=NAME`: only blobs whose paths match the patterns in the named blob.
    Sparse(BString),
    /// `combine:A+B`: only objects that pass all of these filters.
    All(Vec<Filter>),
}

/// Characters to be escaped in a part of a combination, in addition to those up to the space and above 126.
const RESERVED: &[u8] = b"~`!@#$^&*()[]{}\\;'\",<>?";

/// The maximum depth of nested combinations.
const NESTING_MAX: usize = 16;

impl Filter {
    /// Parses the filter of a client.
    pub(crate) fn parse(spec: &BStr) -> Result<Self, ProtocolError> {
        Self::nested(spec, 0)
    }

    fn nested(spec: &BStr, level: usize) -> Result<Self, ProtocolError> {
        let invalid = || ProtocolError::new(format!("invalid filter-spec '{spec}'"));
        if spec == "blob:none" {
            Ok(Self::NoBlobs)
        } else if let Some(limit) = spec.strip_prefix(b"blob:limit=") {
            number(limit).map(Self::BlobLimit).ok_or_else(invalid)
        } else if let Some(depth) = spec.strip_prefix(b"tree:") {
            number(depth).map(Self::Depth).ok_or_else(|| ProtocolError::new("expected 'tree:<depth>'"))
        } else if let Some(kind) = spec.strip_prefix(b"object:type=") {
            let kind = Kind::from_bytes(kind).map_err(|_| {
                let kind = kind.as_bstr();
                ProtocolError::new(format!("'{kind}' for 'object:type=<type>' is not a valid object type"))
            });
            kind.map(Self::Kind)
        } else if let Some(name) = spec.strip_prefix(b"sparse:oid=") {
            Ok(Self::Sparse(name.into()))
        } else if spec.starts_with(b"sparse:path=") {
            Err(ProtocolError::new("sparse:path filters support has been dropped"))
        } else if let Some(parts) = spec.strip_prefix(b"combine:").filter(|_| level < NESTING_MAX) {
            combination(parts, level)
        } else {
            Err(invalid())
        }
    }
}

fn combination(parts: &[u8], level: usize) -> Result<Filter, ProtocolError> {
    if parts.is_empty() {
        return Err(ProtocolError::new("expected something after combine:"));
    }
    // A trailing plus sign belongs to the last part.
    let (body, last) = parts.split_at(parts.len() - 1);
    let mut pieces: Vec<BString> = body.split(|byte| *byte == b'+').map(BString::from).collect();
    match (last, pieces.last_mut()) {
        (b"+", Some(piece)) if !body.is_empty() => piece.push(b'+'),
        (_, Some(piece)) => piece.extend_from_slice(last),
        (_, None) => {}
    }
    let parse = |piece: &BString| {
        if let Some(byte) = piece.iter().find(|byte| **byte <= b' ' || **byte > 127 || RESERVED.contains(byte)) {
            return Err(ProtocolError::new(format!("must escape char in sub-filter-spec: '{}'", [*byte].as_bstr())));
        }
        Filter::nested(percent::decode(piece).as_bstr(), level + 1)
    };
    pieces.iter().map(parse).collect::<Result<_, _>>().map(Filter::All)
}

/// Parses a number as Git does: in C's notation for octal and hexadecimal, with an optional unit `k`, `m` or `g`.
fn number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let (digits, base) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, base).ok()?.checked_mul(1 << unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(spec: &str) -> Result<Filter, String> {
        Filter::parse(spec.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn filters_are_parsed_as_by_git() {
        assert_eq!(parse("blob:none"), Ok(Filter::NoBlobs));
        assert_eq!(parse("blob:limit=1k"), Ok(Filter::BlobLimit(1024)));
        assert_eq!(parse("blob:limit=0x10"), Ok(Filter::BlobLimit(16)));
        assert_eq!(parse("blob:limit=010"), Ok(Filter::BlobLimit(8)));
        assert_eq!(parse("tree:0"), Ok(Filter::Depth(0)));
        assert_eq!(parse("object:type=tag"), Ok(Filter::Kind(Kind::Tag)));
        assert_eq!(parse("sparse:oid=main:a b"), Ok(Filter::Sparse("main:a b".into())));
        assert_eq!(parse("combine:tree:%31"), Ok(Filter::All(vec![Filter::Depth(1)])));
        assert_eq!(parse("combine:blob%3anone+tree:2"), Ok(Filter::All(vec![Filter::NoBlobs, Filter::Depth(2)])));
    }

    #[test]
    fn invalid_filters_are_refused_with_the_messages_of_git() {
        for (spec, message) in [
            ("", "invalid filter-spec ''"),
            ("blob:NONE", "invalid filter-spec 'blob:NONE'"),
            ("blob:limit=", "invalid filter-spec 'blob:limit='"),
            ("blob:limit=-1", "invalid filter-spec 'blob:limit=-1'"),
            ("tree:x", "expected 'tree:<depth>'"),
            ("tree:99999999999999999999", "expected 'tree:<depth>'"),
            ("sparse:path=x", "sparse:path filters support has been dropped"),
            ("object:type=x", "'x' for 'object:type=<type>' is not a valid object type"),
            ("combine:", "expected something after combine:"),
            ("combine:+", "invalid filter-spec '+'"),
            ("combine:blob:none+", "invalid filter-spec 'blob:none+'"),
            ("combine:tree:1++tree:2", "invalid filter-spec ''"),
            ("combine:combine:blob:none+x", "invalid filter-spec 'x'"),
            ("combine:a b", "must escape char in sub-filter-spec: ' '"),
            ("combine:tree:1+tree:~", "must escape char in sub-filter-spec: '~'"),
            ("combine:tree:%zz", "expected 'tree:<depth>'"),
        ] {
            assert_eq!(parse(spec), Err(message.to_owned()), "{spec}");
        }
        let deep = "combine:".repeat(1000) + "blob:none";
        assert!(parse(&deep).is_err());
    }
}

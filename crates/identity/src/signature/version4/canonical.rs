//! The canonical form of a request, of which version 4 signs the hash.

use aws::query::ESCAPED;
use percent_encoding::{AsciiSet, percent_decode_str, percent_encode, utf8_percent_encode};

use super::Version4;
use crate::signature::RequestParts;
use crate::signature::claim::Location;

/// The characters that are escaped in a path.
const PATH_ESCAPED: &AsciiSet = &ESCAPED.remove(b'/');

impl Version4 {
    /// Writes the canonical form of a request with the given hash of its payload.
    pub(super) fn canonical_request(&self, request: &RequestParts<'_>, payload: &str) -> Vec<u8> {
        let path = if self.is_s3 { path_of_s3(request.path) } else { path(request.path) };
        let mut canonical = format!("{}\n{path}\n{}\n", request.method, self.query(request)).into_bytes();
        for name in self.signed_headers.split(';') {
            let mut values = request.header_values(name).peekable();
            if values.peek().is_none() {
                continue;
            }
            canonical.extend_from_slice(name.as_bytes());
            canonical.push(b':');
            while let Some(value) = values.next() {
                push_header_value(&mut canonical, value);
                if values.peek().is_some() {
                    canonical.push(b',');
                }
            }
            canonical.push(b'\n');
        }
        canonical.extend_from_slice(format!("\n{}\n{payload}", self.signed_headers).as_bytes());
        canonical
    }

    /// Writes the parameters, sorted, without the signature itself.
    fn query(&self, request: &RequestParts<'_>) -> String {
        let is_signature = |name: &[u8]| self.location == Location::Url && name == b"X-Amz-Signature";
        let encode = |bytes: &[u8]| percent_encode(bytes, ESCAPED).to_string();
        let parameters = request.parameters().filter(|(name, _)| !is_signature(name));
        let mut encoded: Vec<_> = parameters.map(|(name, value)| (encode(&name), encode(&value))).collect();
        encoded.sort_unstable();
        let pairs: Vec<String> = encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

/// Writes a path of S3: each of its characters in one form.
fn path_of_s3(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    if decoded.is_empty() { "/".to_owned() } else { percent_encode(&decoded, PATH_ESCAPED).to_string() }
}

/// Writes a path of any other service: without empty and relative segments, and percent-encoded once more.
fn path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let is_folder = !segments.is_empty() && ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let normalized = format!("/{}{}", segments.join("/"), if is_folder { "/" } else { "" });
    utf8_percent_encode(&normalized, PATH_ESCAPED).to_string()
}

/// Appends the value of a header, without blanks around it and with one blank for several.
fn push_header_value(canonical: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            canonical.push(b' ');
        }
        canonical.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{path, path_of_s3, push_header_value};

    #[test]
    fn a_path_is_normalized_and_encoded_once_more() {
        for (wire, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/a//b/./c/../d", "/a/b/d"),
            ("/a/..", "/"),
            ("/../a/", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a%20b", "/a%2520b"),
        ] {
            assert_eq!(path(wire), canonical, "{wire}");
        }
    }

    #[test]
    fn a_path_of_s3_is_decoded_and_encoded() {
        for (wire, canonical) in [("", "/"), ("/a//b/../c", "/a//b/../c"), ("/a%2fb+(%7e%ff", "/a/b%2B%28~%FF")] {
            assert_eq!(path_of_s3(wire), canonical, "{wire}");
        }
    }

    #[test]
    fn runs_of_blanks_in_a_header_become_one() {
        let mut canonical = Vec::new();
        push_header_value(&mut canonical, b"  a   b \t c ");
        assert_eq!(canonical, b"a b \t c");
    }
}

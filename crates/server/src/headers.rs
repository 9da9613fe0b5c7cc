//! Text of request headers, and headers of responses.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, HeaderName};

/// Returns the text of a header; bytes that are not UTF-8 are replaced, not refused.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Adds the headers of another response that one does not have, but for the length of its body.
pub(crate) fn add_missing(headers: &mut HeaderMap, others: &HeaderMap) {
    for (name, value) in others.iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        headers.entry(name).or_insert_with(|| value.clone());
    }
}

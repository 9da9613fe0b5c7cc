//! Text of request headers.

use axum::http::HeaderMap;
use axum::http::header::HeaderName;

/// Returns the text of a header; bytes that are not UTF-8 are replaced, not refused.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

//! Responses, and the headers that protect the console in a browser.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    LOCATION, REFERRER_POLICY, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response};

use crate::{cookie, url};

/// What pages may load and do: only what comes from this server, no inline code, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Keeps pages of other sites from a handle to a window of the console.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// Keeps pages of other sites from embedding anything of the console.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Bodies from this size on are compressed.
const COMPRESSED_BYTES_MIN: usize = 1_400;

/// Creates a header value of a text that has none but visible characters.
pub(crate) fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Creates a response.
pub(crate) fn with_body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, header(content_type));
    response
}

/// Creates a page.
pub(crate) fn html(status: u16, text: String) -> Response<Bytes> {
    with_body(status, "text/html; charset=utf-8", text)
}

/// Creates a file that the browser saves, such as a list as CSV.
pub(crate) fn download(content_type: &str, file_name: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = with_body(200, content_type, body);
    let disposition = format!("attachment; filename=\"{file_name}\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, header(&disposition));
    response
}

/// Leads the browser to another page of the console, with GET.
pub(crate) fn redirect(location: &str) -> Response<Bytes> {
    let mut response = with_body(303, "text/plain; charset=utf-8", "");
    response.headers_mut().insert(LOCATION, header(location));
    response
}

/// Leads the browser to another page, which says what was done.
pub(crate) fn done(location: &str, notice: &str) -> Response<Bytes> {
    let mut response = redirect(location);
    set_cookie(&mut response, &cookie::NOTICE.set(&url::escape(notice), 60, false));
    response
}

/// Adds a cookie.
pub(crate) fn set_cookie(response: &mut Response<Bytes>, cookie: &str) {
    response.headers_mut().append(SET_COOKIE, header(cookie));
}

/// Adds the headers that every response has, and compresses it if the browser accepts that.
pub(crate) fn finish(mut response: Response<Bytes>, request: &HeaderMap) -> Response<Bytes> {
    compress(&mut response, request);
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // With `no-referrer`, browsers send forms with the origin `null`, which the server refuses.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn compress(response: &mut Response<Bytes>, request: &HeaderMap) {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = content_type.starts_with("text/") || content_type.contains("json") || content_type.contains("svg");
    if !is_text || response.body().len() < COMPRESSED_BYTES_MIN {
        return;
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    let accepted = request.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepted.split(',').any(|coding| coding.trim().split(';').next() == Some("gzip")) {
        return;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(response.body().len() / 4), Compression::fast());
    let written = encoder.write_all(response.body()).and_then(|()| encoder.finish());
    if let Ok(compressed) = written {
        *response.body_mut() = compressed.into();
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

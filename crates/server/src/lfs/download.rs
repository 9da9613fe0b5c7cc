//! Downloads of objects, each with the token that a batch gave out, whole or in part.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use codecommit::lfs::LfsContent;
use git::FilePart;

use crate::body::FileBody;
use crate::lfs::path::LfsPath;
use crate::lfs::reply::LfsFailure;
use crate::lfs::token::{self, GrantedOperation};
use crate::state::State;
use crate::{blocking, headers};

/// Sends an object.
pub(super) async fn serve(state: Arc<State>, path: &LfsPath, id: &str, head: &Parts) -> Response<Body> {
    match open(&state, path, id, head).await {
        Ok(content) => send(content, id, head),
        Err(failure) => failure.reply(&state.clock.id()),
    }
}

async fn open(state: &Arc<State>, path: &LfsPath, id: &str, head: &Parts) -> Result<LfsContent, LfsFailure> {
    let authorization = headers::text(&head.headers, &AUTHORIZATION);
    let token = token::bearer(authorization.as_deref()).ok_or_else(token::missing)?;
    let grant = state.lfs_tokens.object(token, state.clock.now(), GrantedOperation::Download, &path.repository)?;
    let object = grant.object().filter(|object| object.id.to_string() == id);
    let object = object.ok_or_else(|| LfsFailure::new(403, "The token is for another object."))?;
    let codecommit = Arc::clone(&state.codecommit);
    Ok(blocking::run(move || codecommit.open_lfs_object(&grant.repository_id, object.id)).await?)
}

/// Creates the response with the selected bytes of a content.
fn send(content: LfsContent, id: &str, head: &Parts) -> Response<Body> {
    let LfsContent { file, bytes } = content;
    let tag = format!("\"{id}\"");
    let range = headers::text(&head.headers, &RANGE)
        .filter(|_| headers::text(&head.headers, &IF_RANGE).is_none_or(|condition| condition == tag));
    let response = Response::builder().header(ACCEPT_RANGES, "bytes").header(ETAG, tag);
    let (response, range) = match range.map_or(Selected::All, |range| select(&range, bytes)) {
        Selected::All => (response, 0..bytes),
        Selected::Part(range) => {
            let value = format!("bytes {}-{}/{bytes}", range.start, range.end - 1);
            (response.status(206).header(CONTENT_RANGE, value), range)
        }
        Selected::Nothing => {
            let failure = LfsFailure::new(416, format!("The object has {bytes} bytes."));
            let mut response = failure.reply("");
            let value = format!("bytes */{bytes}").parse().expect("numbers are a header's text");
            response.headers_mut().insert(CONTENT_RANGE, value);
            return response;
        }
    };
    let response =
        response.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, range.end - range.start);
    let body = if head.method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(FileBody(FilePart::new(Arc::new(file), range)))
    };
    response.body(body).expect("the headers are texts and numbers")
}

/// What a header `Range` selects.
#[derive(Debug, PartialEq, Eq)]
enum Selected {
    /// Everything: HTTP ignores a range that is not valid, and allows to ignore several ranges.
    All,
    Part(Range<u64>),
    /// The range begins after the end.
    Nothing,
}

fn select(range: &str, bytes: u64) -> Selected {
    let number =
        |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Selected::All;
    };
    let selected = match (number(first), number(last)) {
        (None, Some(length)) if first.is_empty() => bytes.saturating_sub(length)..bytes,
        (Some(first), None) if last.is_empty() => first..bytes,
        (Some(first), Some(last)) if first <= last => first..bytes.min(last.saturating_add(1)),
        _ => return Selected::All,
    };
    if selected.start < selected.end { Selected::Part(selected) } else { Selected::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_selects_bytes_of_any_object() {
        let large = 6 << 30;
        for (range, bytes, selected) in [
            ("bytes=0-9", 100, Selected::Part(0..10)),
            ("bytes=90-", 100, Selected::Part(90..100)),
            ("bytes=-10", 100, Selected::Part(90..100)),
            ("bytes=-1000", 100, Selected::Part(0..100)),
            ("bytes=50-1000", 100, Selected::Part(50..100)),
            ("bytes=0-18446744073709551615", 100, Selected::Part(0..100)),
            ("bytes=5368709120-", large, Selected::Part((5 << 30)..large)),
            ("bytes=100-", 100, Selected::Nothing),
            ("bytes=-0", 100, Selected::Nothing),
            ("bytes=0-", 0, Selected::Nothing),
            ("bytes=9-0", 100, Selected::All),
            ("bytes=0-1,5-6", 100, Selected::All),
            ("bytes=+1-5", 100, Selected::All),
            ("bytes=-", 100, Selected::All),
            ("bytes=", 100, Selected::All),
            ("lines=0-9", 100, Selected::All),
            ("bytes=99999999999999999999-", 100, Selected::All),
        ] {
            assert_eq!(select(range, bytes), selected, "{range} of {bytes}");
        }
    }
}

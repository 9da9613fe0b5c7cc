//! The search of the bar: an event by its id, else repositories by a part of their names.

use bytes::Bytes;
use http::Response;

use crate::visit::Visit;
use crate::{reply, url};

/// Leads to what is searched for.
pub(crate) fn find(visit: &Visit<'_>) -> Response<Bytes> {
    let text = visit.query.get("q");
    let is_event_id = text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if is_event_id {
        return reply::redirect(&url::page(&format!("events/{text}")));
    }
    reply::redirect(&url::with(&url::page("repositories"), &[("q", text)]))
}

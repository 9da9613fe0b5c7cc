//! Pages that show why there is no other page.

use askama::Template;
use aws::Failure;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::frame::{Frame, Section};
use crate::visit::{self, Visit};
use crate::{reply, url};

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'p> {
    frame: Frame,
    name: &'p str,
    message: &'p str,
    /// What the reader wrote into the form that failed; empty if that is nothing.
    written: &'p str,
    /// The page with the form.
    back: Option<String>,
}

/// Shows a failure of AWS in AWS's words, with the text that the reader wrote, so that it is not lost.
pub(crate) fn show(visit: &Visit<'_>, failure: &Failure) -> Response<Bytes> {
    let title = if visit::status(failure) == 403 { "Access denied" } else { "This did not work" };
    let (written, back) = (visit.form.raw("content"), url::own(visit.form.get("here")));
    let (name, message) = (failure.error_code(), failure.message.as_str());
    let page = FailurePage { frame: visit.frame(title, Section::None), name, message, written, back };
    write(visit, visit::status(failure), &page)
}

/// Says that there is no such page.
pub(crate) fn not_found(visit: &Visit<'_>) -> Response<Bytes> {
    write_plain(visit, 404, "There is no such page", "The menu has all pages.")
}

/// Says that a form was not sent by a page of the reader.
pub(crate) fn foreign_form(visit: &Visit<'_>) -> Response<Bytes> {
    let message = "The form was sent by another page, or its page is older than your session. Open the page again and repeat what you did.";
    write_plain(visit, 403, "The form was not accepted", message)
}

fn write_plain(visit: &Visit<'_>, status: u16, title: &str, message: &str) -> Response<Bytes> {
    let frame = visit.frame(title, Section::None);
    write(visit, status, &FailurePage { frame, name: "", message, written: "", back: None })
}

fn write(visit: &Visit<'_>, status: u16, page: &FailurePage<'_>) -> Response<Bytes> {
    match visit.page(page) {
        Ok(mut response) => {
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response
        }
        Err(_) => reply::with_body(
            500,
            "text/plain; charset=utf-8",
            "The page cannot be written. The server's log has details.\n",
        ),
    }
}

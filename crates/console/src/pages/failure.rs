//! Pages that show why there is no other page.

use askama::Template;
use aws::Failure;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::frame::{Frame, Section};
use crate::reply;
use crate::visit::{self, Visit};

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'p> {
    frame: Frame,
    name: &'p str,
    message: &'p str,
}

/// Shows a failure of AWS in AWS's words.
pub(crate) fn show(visit: &Visit<'_>, failure: &Failure) -> Response<Bytes> {
    let title = if visit::status(failure) == 403 { "Access denied" } else { "This did not work" };
    write(visit, visit::status(failure), title, failure.error_code(), &failure.message)
}

/// Says that there is no such page.
pub(crate) fn not_found(visit: &Visit<'_>) -> Response<Bytes> {
    write(visit, 404, "There is no such page", "", "The menu has all pages.")
}

/// Says that a form was not sent by a page of the reader.
pub(crate) fn foreign_form(visit: &Visit<'_>) -> Response<Bytes> {
    let message = "The form was sent by another page, or its page is older than your session. Open the page again and repeat what you did.";
    write(visit, 403, "The form was not accepted", "", message)
}

fn write(visit: &Visit<'_>, status: u16, title: &str, name: &str, message: &str) -> Response<Bytes> {
    let frame = visit.frame(title, Section::None);
    match visit.page(&FailurePage { frame, name, message }) {
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

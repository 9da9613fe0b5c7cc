//! `POST git-upload-pack`: negotiation, and the pack that a clone or fetch gets.

use std::io::{Read, Write};

use aws::Failure;
use git::ProtocolError;
use git::upload_pack::{self, Answer, Request};

use crate::body;
use crate::git_http::{Exchange, event};

/// Serves the request: its event is recorded before the first byte of the pack is sent.
pub(crate) fn serve(mut exchange: Exchange, input: &mut dyn Read) {
    let Some(repository) = exchange.repository() else { return };
    let answer = match negotiate(&exchange, &repository, input) {
        Ok(Some(Served { answer, capabilities, is_fetch })) => {
            let event = if answer.sends_pack() {
                Some(event::pull(&repository, &capabilities, answer.is_shallow()))
            } else {
                // In version 2 what is there is asked for by a request of its own.
                (!is_fetch).then(|| event::without_data(exchange.service, &repository.name, Some(&repository)))
            };
            if let Some(event) = event
                && let Err(failure) = exchange.state.trail.record(&exchange.call, event)
            {
                return exchange.send_plain(failure.status, &failure.message);
            }
            answer
        }
        Ok(None) => return exchange.send(200, "result", axum::body::Body::empty()),
        Err(Refused::Protocol(error)) => return refuse(&mut exchange, &repository, &error),
        Err(Refused::Service(failure)) => return exchange.refuse(failure),
    };
    let (mut writer, body) = body::channel(&exchange.state.spill);
    exchange.send(200, "result", body);
    if let Err(error) = answer.send(&mut writer).and_then(|()| writer.flush()) {
        tracing::warn!(%error, request_id = exchange.call.request_id(), "a pack was not sent to its end");
    }
}

enum Refused {
    Protocol(ProtocolError),
    Service(Failure),
}

/// What a request gets, and what it asked for.
struct Served {
    answer: Answer,
    capabilities: Vec<String>,
    is_fetch: bool,
}

/// Reads the request and decides what it gets; `None` for an empty one.
fn negotiate(
    exchange: &Exchange,
    repository: &codecommit::repository::Repository,
    input: &mut dyn Read,
) -> Result<Option<Served>, Refused> {
    let options = &exchange.state.git;
    let request = Request::read(input, exchange.version, options).map_err(Refused::Protocol)?;
    let Some(request) = request else { return Ok(None) };
    let service = &exchange.state.codecommit;
    let objects = service.objects(&exchange.call, repository).map_err(|it| Refused::Service(it.into()))?;
    let references = service.references(repository).map_err(|it| Refused::Service(it.into()))?;
    let (capabilities, is_fetch) = (request.capabilities().to_vec(), request.is_fetch());
    let answer = upload_pack::answer(&objects, &references, request, options).map_err(Refused::Protocol)?;
    Ok(Some(Served { answer, capabilities, is_fetch }))
}

/// Git reads a refusal out of the protocol, so the status is that of success.
fn refuse(exchange: &mut Exchange, repository: &codecommit::repository::Repository, error: &ProtocolError) {
    if error.is_internal() {
        let request_id = exchange.call.request_id();
        tracing::error!(error = ?error, repository = repository.name, repository_id = repository.id, request_id, "a fetch failed");
    }
    let mut event = event::without_data(exchange.service, &repository.name, Some(repository));
    event.failure = Some(Failure::client("InvalidRequestException", error.to_string()));
    match exchange.state.trail.record(&exchange.call, event) {
        Ok(()) => exchange.send(200, "result", error.packet().into()),
        Err(failure) => exchange.send_plain(failure.status, &failure.message),
    }
}

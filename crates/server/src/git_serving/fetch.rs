//! Fetches: the negotiation, and the packs of clones and fetches.

use std::io::{Read, Write};
use std::sync::Arc;

use aws::Failure;
use codecommit::repository::Repository;
use git::upload_pack::{self, Dialogue, Request, Response};
use git::{ProtocolError, References};

use crate::body;
use crate::git_serving::{Refusal, Reply, Session, event};
use crate::settings::Connection;

/// Bytes of a pack's reply that the client gets before the connection is cut on demand; every pack is larger.
const CUT_BYTES: usize = 32;

/// Serves a stateless request; its event is recorded before the first byte of the response is sent.
pub(crate) fn serve(session: &Session, reply: &mut impl Reply, input: &mut dyn Read) {
    let response = respond(session, input);
    let effect = session.effect();
    if let Some(delay) = effect.delay {
        reply.delay(delay);
    }
    let response = match response {
        Ok(Some(response)) => response,
        Ok(None) => return reply.send(Vec::new()),
        Err(Unserved::Protocol(error)) => return reply.send(error.packet()),
        Err(Unserved::Refused(refusal)) => return reply.refuse(refusal),
    };
    let mut output = reply.start();
    if effect.connection.is_some() {
        output.control().cut_after(CUT_BYTES);
    }
    if let Err(error) = response.send(&mut output).and_then(|()| output.flush()) {
        tracing::warn!(%error, request_id = session.call.request_id(), "cannot send a pack to its end");
    }
}

/// Serves a client over a pair of streams that has received the advertisement of `references`.
///
/// Each event is that of a call of its own, which `begin` begins; it is recorded before the first byte of its response is sent.
pub(crate) fn serve_stream(
    begin: &dyn Fn() -> Session,
    references: &References,
    input: &mut dyn Read,
    output: &mut body::Writer,
) -> Result<(), Refusal> {
    let control = output.control();
    let first = begin();
    let repository = first.repository()?;
    let service = &first.state.codecommit;
    let objects = service.objects(&first.call, &repository);
    let objects = objects.map_err(|exception| first.record_failure(exception.into()))?;
    let (state, version) = (Arc::clone(&first.state), first.version);
    let dialogue = Dialogue { repository: &objects, references, version, options: &state.git };
    let mut next = Some(first);
    let mut refusal = None;
    let served = dialogue.serve(&[], input, output, &mut |response| {
        if response.is_fetch() && !response.sends_pack() {
            return Ok(());
        }
        let session = next.take().unwrap_or_else(begin);
        let recorded = session.repository().and_then(|repository| record(&session, &repository, response));
        let effect = session.effect();
        if let Some(delay) = effect.delay {
            control.pause(delay);
        }
        match effect.connection {
            Some(Connection::CutBefore) => control.cut_after(0),
            Some(Connection::CutAfter) => control.cut_after(CUT_BYTES),
            None => {}
        }
        recorded.map_err(|refused| {
            let error = ProtocolError::new(refused.message());
            refusal = Some(refused);
            error
        })
    });
    match (refusal, served) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            let session = next.take().unwrap_or_else(begin);
            // The client has received the error already.
            drop(protocol_error(&session, &session.repository()?, error));
            Ok(())
        }
    }
}

/// The reason why there is no response.
enum Unserved {
    /// The protocol has an error message for the client.
    Protocol(ProtocolError),
    Refused(Refusal),
}

impl From<Refusal> for Unserved {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Reads a request and prepares its response, which is recorded; `None` for an empty request.
fn respond(session: &Session, input: &mut dyn Read) -> Result<Option<Response>, Unserved> {
    let repository = session.repository()?;
    let options = &session.state.git;
    let protocol = |error| protocol_error(session, &repository, error);
    let Some(request) = Request::read(input, session.version, options).map_err(protocol)? else { return Ok(None) };
    let service = &session.state.codecommit;
    let refused = |exception: codecommit::Exception| session.record_failure(exception.into());
    let objects = service.objects(&session.call, &repository).map_err(refused)?;
    let references = service.references(&repository).map_err(refused)?;
    let response = upload_pack::respond(&objects, &references, request, options).map_err(protocol)?;
    record(session, &repository, &response)?;
    Ok(Some(response))
}

/// Records a response with a pack, or a list of references in version 2.
fn record(session: &Session, repository: &Repository, response: &Response) -> Result<(), Refusal> {
    if response.sends_pack() {
        let effect = session.decide(repository, []);
        if effect.connection == Some(Connection::CutBefore) {
            return Err(Refusal::Cut);
        }
        if let Some(failure) = effect.failure {
            let mut event = event::without_data(session, &repository.name, Some(repository));
            event.failure = Some(failure.clone());
            session.record(event)?;
            return Err(Refusal::Failed(failure));
        }
        session.record(event::pull(session, repository, response.capabilities(), response.is_shallow()))
    } else if response.is_fetch() {
        Ok(())
    } else {
        // Version 2 requests the references with a command of their own.
        session.record(event::without_data(session, &repository.name, Some(repository)))
    }
}

/// Records a request that the protocol refuses; clients expect the reason inside of a successful reply.
fn protocol_error(session: &Session, repository: &Repository, error: ProtocolError) -> Unserved {
    if error.is_internal() {
        let (name, id, request_id) = (&repository.name, &repository.id, session.call.request_id());
        tracing::error!(error = ?error, repository = name, repository_id = id, request_id, "cannot serve a fetch");
    }
    let mut event = event::without_data(session, &repository.name, Some(repository));
    event.failure = Some(Failure::client("InvalidRequestException", error.to_string()));
    match session.record(event) {
        Ok(()) => Unserved::Protocol(error),
        Err(refusal) => refusal.into(),
    }
}

//! Pushes: the objects, and the updates of references.

use std::io::{Read, Write};
use std::sync::Arc;

use aws::{Denial, Failure};
use codecommit::CommandResults;
use codecommit::repository::Repository;
use git::receive_pack::{self, Received};
use git::{Output, ProtocolError};
use trail::Event;

use crate::git_serving::{Refusal, Reply, Session, event};

/// Serves a request; the references are updated in one transaction with the event, and the report is sent after it.
pub(crate) fn serve(session: &Session, reply: &mut impl Reply, input: &mut dyn Read) {
    let repository = match session.repository() {
        Ok(repository) => repository,
        Err(Refusal::Failed(failure)) if failure.error_code() == Denial::CODE => {
            // Git shows nothing of a refused request after the advertisement, but the message in a reply.
            return reply.send(ProtocolError::new(&failure.message).packet());
        }
        Err(refusal) => return reply.refuse(refusal),
    };
    let objects = match session.state.codecommit.objects(&session.call, &repository) {
        Ok(objects) => objects,
        Err(exception) => return reply.refuse(session.record_failure(exception.into())),
    };
    let _growth = session.state.codecommit.growth(&repository);
    let mut output = reply.start();
    let mut update_hook = |received: &Received<'_>| update_references(session, &repository, received);
    let served = receive_pack::serve(&objects, input, &mut output, &session.state.git, &mut update_hook);
    if let Err(error) = served {
        record_error(session, &repository, &error);
        let _ = output.write_all(&error.packet());
    }
}

/// Serves a client over a pair of streams that has received the advertisement.
pub(crate) fn serve_stream(session: &Session, input: &mut dyn Read, output: &mut dyn Output) -> Result<(), Refusal> {
    let repository = session.repository()?;
    let objects = session.state.codecommit.objects(&session.call, &repository);
    let objects = objects.map_err(|exception| session.record_failure(exception.into()))?;
    let _growth = session.state.codecommit.growth(&repository);
    let mut update_hook = |received: &Received<'_>| update_references(session, &repository, received);
    let served = receive_pack::serve_stream(&objects, &[], input, output, &session.state.git, &mut update_hook);
    if let Err(error) = served {
        record_error(session, &repository, &error);
    }
    Ok(())
}

/// Records a push that the protocol refuses.
fn record_error(session: &Session, repository: &Repository, error: &ProtocolError) {
    if error.is_internal() {
        let (name, id, request_id) = (&repository.name, &repository.id, session.call.request_id());
        tracing::error!(error = ?error, repository = name, repository_id = id, request_id, "cannot serve a push");
    }
    let mut event = event::without_data(session, &repository.name, Some(repository));
    event.failure = Some(Failure::client("InvalidRequestException", error.to_string()));
    // The client gets the error whether or not it is recorded, because nothing was changed.
    let _ = session.record(event);
}

/// Updates the references and records the push, in one transaction.
fn update_references(session: &Session, repository: &Repository, received: &Received<'_>) -> CommandResults {
    let count = received.commands.len();
    let references = received.commands.iter().map(|command| (command.name.as_slice(), command.new));
    let event = event::push(session, repository, received.capabilities, references);
    let (trail, call) = (&session.state.trail, &session.call);
    let updated = match session.state.codecommit.prepare_push(call, repository, received) {
        Ok(push) => trail.transact(Arc::clone(call), move |transaction| {
            let (results, failure) = push.apply(transaction);
            (results, Event { failure, ..event })
        }),
        Err(exception) => {
            let failure = Failure::from(exception);
            let results = vec![Err(failure.message.clone()); count];
            trail.record(call, Event { failure: Some(failure), ..event }).map(|()| results)
        }
    };
    updated.unwrap_or_else(|failure| vec![Err(failure.message); count])
}

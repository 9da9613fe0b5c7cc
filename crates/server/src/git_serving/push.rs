//! Pushes: the objects, and the updates of references.

use std::io::{Read, Write};
use std::sync::Arc;

use aws::{Denial, Failure};
use codecommit::repository::Repository;
use codecommit::{ChangedReference, CommandResults};
use git::ProtocolError;
use git::receive_pack::{self, Command, Received, UpdateHook};
use trail::{Event, ReferenceChange};

use crate::body::{self, ReplyControl};
use crate::failures::Effect;
use crate::git_serving::{Refusal, Reply, Session, event};
use crate::settings::Connection;

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
    let mut push = Push { session, repository: &repository, control: output.control(), effect: Effect::default() };
    let served = receive_pack::serve(&objects, input, &mut output, &session.state.git, &mut push);
    if let Err(error) = served {
        push.record_error(&error);
        let _ = output.write_all(&error.packet());
    }
}

/// Serves a client over a pair of streams that has received the advertisement.
pub(crate) fn serve_stream(session: &Session, input: &mut dyn Read, output: &mut body::Writer) -> Result<(), Refusal> {
    let repository = session.repository()?;
    let objects = session.state.codecommit.objects(&session.call, &repository);
    let objects = objects.map_err(|exception| session.record_failure(exception.into()))?;
    let _growth = session.state.codecommit.growth(&repository);
    let mut push = Push { session, repository: &repository, control: output.control(), effect: Effect::default() };
    let served = receive_pack::serve_stream(&objects, &[], input, output, &session.state.git, &mut push);
    if let Err(error) = served {
        push.record_error(&error);
    }
    Ok(())
}

/// A push while it is served.
struct Push<'s> {
    session: &'s Session,
    repository: &'s Repository,
    control: ReplyControl,
    /// What becomes of the push on demand.
    effect: Effect,
}

impl UpdateHook for Push<'_> {
    /// Decides whether the push fails on demand, and cuts the connection before the pack is received.
    fn check(&mut self, commands: &[Command]) -> Result<(), ProtocolError> {
        let Self { session, repository, .. } = *self;
        let names = || commands.iter().map(|command| command.name.to_string());
        if session.faults.is_none() || !session.state.codecommit.may_push(&session.call, repository, names()) {
            return Ok(());
        }
        self.effect = session.decide(repository, names());
        if let Some(delay) = self.effect.delay {
            self.control.pause(delay);
        }
        if self.effect.connection == Some(Connection::CutBefore) {
            self.control.cut_after(0);
            return Err(ProtocolError::new(Refusal::Cut.message()));
        }
        Ok(())
    }

    fn update(&mut self, received: &Received<'_>) -> CommandResults {
        let results = self.update_references(received);
        if self.effect.connection == Some(Connection::CutAfter) {
            self.control.cut_after(0);
        }
        results
    }
}

impl Push<'_> {
    /// Updates the references and records the push, in one transaction.
    fn update_references(&self, received: &Received<'_>) -> CommandResults {
        let Self { session, repository, effect, .. } = self;
        let count = received.commands.len();
        let references = received.commands.iter().map(|command| (command.name.as_slice(), command.new));
        let event = event::push(session, repository, received.capabilities, references);
        let (trail, call) = (&session.state.trail, &session.call);
        let prepared = match &effect.failure {
            Some(failure) => Err(failure.clone()),
            None => session.state.codecommit.prepare_push(call, repository, received).map_err(Failure::from),
        };
        let updated = match prepared {
            Ok(push) => trail.transact(Arc::clone(call), move |transaction| {
                let (results, failure) = push.apply(transaction);
                let reference_changes = push.changed_references(&results).into_iter().map(reference_change).collect();
                (results, Event { failure, reference_changes, ..event })
            }),
            Err(failure) => {
                let results = vec![Err(failure.message.clone()); count];
                trail.record(call, Event { failure: Some(failure), ..event }).map(|()| results)
            }
        };
        updated.unwrap_or_else(|failure| vec![Err(failure.message); count])
    }

    /// Records a push that the protocol refuses; one that never arrived, because its connection is cut, has no record.
    fn record_error(&self, error: &ProtocolError) {
        let Self { session, repository, effect, .. } = self;
        if effect.connection == Some(Connection::CutBefore) {
            return;
        }
        if error.is_internal() {
            let (name, id, request_id) = (&repository.name, &repository.id, session.call.request_id());
            tracing::error!(error = ?error, repository = name, repository_id = id, request_id, "cannot serve a push");
        }
        let mut event = event::without_data(session, &repository.name, Some(repository));
        event.failure = Some(Failure::client("InvalidRequestException", error.to_string()));
        // The client gets the error whether or not it is recorded, because nothing was changed.
        let _ = session.record(event);
    }
}

fn reference_change(changed: ChangedReference) -> ReferenceChange {
    let ChangedReference { name, old, is_forced } = changed;
    ReferenceChange { name, old: old.map(|old| old.to_string()), is_forced }
}

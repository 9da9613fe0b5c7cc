//! `POST git-receive-pack`: the objects and reference updates that a push brings.

use std::io::{Read, Write};
use std::sync::Arc;

use aws::Failure;
use codecommit::CommandResults;
use codecommit::repository::Repository;
use git::receive_pack::{self, Received};
use trail::Event;

use crate::body;
use crate::git_http::{Exchange, event};

/// Serves the request: the references move in one transaction with the event, and only then is the report sent.
pub(crate) fn serve(mut exchange: Exchange, input: &mut dyn Read) {
    let Some(repository) = exchange.repository() else { return };
    let objects = match exchange.state.codecommit.objects(&exchange.call, &repository) {
        Ok(objects) => objects,
        Err(exception) => return exchange.refuse(exception.into()),
    };
    let _growth = exchange.state.codecommit.growth(&repository);
    let (mut writer, body) = body::channel(&exchange.state.spill);
    exchange.send(200, "result", body);
    let mut update = |received: &Received<'_>| update(&exchange, &repository, received);
    let served = receive_pack::serve(&objects, input, &mut writer, &exchange.state.git, &mut update);
    if let Err(error) = served {
        if error.is_internal() {
            let request_id = exchange.call.request_id();
            tracing::error!(error = ?error, repository = repository.name, repository_id = repository.id, request_id, "a push failed");
        }
        let mut event = event::without_data(exchange.service, &repository.name, Some(&repository));
        event.failure = Some(Failure::client("InvalidRequestException", error.to_string()));
        // Whatever becomes of the record, the client hears that nothing happened.
        let _ = exchange.state.trail.record(&exchange.call, event);
        let _ = writer.write_all(&error.packet());
    }
}

/// Updates the references and records the push, in one transaction.
fn update(exchange: &Exchange, repository: &Repository, received: &Received<'_>) -> CommandResults {
    let count = received.commands.len();
    let references = received.commands.iter().map(|command| (command.name.as_slice(), command.new));
    let event = event::push(repository, received.capabilities, references);
    let (trail, call) = (&exchange.state.trail, &exchange.call);
    let updated = match exchange.state.codecommit.prepare_push(call, repository, received) {
        Ok(push) => trail.transact(Arc::clone(call), move |transaction| {
            let (results, failure) = push.apply(transaction);
            (results, Event { failure, ..event })
        }),
        Err(exception) => {
            let failure = Failure::from(exception);
            let answers = vec![Err(failure.message.clone()); count];
            trail.record(call, Event { failure: Some(failure), ..event }).map(|()| answers)
        }
    };
    updated.unwrap_or_else(|failure| vec![Err(failure.message); count])
}

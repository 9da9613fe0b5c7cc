//! `POST git-receive-pack`: the objects and reference moves that a push brings.

use std::io::{Read, Write};
use std::sync::Arc;

use aws::Failure;
use codecommit::push::{self, Door, Expected, Move, Refusal};
use codecommit::repository::Repository;
use git::ObjectId;
use git::receive_pack::{self, Command, Received};
use store::Transaction;
use trail::Event;

use crate::body;
use crate::git_http::{Exchange, event};

/// What each command of a push came to: done, or the reason why not.
type Answers = Vec<Result<(), String>>;

/// Serves the request: the references move in one transaction with the event, and only then is the report sent.
pub(crate) fn serve(mut exchange: Exchange, input: &mut dyn Read) {
    let Some(repository) = exchange.repository() else { return };
    let objects = match exchange.state.codecommit.objects(&repository) {
        Ok(objects) => objects,
        Err(exception) => return exchange.refuse(exception.into()),
    };
    let (mut writer, body) = body::channel();
    exchange.send(200, "result", body);
    let mut door = |received: &Received<'_>| settle(&exchange, &repository, received);
    let served = receive_pack::serve(&objects, input, &mut writer, &exchange.state.git, &mut door);
    exchange.state.maintenance.note(&repository.id);
    if let Err(error) = served {
        if error.is_internal() {
            tracing::error!(error = ?error, request_id = exchange.call.request_id(), "a push failed");
        }
        let mut event = event::without_data(exchange.service, &repository.name, Some(&repository));
        event.failure = Some(Failure::client("InvalidRequestException", error.to_string()));
        // Whatever becomes of the record, the client hears that nothing happened.
        let _ = exchange.state.trail.record(&exchange.call, event);
        let _ = writer.write_all(&error.packet());
    }
}

/// Moves the references that may move, and records the push, in one transaction.
fn settle(exchange: &Exchange, repository: &Repository, received: &Received<'_>) -> Answers {
    let commands = received.commands;
    let references = commands.iter().map(|command| (command.name.as_slice(), command.new));
    let event = event::push(repository, received.capabilities, references);
    let unpack = received.unpack.map_err(str::to_owned);
    let verdicts = received.verdicts.to_vec();
    let names: Vec<String> = commands.iter().map(|command| command.name.to_string()).collect();
    let moves: Vec<Option<Move>> = commands
        .iter()
        .zip(&verdicts)
        .map(|(command, verdict)| Some(wanted(command, *verdict.as_ref().ok()?)))
        .collect();
    let atomic = received.atomic;
    let count = commands.len();
    let possible: Vec<Move> = moves.iter().flatten().cloned().collect();
    let door = match Door::open(&exchange.state.codecommit, &exchange.call, repository, &possible) {
        Ok(door) => door,
        Err(exception) => return vec![Err(Failure::from(exception).message); count],
    };
    let settled = exchange.state.trail.transact(Arc::clone(&exchange.call), move |transaction| {
        let answers = match &unpack {
            Ok(()) => answers(transaction, &door, &moves, atomic),
            Err(reason) => vec![Err(reason.clone()); moves.len()],
        };
        let refused = match unpack {
            Err(reason) => Some(format!("unpack {reason}")),
            Ok(()) => names.iter().zip(&verdicts).zip(&answers).find_map(|((name, verdict), answer)| {
                let reason = verdict.as_ref().err().or(answer.as_ref().err())?;
                Some(format!("{name} {reason}"))
            }),
        };
        let failure = refused.map(|message| Failure::client("InvalidRequestException", message));
        (answers, Event { failure, ..event })
    });
    settled.unwrap_or_else(|failure| vec![Err(failure.message); count])
}

fn wanted(command: &Command, peeled: Option<ObjectId>) -> Move {
    let expected = if command.old.is_null() { Expected::Absent } else { Expected::At(command.old) };
    let new = (!command.new.is_null()).then_some(command.new);
    Move { name: command.name.clone(), expected, new, peeled }
}

/// Answers for every command; those that were refused before do not reach the door, and an atomic push of them moves nothing.
fn answers(transaction: &Transaction, door: &Door, moves: &[Option<Move>], atomic: bool) -> Answers {
    if atomic && moves.iter().any(Option::is_none) {
        return vec![Err(Refusal::Atomic.to_string()); moves.len()];
    }
    let possible: Vec<Move> = moves.iter().flatten().cloned().collect();
    let move_them = if atomic { push::all_or_none } else { push::all };
    // Were the store to fail half-way, none of them has moved.
    let made = match transaction.savepoint(|| move_them(transaction, door, &possible)) {
        Ok(made) => made,
        Err(error) => {
            tracing::error!(%error, "references could not be moved");
            return vec![Err("internal server error".to_owned()); moves.len()];
        }
    };
    let mut made = made.into_iter().map(|answer| answer.map_err(|refusal| refusal.to_string()));
    let answer = |it: &Option<Move>| match it {
        Some(_) => made.next().expect("each move has an answer"),
        // Its reason stands in the verdict already.
        None => Err(String::new()),
    };
    moves.iter().map(answer).collect()
}

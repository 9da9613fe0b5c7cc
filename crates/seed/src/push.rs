//! Pushes the content of a source into a repository: the intake, checks and reference transactions of a client's push.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;

use aws::{Call, KmsAction};
use codecommit::repository::Repository;
use git::receive_pack::{self, Command, Received};
use git::{BString, ObjectId};
use serde_json::{Value, json};
use trail::Event;

use crate::runner::Runner;
use crate::source::Content;

/// Prefix of the references that keep commits without a reference during the intake; they are never created.
const KEPT: &str = "refs/codecommit-local-seed/";

/// Capabilities that the record of the push shows.
const CAPABILITIES: [&str; 2] = ["report-status", "side-band-64k"];

/// Pushes the references of a source, with the objects of the commits `tips`; fails with the reason.
pub(crate) fn push(
    runner: &Runner<'_>,
    call: &Arc<Call>,
    repository: &Repository,
    content: Content,
    tips: &[ObjectId],
) -> Result<(), String> {
    if content.references.is_empty() && tips.is_empty() {
        return Ok(());
    }
    let kept = tips.iter().enumerate().map(|(number, id)| (BString::from(format!("{KEPT}{number}")), *id));
    let commands: Vec<_> = content.references.into_iter().chain(kept).collect();
    let objects = runner.services.codecommit.objects(call, repository).map_err(|exception| exception.to_string())?;
    let mut input = Cursor::new(request(&commands)).chain(content.pack);
    let mut outcome = Err("the push was not received".to_owned());
    let mut update = |received: &Received<'_>| {
        outcome = update_references(runner, call, repository, received);
        received.commands.iter().map(|_| outcome.clone()).collect()
    };
    let served = receive_pack::serve(&objects, &mut input, &mut io::sink(), &options(runner), &mut update);
    served.map_err(|error| error.to_string())?;
    outcome
}

/// Returns the options of the intake: those of the server, for packs of all forms, without the limits of one request.
fn options(runner: &Runner<'_>) -> git::Options {
    let mut options = runner.services.git.clone();
    options.limits.refs_per_push = usize::MAX - 1;
    options.limits.request_bytes = u64::MAX;
    // Packs of repositories have deltas by offset.
    options.offers.modern = true;
    options.offers.shallow_pushes = false;
    options
}

/// Writes the commands that create references, as a client sends them.
pub(crate) fn request(commands: &[(BString, ObjectId)]) -> Vec<u8> {
    let null = "0".repeat(40);
    let mut request = Vec::new();
    for (name, id) in commands {
        let line = [format!("{null} {id} ").as_bytes(), name, b"\n"].concat();
        write!(request, "{:04x}", line.len() + 4).expect("memory takes every byte");
        request.extend_from_slice(&line);
    }
    request.extend_from_slice(b"0000");
    request
}

/// Creates the references in one transaction, all or none.
fn update_references(
    runner: &Runner<'_>,
    call: &Arc<Call>,
    repository: &Repository,
    received: &Received<'_>,
) -> Result<(), String> {
    received.unpack.map_err(str::to_owned)?;
    for (command, status) in received.commands.iter().zip(received.statuses) {
        if let Err(reason) = status {
            let commit = command.new;
            return Err(if command.name.starts_with(KEPT.as_bytes()) {
                format!("commit {commit} of a pull request: {reason}")
            } else {
                format!("reference {}: {reason}", command.name)
            });
        }
    }
    let count = received.commands.iter().take_while(|command| !command.name.starts_with(KEPT.as_bytes())).count();
    let received = Received {
        commands: &received.commands[..count],
        capabilities: received.capabilities,
        push_options: &[],
        unpack: Ok(()),
        statuses: &received.statuses[..count],
        atomic: true,
        messages: RefCell::default(),
    };
    let push = runner.services.codecommit.prepare_push(call, repository, &received);
    let push = push.map_err(|exception| exception.to_string())?;
    let event = event(repository, received.commands);
    let results = runner.transact(call, move |transaction| {
        let (results, failure) = push.apply(transaction);
        (results, Event { failure, ..event })
    })?;
    for (command, result) in received.commands.iter().zip(results) {
        result.map_err(|reason| format!("reference {}: {reason}", command.name))?;
    }
    Ok(())
}

/// Creates the event of the push.
fn event(repository: &Repository, commands: &[Command]) -> Event {
    let references: Vec<Value> = commands
        .iter()
        .map(|command| json!({ "commit": command.new.to_string(), "ref": command.name.to_string() }))
        .collect();
    let mut event = Event::new("GitPush", codecommit::EVENT_SOURCE);
    event.read_only = false;
    event.kms_actions = &[KmsAction::Encrypt];
    event.request_parameters = json!({ "references": references });
    event.additional_event_data = json!({
        "protocol": "HTTP",
        "capabilities": CAPABILITIES,
        "dataTransferred": true,
        "repositoryName": repository.name,
        "repositoryId": repository.id,
    });
    event
}

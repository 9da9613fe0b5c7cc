//! Updates references for a push.

use std::{collections::HashMap, io};

use bstr::{BString, ByteSlice};
use git::{
    ObjectId, Repository,
    receive_pack::{Command, Received},
};

use super::{
    super::config::Settings,
    files::Target,
    rules::Rules,
    snapshot::Store,
    transaction::{self, Committer, RefUpdate},
};

/// Takes lines for the client, each without a newline.
pub type PrintMessage<'s> = dyn FnMut(String) + 's;

/// Updates references or rejects updates: returns the result of each command in order, with the reason of a rejection.
pub fn update(
    store: &Store,
    repository: &Repository,
    settings: &Settings,
    committer: &Committer<'_>,
    received: &Received<'_>,
    print: &mut PrintMessage<'_>,
) -> Vec<Result<(), String>> {
    let _turn = store.moving.lock();
    let commands = received.commands;
    let mut results: Vec<Result<(), String>> =
        received.statuses.iter().map(|status| status.clone().map(drop)).collect();
    let mut updates = HashMap::new();
    let prepared = (|| {
        let aliases = aliases(store, commands, &mut results, print)?;
        let mut rules = Rules::new(store, repository, settings)?;
        for (rank, command) in commands.iter().enumerate() {
            if results[rank].is_err() {
                if results[rank] == Err("funny refname".to_owned()) {
                    print(format!("error: refusing to update funny ref '{}' remotely", command.name));
                }
                continue;
            }
            results[rank] = rules.check(command, print)?;
            if received.atomic && results[rank].is_err() {
                break;
            }
            // The update of its target updates this one, too.
            if results[rank].is_ok() && !aliases.contains(&rank) {
                updates.insert(rank, RefUpdate::new(repository, store, command, print)?);
            }
        }
        Ok::<_, io::Error>(())
    })();
    if let Err(error) = prepared {
        eprintln!("{error}");
        return commands.iter().map(|_| Err("failed to update ref".to_owned())).collect();
    }

    if received.atomic {
        let reason = if results.iter().any(Result::is_err) {
            Err("atomic push failure")
        } else {
            let mut all: Vec<_> = updates.into_iter().collect();
            all.sort_by_key(|(rank, _)| *rank);
            let all: Vec<_> = all.into_iter().map(|(_, update)| update).collect();
            transaction::make(store, &all, settings.logs, committer).map_err(|complaint| {
                print(format!("error: {complaint}"));
                "atomic transaction failed"
            })
        };
        return results.into_iter().map(|result| result.and(reason.map_err(str::to_owned))).collect();
    }
    for (rank, result) in results.iter_mut().enumerate() {
        let Some(update) = updates.remove(&rank).filter(|_| result.is_ok()) else { continue };
        if let Err(complaint) = transaction::make(store, &[update], settings.logs, committer) {
            print(format!("error: {complaint}"));
            *result = Err("failed to update ref".to_owned());
        }
    }
    results
}

/// Lists the commands for a symbolic reference whose target has a command with the same values.
///
/// If the values differ, both commands are rejected.
fn aliases(
    store: &Store,
    commands: &[Command],
    results: &mut [Result<(), String>],
    print: &mut PrintMessage<'_>,
) -> io::Result<Vec<usize>> {
    let ranks: HashMap<_, _> = commands.iter().enumerate().map(|(rank, command)| (&command.name, rank)).collect();
    let mut aliases = Vec::new();
    for (rank, command) in commands.iter().enumerate() {
        let Some(target) = leads_to(store, &command.name)? else { continue };
        let Some(&other) = ranks.get(&target).filter(|other| **other != rank) else { continue };
        let target = &commands[other];
        if (target.old, target.new) == (command.old, command.new) {
            aliases.push(rank);
            continue;
        }
        print(format!(
            "error: refusing inconsistent update between symref '{}' ({}..{}) and its target '{}' ({}..{})",
            command.name,
            short(&command.old),
            short(&command.new),
            target.name,
            short(&target.old),
            short(&target.new),
        ));
        for rank in [rank, other] {
            results[rank] = Err("inconsistent aliased update".to_owned());
        }
    }
    Ok(aliases)
}

fn short(id: &ObjectId) -> gix::hash::Prefix {
    gix::hash::Prefix::new(id, 7).expect("an id has seven digits")
}

/// Returns the final target of a symbolic reference; `None` for any other reference.
pub fn leads_to(store: &Store, name: &BString) -> io::Result<Option<BString>> {
    let mut last = None;
    let mut name = name.clone();
    for _ in 0..5 {
        match store.target(name.as_bstr()) {
            Ok(Some(Target::Symbolic(next))) => name = last.insert(next).clone(),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => break,
            Err(error) => return Err(error),
        }
    }
    Ok(last)
}

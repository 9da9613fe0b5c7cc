//! Moving references as a push asks for.

use std::{collections::HashMap, io};

use bstr::{BString, ByteSlice};
use git::{
    ObjectId, Repository,
    receive_pack::{Command, Received},
};

use super::{
    super::config::Settings,
    files::Target,
    moves::{self, Committer, Move},
    rules::Rules,
    snapshot::Store,
};

/// Lines for the client, each without a newline at its end.
pub type Say<'s> = dyn FnMut(String) + 's;

/// Moves references, or refuses to: answers each command in its order, with the reason of a refusal.
pub fn update(
    store: &Store,
    repository: &Repository,
    settings: &Settings,
    committer: &Committer<'_>,
    received: &Received<'_>,
    say: &mut Say<'_>,
) -> Vec<Result<(), String>> {
    let _turn = store.moving.lock();
    let commands = received.commands;
    let mut results: Vec<Result<(), String>> =
        received.statuses.iter().map(|status| status.clone().map(drop)).collect();
    let mut moves = HashMap::new();
    let prepared = (|| {
        let aliases = aliases(store, commands, &mut results, say)?;
        let mut rules = Rules::new(store, repository, settings)?;
        for (rank, command) in commands.iter().enumerate() {
            if results[rank].is_err() {
                if results[rank] == Err("funny refname".to_owned()) {
                    say(format!("error: refusing to update funny ref '{}' remotely", command.name));
                }
                continue;
            }
            results[rank] = rules.judge(command, say)?;
            // Its other name is moved, and it with that one.
            if results[rank].is_ok() && !aliases.contains(&rank) {
                moves.insert(rank, Move::new(repository, store, command, say)?);
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
            let mut all: Vec<_> = moves.into_iter().collect();
            all.sort_by_key(|(rank, _)| *rank);
            let all: Vec<_> = all.into_iter().map(|(_, movement)| movement).collect();
            moves::make(store, &all, settings.logs, committer).map_err(|complaint| {
                say(format!("error: {complaint}"));
                "atomic transaction failed"
            })
        };
        return results.into_iter().map(|result| result.and(reason.map_err(str::to_owned))).collect();
    }
    for (rank, result) in results.iter_mut().enumerate() {
        let Some(movement) = moves.remove(&rank).filter(|_| result.is_ok()) else { continue };
        if let Err(complaint) = moves::make(store, &[movement], settings.logs, committer) {
            say(format!("error: {complaint}"));
            *result = Err("failed to update ref".to_owned());
        }
    }
    results
}

/// Lists the commands whose reference is symbolic and leads to that of another command, which wants the same.
///
/// Those that want something else are refused, and so are the others.
fn aliases(
    store: &Store,
    commands: &[Command],
    results: &mut [Result<(), String>],
    say: &mut Say<'_>,
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
        say(format!(
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

/// Finds what a symbolic reference finally names; nothing if it is no such reference.
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

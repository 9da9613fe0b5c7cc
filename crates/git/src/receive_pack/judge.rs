//! Taking the objects of a push, and judging its commands by their names and new values.
//!
//! **Invariant:** what is taken into the repository is closed, up to the commits of its file `shallow`. Of a pack that is
//! not, only that is taken which references that may move lead to.

use std::io::Read;

use gix::{
    ObjectId,
    hashtable::{HashMap, HashSet},
};

use super::{
    boundary,
    closure::{Closure, State},
    command::{Command, Commands},
};
use crate::{
    Error, Hold, Kind, Options, Repository,
    intake::{self, Staged},
};

/// For each command what its new value finally names, if that is an annotated tag; or why the command is refused.
pub(super) type Verdicts = Vec<Result<Option<ObjectId>, String>>;

/// What became of the objects of a push.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) verdicts: Verdicts,
    /// The number of objects that were sent, if a pack came.
    pub(super) objects: Option<u32>,
    pub(super) warnings: Vec<String>,
    /// Keeps all objects in place until the references have moved.
    pub(super) hold: Option<Hold>,
}

/// Takes the objects of a push and judges its commands; fails with the sentence for the client.
pub(super) fn take(
    repository: &Repository,
    input: &mut dyn Read,
    commands: &Commands,
    atomic: bool,
    options: &Options,
) -> Result<Taken, String> {
    if commands.list.len() > options.limits.refs_per_push {
        return Err("Too many reference update commands".to_owned());
    }
    let cut = boundary::read(repository).map_err(|error| format!("unable to read the shallow file: {error}"))?;
    let mut staged = None;
    if commands.list.iter().any(|command| !command.is_deletion()) {
        let received = intake::receive(repository, input, options, &cut);
        staged = Some(received.map_err(|refusal| refusal.to_string())?);
    }
    let mut taken = Taken { hold: Some(repository.hold()), ..Taken::default() };
    if let Some(staged) = &staged {
        taken.objects = Some(staged.received());
        taken.warnings = staged.warnings().to_vec();
    }
    judge(repository, staged, commands, (atomic, options), &cut, &mut taken.verdicts)?;
    let mut reader = repository.reader();
    for (command, verdict) in commands.list.iter().zip(&mut taken.verdicts) {
        if verdict.is_ok() && !command.is_deletion() {
            let (peeled, _) = reader.peel(&command.new).map_err(|error| error.to_string())?;
            *verdict = Ok((peeled != command.new).then_some(peeled));
        }
    }
    Ok(taken)
}

/// Judges all commands, and takes in what those that are not refused lead to.
fn judge(
    repository: &Repository,
    staged: Option<Staged>,
    commands: &Commands,
    (atomic, options): (bool, &Options),
    cut: &HashSet<ObjectId>,
    verdicts: &mut Verdicts,
) -> Result<(), String> {
    let mut reader = repository.reader();
    let internal = |error: Error| error.to_string();
    let mut closure = match &staged {
        Some(staged) if !staged.is_closed() => {
            Some(Closure::new(staged, repository.reader(), &commands.shallow, cut).map_err(internal)?)
        }
        _ => None,
    };
    let mut states = HashMap::default();
    let mut tips = Vec::new();
    for (rank, command) in commands.list.iter().enumerate() {
        if let Some(refusal) = refusal_of_name(command, commands.repeated.contains(&rank)) {
            verdicts.push(Err(refusal));
            continue;
        }
        if command.is_deletion() {
            verdicts.push(Ok(None));
            continue;
        }
        let known = reader.kind(&command.new).map_err(internal)?;
        let kind = known.or_else(|| staged.as_ref()?.kind(&command.new));
        if known.is_none() && staged.as_ref().is_some_and(Staged::is_too_deep) {
            let depth = options.limits.tree_depth;
            verdicts.push(Err(format!("trees are nested deeper than the {depth} folders that Git allows")));
            continue;
        }
        let state = match (&mut closure, known, kind) {
            (_, _, None) => State::Incomplete,
            (_, Some(_), _) | (None, ..) => State::Complete,
            (Some(closure), ..) => match states.get(&command.new) {
                Some(state) => *state,
                None => *states.entry(command.new).or_insert(closure.state(command.new).map_err(internal)?),
            },
        };
        let verdict = verdict_of(command, kind, state, options);
        if verdict.is_ok() && known.is_none() {
            tips.push(command.new);
        }
        verdicts.push(verdict.map(|()| None));
    }
    if atomic && verdicts.iter().any(Result::is_err) {
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_ok()) {
            *verdict = Err("atomic push failure".to_owned());
        }
        return Ok(());
    }
    if tips.is_empty() {
        return Ok(());
    }
    let below = closure.map(|mut closure| closure.below(&tips)).transpose().map_err(internal)?;
    match staged {
        Some(staged) => install(repository, staged, below, options, cut),
        None => Ok(()),
    }
}

fn refusal_of_name(command: &Command, is_repeated: bool) -> Option<String> {
    if is_repeated {
        return Some("multiple updates for ref".to_owned());
    }
    (!command.has_sound_name()).then(|| "funny refname".to_owned())
}

fn verdict_of(command: &Command, kind: Option<Kind>, state: State, options: &Options) -> Result<(), String> {
    match state {
        State::Incomplete => Err("missing necessary objects".to_owned()),
        State::Shallow if !options.offers.shallow_pushes => Err("shallow update not allowed".to_owned()),
        _ if kind != Some(Kind::Commit) && command.name.starts_with(b"refs/heads/") => {
            Err("failed to update ref".to_owned())
        }
        _ => Ok(()),
    }
}

/// Takes a pack into the repository: all of it, or only some objects with some commits at which history ends.
fn install(
    repository: &Repository,
    staged: Staged,
    part: Option<(HashSet<ObjectId>, HashSet<ObjectId>)>,
    options: &Options,
    cut: &HashSet<ObjectId>,
) -> Result<(), String> {
    let failed = |error| format!("unable to store the pack: {error}");
    let Some((chosen, boundary)) = part else {
        return staged.install(repository, options.sync).map_err(failed);
    };
    let whole = if chosen.len() == staged.len() {
        staged
    } else {
        let cut = cut.union(&boundary).copied().collect();
        let excerpt = staged.excerpt(repository, &chosen, options, &cut).map_err(|refusal| refusal.to_string())?;
        if !excerpt.is_closed() {
            return Err("the objects could not be told apart".to_owned());
        }
        excerpt
    };
    if !boundary.is_empty() {
        // Until the file tells where history ends, the pack would not be closed.
        boundary::add(repository, &boundary, options.sync)
            .map_err(|error| format!("unable to write the shallow file: {error}"))?;
    }
    whole.install(repository, options.sync).map_err(failed)
}

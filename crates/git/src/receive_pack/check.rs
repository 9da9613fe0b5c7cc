//! Stores the objects of a push and checks its commands by their names and new values.
//!
//! **Invariant:** the objects of the repository stay fully connected, up to the commits in its `shallow` file. If a pack
//! is not fully connected, only the objects reachable from accepted references are kept.

use std::io::Read;

use gix::{
    ObjectId,
    hashtable::{HashMap, HashSet},
};

use super::{
    command::{Command, Commands},
    connectivity::{Connectivity, ConnectivityCheck},
    shallow_file,
};
use crate::{
    Error, Kind, ObjectsInUse, Options, Repository,
    index_pack::{self, Staged},
};

/// For each command the peeled value if its new value is an annotated tag, or the reason for its rejection.
pub(super) type Statuses = Vec<Result<Option<ObjectId>, String>>;

/// A push whose objects are stored and whose commands are checked.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) statuses: Statuses,
    /// The number of objects that were sent, if there was a pack.
    pub(super) objects: Option<u32>,
    pub(super) warnings: Vec<String>,
    /// Keeps all objects in place until the references have moved.
    pub(super) in_use: Option<ObjectsInUse>,
}

/// Stores the objects of a push and checks its commands; fails with the reason for the client.
pub(super) fn store_objects(
    repository: &Repository,
    input: &mut dyn Read,
    commands: &Commands,
    atomic: bool,
    options: &Options,
) -> Result<Checked, String> {
    if commands.list.len() > options.limits.refs_per_push {
        return Err("Too many reference update commands".to_owned());
    }
    let shallow =
        shallow_file::read(repository).map_err(|error| format!("unable to read the shallow file: {error}"))?;
    let mut staged = None;
    if commands.list.iter().any(|command| !command.is_deletion()) {
        let received = index_pack::receive(repository, input, options, &shallow);
        staged = Some(received.map_err(|error| error.to_string())?);
    }
    let mut checked = Checked { in_use: Some(repository.use_objects()), ..Checked::default() };
    if let Some(staged) = &staged {
        checked.objects = Some(staged.received());
        checked.warnings = staged.warnings().to_vec();
    }
    check(repository, staged, commands, (atomic, options), &shallow, &mut checked.statuses)?;
    let mut reader = repository.reader();
    for (command, status) in commands.list.iter().zip(&mut checked.statuses) {
        if status.is_ok() && !command.is_deletion() {
            let (peeled, _) = reader.peel(&command.new).map_err(|error| error.to_string())?;
            *status = Ok((peeled != command.new).then_some(peeled));
        }
    }
    Ok(checked)
}

/// Checks all commands, and stores the objects that the accepted ones reach.
fn check(
    repository: &Repository,
    staged: Option<Staged>,
    commands: &Commands,
    (atomic, options): (bool, &Options),
    shallow: &HashSet<ObjectId>,
    statuses: &mut Statuses,
) -> Result<(), String> {
    let mut reader = repository.reader();
    let internal = |error: Error| error.to_string();
    let mut connectivity = match &staged {
        Some(staged) if !staged.is_fully_connected() => {
            Some(ConnectivityCheck::new(staged, repository.reader(), &commands.shallow, shallow).map_err(internal)?)
        }
        _ => None,
    };
    let mut checked = HashMap::default();
    let mut tips = Vec::new();
    for (rank, command) in commands.list.iter().enumerate() {
        if let Some(reason) = check_name(command, commands.repeated.contains(&rank)) {
            statuses.push(Err(reason));
            continue;
        }
        if command.is_deletion() {
            statuses.push(Ok(None));
            continue;
        }
        let known = reader.kind(&command.new).map_err(internal)?;
        let kind = known.or_else(|| staged.as_ref()?.kind(&command.new));
        if known.is_none() && staged.as_ref().is_some_and(Staged::is_too_deep) {
            let depth = options.limits.tree_depth;
            statuses.push(Err(format!("trees are nested deeper than the {depth} folders that Git allows")));
            continue;
        }
        let connected = match (&mut connectivity, known, kind) {
            (_, _, None) => Connectivity::Incomplete,
            (_, Some(_), _) | (None, ..) => Connectivity::Complete,
            (Some(connectivity), ..) => match checked.get(&command.new) {
                Some(known) => *known,
                None => *checked.entry(command.new).or_insert(connectivity.check(command.new).map_err(internal)?),
            },
        };
        let status = check_value(command, kind, connected, options);
        if status.is_ok() && known.is_none() {
            tips.push(command.new);
        }
        statuses.push(status.map(|()| None));
    }
    if atomic && statuses.iter().any(Result::is_err) {
        for status in statuses.iter_mut().filter(|status| status.is_ok()) {
            *status = Err("atomic push failure".to_owned());
        }
        return Ok(());
    }
    if tips.is_empty() {
        return Ok(());
    }
    let reachable = connectivity.map(|mut check| check.reachable_from(&tips)).transpose().map_err(internal)?;
    match staged {
        Some(staged) => install(repository, staged, reachable, options, shallow),
        None => Ok(()),
    }
}

/// Returns the reason why the name of a command's reference is rejected, if it is.
fn check_name(command: &Command, is_repeated: bool) -> Option<String> {
    if is_repeated {
        return Some("multiple updates for ref".to_owned());
    }
    (!command.has_sound_name()).then(|| "funny refname".to_owned())
}

/// Checks the new value of a command by its kind and by the objects that it reaches.
fn check_value(
    command: &Command,
    kind: Option<Kind>,
    connectivity: Connectivity,
    options: &Options,
) -> Result<(), String> {
    match connectivity {
        Connectivity::Incomplete => Err("missing necessary objects".to_owned()),
        Connectivity::Shallow if !options.offers.shallow_pushes => Err("shallow update not allowed".to_owned()),
        _ if kind != Some(Kind::Commit) && command.name.starts_with(b"refs/heads/") => {
            Err("failed to update ref".to_owned())
        }
        _ => Ok(()),
    }
}

/// Adds a pack to the repository: all of it, or only the given objects, with new commits for the `shallow` file.
fn install(
    repository: &Repository,
    staged: Staged,
    part: Option<(HashSet<ObjectId>, HashSet<ObjectId>)>,
    options: &Options,
    shallow: &HashSet<ObjectId>,
) -> Result<(), String> {
    let failed = |error| format!("unable to store the pack: {error}");
    let Some((objects, new_shallow)) = part else {
        return staged.install(repository, options.sync).map_err(failed);
    };
    let pack = if objects.len() == staged.len() {
        staged
    } else {
        let shallow = shallow.union(&new_shallow).copied().collect();
        let excerpt = staged.excerpt(repository, &objects, options, &shallow).map_err(|error| error.to_string())?;
        if !excerpt.is_fully_connected() {
            return Err("the objects of the accepted references cannot be separated from the others".to_owned());
        }
        excerpt
    };
    if !new_shallow.is_empty() {
        // The pack is fully connected only once the file lists these commits.
        shallow_file::add(repository, &new_shallow, options.sync)
            .map_err(|error| format!("unable to write the shallow file: {error}"))?;
    }
    pack.install(repository, options.sync).map_err(failed)
}

//! References in files.

use std::{error::Error, path::Path};

use bstr::BString;
use git::{Reference, References, Repository, receive_pack::Received};
use gix::{
    lock::acquire::Fail,
    refs::{
        FullName, Target, TargetRef,
        file::Store,
        store::{WriteReflog, init::Options},
        transaction::{PreviousValue, RefEdit},
    },
};

fn store(path: &Path) -> Store {
    let options = Options { write_reflog: WriteReflog::Disable, ..Options::default() };
    Store::at_opts(path.to_owned(), gix::hash::Kind::Sha1, options)
}

/// Reads the references of the repository at `path`; those that lead nowhere are left out.
pub fn read(path: &Path, repository: &Repository) -> Result<References, Box<dyn Error + Send + Sync>> {
    let store = store(path);
    let head = match store.try_find("HEAD")?.map(|head| head.target) {
        Some(Target::Symbolic(name)) => Some(name.as_bstr().to_owned()),
        _ => None,
    };
    let mut references = Vec::new();
    for reference in store.iter()?.all()? {
        let reference = reference?;
        let mut target = reference.target.clone();
        for _ in 0..5 {
            let TargetRef::Symbolic(name) = target.to_ref() else { break };
            match store.try_find(name)? {
                Some(next) => target = next.target,
                None => break,
            }
        }
        let Some(target) = target.try_id().map(ToOwned::to_owned) else { continue };
        let Ok(peeled) = repository.peel(&target) else { continue };
        let name: BString = reference.name.as_bstr().to_owned();
        references.push(Reference { name, target, peeled: (peeled != target).then_some(peeled) });
    }
    references.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(References { head, references, ..References::default() })
}

/// Moves references as a push asks for.
pub fn update(path: &Path, received: &Received<'_>) -> Vec<Result<(), String>> {
    let store = store(path);
    let edits = received.commands.iter().zip(received.verdicts).map(|(command, verdict)| {
        verdict.as_ref().map_err(String::clone)?;
        let name = FullName::try_from(command.name.clone()).map_err(|error| error.to_string())?;
        let expected = match command.old {
            old if old.is_null() => PreviousValue::MustNotExist,
            old => PreviousValue::MustExistAndMatch(Target::Object(old)),
        };
        Ok(match (command.is_deletion(), command.old.is_null()) {
            (true, true) => RefEdit::delete(name, PreviousValue::Any),
            (true, false) => RefEdit::delete(name, expected),
            (false, _) => RefEdit::update(name, command.new, expected, "push"),
        })
    });
    let commit = |edits: Vec<RefEdit>| {
        let transaction = store.transaction().prepare(edits, Fail::Immediately, Fail::Immediately);
        let moved = transaction.and_then(|transaction| transaction.commit(None));
        moved.map(drop).map_err(|error| {
            eprintln!("{error}");
            "failed to update ref".to_owned()
        })
    };
    if received.atomic {
        let result = edits.collect::<Result<Vec<_>, _>>().and_then(commit);
        return received.commands.iter().map(|_| result.clone()).collect();
    }
    edits.map(|edit| edit.and_then(|edit| commit(vec![edit]))).collect()
}

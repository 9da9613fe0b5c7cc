//! Reference updates of a Git push: the edits that its commands ask for, and the results that the client is sent.

use std::sync::Arc;

use aws::{Call, Denial, Failure};
use git::ObjectId;
use git::receive_pack::{Command, Received};
use store::Transaction;

use crate::ref_edit::{ChangedReference, PreviousValue, RefEdit, Rejection};
use crate::ref_transaction::RefTransaction;
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// Result of each command of a push, in the order of the commands: success, or the reason of the rejection.
pub type CommandResults = Vec<Result<(), String>>;

/// Message for a reference that the caller may not change; an AWS lab shows it.
const DENIED: &str = "You don't have permission to push changes to this branch.";

/// Reference updates of a push, prepared for a transaction.
pub struct PreparedPush {
    refs: RefTransaction,
    /// Whether the objects were stored, or why not.
    unpack: Result<(), String>,
    updates: Vec<Update>,
    atomic: bool,
    /// The denial of the first reference that the caller may not change.
    denial: Option<Denial>,
}

/// One command of a push.
struct Update {
    name: String,
    /// The edit, or why Git's rules reject the command.
    edit: Result<RefEdit, String>,
}

impl CodeCommit {
    /// Prepares the reference updates of a push before the transaction, where there is time to walk histories.
    pub fn prepare_push(
        &self,
        call: &Arc<Call>,
        repository: &Repository,
        received: &Received<'_>,
    ) -> Result<PreparedPush, Exception> {
        let mut updates: Vec<Update> = received
            .commands
            .iter()
            .zip(received.statuses)
            .map(|(command, status)| Update {
                name: command.name.to_string(),
                edit: status.clone().map(|peeled| edit(command, peeled)),
            })
            .collect();
        let denial = self.deny(call, repository, &mut updates, received.atomic)?;
        if let Some(reason) = self.lacks_lfs_objects(call, repository, received)? {
            for update in updates.iter_mut().filter(|update| update.edit.is_ok()) {
                update.edit = Err(reason.clone());
            }
        }
        let refs = RefTransaction::prepare(self, call, repository, &edits(&updates))?;
        let unpack = received.unpack.map_err(str::to_owned);
        Ok(PreparedPush { refs, unpack, updates, atomic: received.atomic, denial })
    }

    /// Returns whether the caller may change all references of a push, by their names.
    pub fn may_push(&self, call: &Call, repository: &Repository, names: impl IntoIterator<Item = String>) -> bool {
        if !call.has_policies() {
            return true;
        }
        let arn = repository.arn().to_string();
        let facts = self.store.read(|transaction| repository.facts(transaction, call));
        facts.is_ok_and(|facts| {
            names.into_iter().all(|name| call.allow(&arn, &facts.clone().with_reference(name)).is_ok())
        })
    }

    /// Rejects the updates that the caller may not make, and with one of them all of an atomic push; returns the first denial.
    fn deny(
        &self,
        call: &Call,
        repository: &Repository,
        updates: &mut [Update],
        atomic: bool,
    ) -> Result<Option<Denial>, Exception> {
        if !call.has_policies() {
            return Ok(None);
        }
        let (facts, arn) =
            (self.store.read(|transaction| repository.facts(transaction, call))?, repository.arn().to_string());
        let mut first = None;
        for update in &mut *updates {
            if let Err(denial) = call.allow(&arn, &facts.clone().with_reference(&update.name)) {
                update.edit = Err(DENIED.to_owned());
                first.get_or_insert(denial);
            }
        }
        if atomic && first.is_some() {
            for update in updates.iter_mut().filter(|update| update.edit.is_ok()) {
                update.edit = Err(Rejection::Atomic.to_string());
            }
        }
        Ok(first)
    }
}

impl PreparedPush {
    /// Applies the updates; returns the results and, if any command was rejected, the failure for the push's record.
    ///
    /// Commands that Git's rules reject change nothing. If one of an atomic push is rejected, all are.
    pub fn apply(&self, transaction: &Transaction) -> (CommandResults, Option<Failure>) {
        let results = match &self.unpack {
            Ok(()) => self.results(transaction),
            Err(reason) => vec![Err(reason.clone()); self.updates.len()],
        };
        let rejected = match &self.unpack {
            Err(reason) => Some(format!("unpack {reason}")),
            Ok(()) => self.updates.iter().zip(&results).find_map(|(update, result)| {
                let reason = result.as_ref().err()?;
                Some(format!("{} {reason}", update.name))
            }),
        };
        let denied = self.denial.clone().map(Denial::json);
        (results, denied.or_else(|| rejected.map(|message| Failure::client("InvalidRequestException", message))))
    }

    /// Returns the references that the push changed, given the results of its commands.
    pub fn changed_references(&self, results: &CommandResults) -> Vec<ChangedReference> {
        let applied = self.updates.iter().zip(results).filter(|(_, result)| result.is_ok());
        applied.filter_map(|(update, _)| Some(self.refs.changed_reference(update.edit.as_ref().ok()?))).collect()
    }

    fn results(&self, transaction: &Transaction) -> CommandResults {
        let edits = edits(&self.updates);
        let apply = if self.atomic { RefTransaction::apply_atomic } else { RefTransaction::apply };
        // The savepoint takes back all edits if the store fails at one of them.
        let results = match transaction.savepoint(|| apply(&self.refs, transaction, &edits)) {
            Ok(results) => results,
            Err(error) => {
                let repository = &self.refs.repository().name;
                tracing::error!(%error, repository, "cannot update the references of a push");
                return vec![Err("internal server error".to_owned()); self.updates.len()];
            }
        };
        let mut results = results.into_iter().map(|result| result.map_err(|rejection| rejection.to_string()));
        let result = |update: &Update| match &update.edit {
            Ok(_) => results.next().expect("each edit has a result"),
            Err(reason) => Err(reason.clone()),
        };
        self.updates.iter().map(result).collect()
    }
}

/// Returns the edits of the commands that Git's rules allow.
fn edits(updates: &[Update]) -> Vec<RefEdit> {
    updates.iter().filter_map(|update| update.edit.clone().ok()).collect()
}

fn edit(command: &Command, peeled: Option<ObjectId>) -> RefEdit {
    let is_new = command.old.is_null();
    let expected = if is_new { PreviousValue::MustNotExist } else { PreviousValue::MustExistAndMatch(command.old) };
    let new = (!command.new.is_null()).then_some(command.new);
    RefEdit { name: command.name.clone(), expected, new, peeled }
}

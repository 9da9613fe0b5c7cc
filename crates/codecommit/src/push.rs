//! Reference updates of a Git push: the edits that its commands ask for, and the results that the client is sent.

use std::sync::Arc;

use aws::{Call, Failure};
use git::ObjectId;
use git::receive_pack::{Command, Received};
use store::Transaction;

use crate::ref_edit::{PreviousValue, RefEdit};
use crate::ref_transaction::RefTransaction;
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// Result of each command of a push, in the order of the commands: success, or the reason of the rejection.
pub type CommandResults = Vec<Result<(), String>>;

/// Reference updates of a push, prepared for a transaction.
pub struct PreparedPush {
    refs: RefTransaction,
    /// Whether the objects were stored, or why not.
    unpack: Result<(), String>,
    updates: Vec<Update>,
    atomic: bool,
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
        let updates: Vec<Update> = received
            .commands
            .iter()
            .zip(received.statuses)
            .map(|(command, status)| Update {
                name: command.name.to_string(),
                edit: status.clone().map(|peeled| edit(command, peeled)),
            })
            .collect();
        let refs = RefTransaction::prepare(self, call, repository, &edits(&updates))?;
        let unpack = received.unpack.map_err(str::to_owned);
        Ok(PreparedPush { refs, unpack, updates, atomic: received.atomic })
    }
}

impl PreparedPush {
    /// Applies the updates; returns the results and, if any command was rejected, the failure for the push's record.
    ///
    /// Commands that Git's rules reject change nothing. If one of an atomic push is rejected, all are.
    pub fn apply(self, transaction: &Transaction) -> (CommandResults, Option<Failure>) {
        let results = match &self.unpack {
            Ok(()) => self.results(transaction),
            Err(reason) => vec![Err(reason.clone()); self.updates.len()],
        };
        let rejected = match self.unpack {
            Err(reason) => Some(format!("unpack {reason}")),
            Ok(()) => self.updates.iter().zip(&results).find_map(|(update, result)| {
                let reason = result.as_ref().err()?;
                Some(format!("{} {reason}", update.name))
            }),
        };
        (results, rejected.map(|message| Failure::client("InvalidRequestException", message)))
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

//! Firing of triggers: the messages about edits of references are queued in the transaction of the edits.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::types::RepositoryTriggerEventEnum;
use store::{Error, Transaction};

use super::configuration::Configuration;
use super::delivery::{Delivery, TriggerSender};
use super::message::{Message, RefChange};
use crate::Exception;
use crate::ref_edit::{PreviousValue, RefEdit};
use crate::repository::Repository;

/// Queues the messages of a repository's triggers about applied edits, and wakes the sender after the commit.
pub(crate) fn fire(
    transaction: &Transaction,
    call: &Call,
    repository: &Repository,
    sender: &Arc<dyn TriggerSender>,
    edits: &[&RefEdit],
) -> Result<(), Exception> {
    let Some(Configuration { id, triggers }) = Configuration::find(transaction, &repository.id)? else { return Ok(()) };
    let changes: Vec<RefChange> = edits.iter().filter_map(|edit| change(edit)).collect();
    let mut is_any_queued = false;
    for trigger in &triggers {
        let changes: Vec<_> =
            changes.iter().filter(|change| trigger.matches(&change.reference, &change.event)).cloned().collect();
        if !changes.is_empty() {
            let message = Message { call, repository, configuration_id: &id, trigger, changes };
            enqueue(transaction, &message.about_changes())?;
            is_any_queued = true;
        }
    }
    if is_any_queued {
        let sender = Arc::clone(sender);
        transaction.after_commit(move || sender.wake());
    }
    Ok(())
}

/// Returns what an edit changed; an update to the same commit changed nothing.
fn change(edit: &RefEdit) -> Option<RefChange> {
    let (commit, event) = match (edit.expected, edit.new) {
        (PreviousValue::MustNotExist, Some(new)) => (new, RepositoryTriggerEventEnum::CreateReference),
        (PreviousValue::MustExistAndMatch(old), Some(new)) if old != new => {
            (new, RepositoryTriggerEventEnum::UpdateReference)
        }
        (PreviousValue::MustExistAndMatch(old), None) => (old, RepositoryTriggerEventEnum::DeleteReference),
        _ => return None,
    };
    Some(RefChange::new(commit.to_string(), edit.name.to_string(), event))
}

/// Adds a message to the queue, due at once: time zero is always past.
fn enqueue(transaction: &Transaction, delivery: &Delivery) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO trigger_deliveries (repository, trigger_name, destination, subject, message, attempts, due) \
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)",
        &[
            (&delivery.repository).into(),
            (&delivery.trigger).into(),
            (&delivery.destination).into(),
            (&delivery.subject).into(),
            (&delivery.message).into(),
        ],
    )?;
    Ok(())
}

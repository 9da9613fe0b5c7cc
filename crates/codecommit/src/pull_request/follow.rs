//! Changes of pull requests that follow from edits of their branches: new revisions, merges, closings.
//!
//! **Invariant:** an open pull request names the tips of its two branches, and both branches exist.

use std::collections::HashMap;

use aws::Call;
use aws_sdk_codecommit::types::{
    PullRequestEvent, PullRequestEventType, PullRequestMergedStateChangedEventMetadata,
    PullRequestSourceReferenceUpdatedEventMetadata, PullRequestStatusChangedEventMetadata, PullRequestStatusEnum,
};
use git::{BString, ObjectId};
use store::{Error, Transaction};

use crate::ancestry_cache::AncestryCache;
use crate::pull_request::row::{self, MergeRecord, PullRequest, PullRequestId};
use crate::pull_request::{bus_event, event};
use crate::ref_edit::RefEdit;
use crate::{Exception, column};

/// An open pull request with what depends on its branches.
pub(crate) struct OpenPullRequest {
    id: PullRequestId,
    source: BString,
    destination: BString,
    source_commit: ObjectId,
    destination_commit: ObjectId,
    merge_base: Option<ObjectId>,
}

/// New state of an open pull request.
pub(crate) struct Transition {
    id: PullRequestId,
    source_commit: ObjectId,
    destination_commit: ObjectId,
    merge_base: Option<ObjectId>,
    outcome: Outcome,
}

enum Outcome {
    Open,
    /// One of the branches was deleted.
    Closed,
    /// The destination's new tip, which contains the source's.
    Merged(ObjectId),
}

/// Lists a repository's open pull requests.
pub(crate) fn list_open(transaction: &Transaction, repository_id: &str) -> Result<Vec<OpenPullRequest>, Error> {
    transaction.query(
        "SELECT number, source, destination, source_commit, destination_commit, merge_base FROM pull_requests \
         WHERE repository_id = ?1 AND is_open = 1 ORDER BY number",
        &[repository_id.into()],
        |row| {
            Ok(OpenPullRequest {
                id: PullRequestId::from_number(row.integer(0)?),
                source: row.blob(1)?.into(),
                destination: row.blob(2)?.into(),
                source_commit: column::object_id(row, 3)?,
                destination_commit: column::object_id(row, 4)?,
                merge_base: column::optional_object_id(row, 5)?,
            })
        },
    )
}

/// Returns the changes of open pull requests that edits of references bring.
pub(crate) fn transitions<'a>(
    ancestry: &AncestryCache,
    open: &[OpenPullRequest],
    edits: impl Iterator<Item = &'a RefEdit>,
) -> Result<Vec<Transition>, Exception> {
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let mut tips: HashMap<&BString, Option<ObjectId>> = HashMap::new();
    for edit in edits {
        // Deletions are applied first, so a new target of the same name remains.
        let tip = tips.entry(&edit.name).or_default();
        *tip = edit.new.or(*tip);
    }
    let transitions = open.iter().map(|pull_request| pull_request.transition(ancestry, &tips));
    transitions.filter_map(Result::transpose).collect()
}

impl OpenPullRequest {
    fn transition(
        &self,
        ancestry: &AncestryCache,
        tips: &HashMap<&BString, Option<ObjectId>>,
    ) -> Result<Option<Transition>, Exception> {
        let (source, destination) = (tips.get(&self.source).copied(), tips.get(&self.destination).copied());
        if source.is_none() && destination.is_none() {
            return Ok(None);
        }
        let source_commit = source.flatten().unwrap_or(self.source_commit);
        let outcome = match destination {
            Some(Some(tip)) if self.is_merged(ancestry, source_commit, tip)? => Outcome::Merged(tip),
            _ if source == Some(None) || destination == Some(None) => Outcome::Closed,
            _ => Outcome::Open,
        };
        // A closed pull request keeps the tip that its destination had before.
        let destination_commit = match outcome {
            Outcome::Open => destination.flatten().unwrap_or(self.destination_commit),
            Outcome::Closed | Outcome::Merged(_) => self.destination_commit,
        };
        let merge_base = if (source_commit, destination_commit) == (self.source_commit, self.destination_commit) {
            self.merge_base
        } else {
            ancestry.merge_base(source_commit, destination_commit)?
        };
        Ok(Some(Transition { id: self.id, source_commit, destination_commit, merge_base, outcome }))
    }

    /// Returns whether the destination's new tip brings the source; a source that it contained before does not count.
    fn is_merged(&self, ancestry: &AncestryCache, source: ObjectId, tip: ObjectId) -> Result<bool, Exception> {
        Ok(ancestry.is_ancestor(source, tip)? && !ancestry.is_ancestor(source, self.destination_commit)?)
    }
}

/// Updates the pull requests of a repository after edits of its references.
pub(crate) fn follow<'a>(
    transaction: &Transaction,
    call: &Call,
    ancestry: &AncestryCache,
    repository_id: &str,
    edits: impl Iterator<Item = &'a RefEdit>,
) -> Result<(), Exception> {
    let open = list_open(transaction, repository_id)?;
    for transition in transitions(ancestry, &open, edits)? {
        let Some(mut pull_request) = row::read(transaction, call, transition.id)? else { continue };
        let is_revised = transition.source_commit != pull_request.source_commit;
        pull_request.source_commit = transition.source_commit;
        pull_request.destination_commit = transition.destination_commit;
        pull_request.merge_base = transition.merge_base;
        if is_revised {
            pull_request.revision_id = new_revision_id(call);
            add_revised(transaction, call, &mut pull_request)?;
        }
        match transition.outcome {
            Outcome::Open => row::save(transaction, &pull_request)?,
            Outcome::Closed => close(transaction, call, &mut pull_request)?,
            Outcome::Merged(commit) => {
                close_as_merged(transaction, call, &mut pull_request, None, commit)?;
                bus_event::emit_merged(transaction, call, &pull_request)?;
            }
        }
    }
    Ok(())
}

/// Closes an open pull request.
pub(super) fn close(transaction: &Transaction, call: &Call, pull_request: &mut PullRequest) -> Result<(), Exception> {
    record_closing(transaction, call, pull_request)?;
    Ok(bus_event::emit_closed(transaction, call, pull_request)?)
}

fn record_closing(transaction: &Transaction, call: &Call, pull_request: &mut PullRequest) -> Result<(), Exception> {
    pull_request.is_open = false;
    row::save(transaction, pull_request)?;
    let metadata = PullRequestStatusChangedEventMetadata::builder().pull_request_status(PullRequestStatusEnum::Closed);
    let event = PullRequestEvent::builder().pull_request_status_changed_event_metadata(metadata.build());
    event::add(transaction, call, pull_request, &PullRequestEventType::PullRequestStatusChanged, event)
}

/// Records that the caller merged an open pull request, and closes it; the event for EventBridge follows that of the branch.
pub(super) fn close_as_merged(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
    option: Option<&str>,
    commit: ObjectId,
) -> Result<(), Exception> {
    pull_request.merged = Some(MergeRecord { by: call.caller.arn.clone(), option: option.map(str::to_owned), commit });
    let metadata = PullRequestMergedStateChangedEventMetadata::builder()
        .repository_name(&pull_request.repository.name)
        .destination_reference(pull_request.destination.to_string())
        .merge_metadata(pull_request.merge_metadata())
        .build();
    let event = PullRequestEvent::builder().pull_request_merged_state_changed_event_metadata(metadata);
    event::add(transaction, call, pull_request, &PullRequestEventType::PullRequestMergeStateChanged, event)?;
    record_closing(transaction, call, pull_request)
}

/// Adds the event of a new revision. AWS names the destination's tip "before" and the source's "after".
fn add_revised(transaction: &Transaction, call: &Call, pull_request: &mut PullRequest) -> Result<(), Exception> {
    let metadata = PullRequestSourceReferenceUpdatedEventMetadata::builder()
        .repository_name(&pull_request.repository.name)
        .before_commit_id(pull_request.destination_commit.to_string())
        .after_commit_id(pull_request.source_commit.to_string())
        .set_merge_base(pull_request.merge_base.map(|id| id.to_string()))
        .build();
    let event = PullRequestEvent::builder().pull_request_source_reference_updated_event_metadata(metadata);
    event::add(transaction, call, pull_request, &PullRequestEventType::PullRequestSourceReferenceUpdated, event)
}

/// Returns the id of a new revision: 64 hexadecimal digits.
pub(super) fn new_revision_id(call: &Call) -> String {
    [call.new_id(), call.new_id()].concat().replace('-', "")
}

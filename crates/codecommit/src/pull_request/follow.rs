//! What moves of branches entail for pull requests: new revisions, merges, closings.
//!
//! **Invariant:** an open pull request names the tips of its two branches, and both are there.

use std::collections::HashMap;

use aws::Call;
use aws_sdk_codecommit::types::{
    PullRequestEvent, PullRequestEventType, PullRequestMergedStateChangedEventMetadata,
    PullRequestSourceReferenceUpdatedEventMetadata, PullRequestStatusChangedEventMetadata, PullRequestStatusEnum,
};
use git::{BString, ObjectId};
use store::{Error, Transaction};

use crate::Exception;
use crate::pull_request::event;
use crate::pull_request::row::{self, Merged, PullRequest, PullRequestId};
use crate::push::{self, Move};
use crate::relations::Relations;

/// An open pull request, as far as moves of branches concern it.
pub(crate) struct Open {
    id: PullRequestId,
    source: BString,
    destination: BString,
    source_commit: ObjectId,
    destination_commit: ObjectId,
    merge_base: Option<ObjectId>,
}

/// What becomes of one.
pub(crate) struct Consequence {
    id: PullRequestId,
    source_commit: ObjectId,
    destination_commit: ObjectId,
    merge_base: Option<ObjectId>,
    fate: Fate,
}

enum Fate {
    Open,
    /// One of its branches is gone.
    Closed,
    /// The destination has this tip, and with it the source's.
    Merged(ObjectId),
}

/// Lists a repository's open pull requests.
pub(crate) fn open(transaction: &Transaction, repository_id: &str) -> Result<Vec<Open>, Error> {
    transaction.query(
        "SELECT number, source, destination, source_commit, destination_commit, merge_base FROM pull_requests \
         WHERE repository_id = ?1 AND is_open = 1 ORDER BY number",
        &[repository_id.into()],
        |row| {
            Ok(Open {
                id: PullRequestId::of(row.integer(0)?),
                source: row.blob(1)?.into(),
                destination: row.blob(2)?.into(),
                source_commit: push::object_id(row, 3)?,
                destination_commit: push::object_id(row, 4)?,
                merge_base: push::optional_object_id(row, 5)?,
            })
        },
    )
}

/// Finds out what moves entail for open pull requests.
pub(crate) fn consequences<'a>(
    relations: &Relations,
    open: &[Open],
    moves: impl Iterator<Item = &'a Move>,
) -> Result<Vec<Consequence>, Exception> {
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let mut tips: HashMap<&BString, Option<ObjectId>> = HashMap::new();
    for it in moves {
        // Deletions come first, so what stays is what else became of the name.
        let tip = tips.entry(&it.name).or_default();
        *tip = it.new.or(*tip);
    }
    let found = open.iter().map(|it| it.consequence(relations, &tips));
    found.filter_map(Result::transpose).collect()
}

impl Open {
    fn consequence(
        &self,
        relations: &Relations,
        tips: &HashMap<&BString, Option<ObjectId>>,
    ) -> Result<Option<Consequence>, Exception> {
        let (source, destination) = (tips.get(&self.source).copied(), tips.get(&self.destination).copied());
        if source.is_none() && destination.is_none() {
            return Ok(None);
        }
        let source_commit = source.flatten().unwrap_or(self.source_commit);
        let fate = match destination {
            Some(Some(tip)) if self.is_merged(relations, source_commit, tip)? => Fate::Merged(tip),
            _ if source == Some(None) || destination == Some(None) => Fate::Closed,
            _ => Fate::Open,
        };
        // What is closed goes on to show what it was about.
        let destination_commit = match fate {
            Fate::Open => destination.flatten().unwrap_or(self.destination_commit),
            Fate::Closed | Fate::Merged(_) => self.destination_commit,
        };
        let ends = (source_commit, destination_commit);
        let merge_base = if ends == (self.source_commit, self.destination_commit) {
            self.merge_base
        } else {
            relations.merge_base(source_commit, destination_commit)?
        };
        Ok(Some(Consequence { id: self.id, source_commit, destination_commit, merge_base, fate }))
    }

    /// A source that the destination had before is none that comes with the move.
    fn is_merged(&self, relations: &Relations, source: ObjectId, tip: ObjectId) -> Result<bool, Exception> {
        Ok(relations.is_ancestor(source, tip)? && !relations.is_ancestor(source, self.destination_commit)?)
    }
}

/// Has the pull requests of a repository follow moves that were made.
pub(crate) fn follow<'a>(
    transaction: &Transaction,
    call: &Call,
    relations: &Relations,
    repository_id: &str,
    moves: impl Iterator<Item = &'a Move>,
) -> Result<(), Exception> {
    let open = open(transaction, repository_id)?;
    for it in consequences(relations, &open, moves)? {
        let mut pull_request = row::get(transaction, call, it.id)?;
        let is_revised = it.source_commit != pull_request.source_commit;
        pull_request.source_commit = it.source_commit;
        pull_request.destination_commit = it.destination_commit;
        pull_request.merge_base = it.merge_base;
        if is_revised {
            pull_request.revision_id = new_revision_id(call);
            add_revised(transaction, call, &mut pull_request)?;
        }
        match it.fate {
            Fate::Open => row::save(transaction, &pull_request)?,
            Fate::Closed => close(transaction, call, &mut pull_request)?,
            Fate::Merged(commit) => merge(transaction, call, &mut pull_request, None, commit)?,
        }
    }
    Ok(())
}

/// Closes a pull request that is open.
pub(super) fn close(transaction: &Transaction, call: &Call, pull_request: &mut PullRequest) -> Result<(), Exception> {
    pull_request.is_open = false;
    row::save(transaction, pull_request)?;
    let metadata = PullRequestStatusChangedEventMetadata::builder().pull_request_status(PullRequestStatusEnum::Closed);
    let event = PullRequestEvent::builder().pull_request_status_changed_event_metadata(metadata.build());
    event::add(transaction, call, pull_request, &PullRequestEventType::PullRequestStatusChanged, event)
}

/// Notes that a pull request that is open was merged by the caller, and closes it.
pub(super) fn merge(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
    option: Option<&str>,
    commit: ObjectId,
) -> Result<(), Exception> {
    pull_request.merged = Some(Merged { by: call.caller.arn.clone(), option: option.map(str::to_owned), commit });
    let metadata = PullRequestMergedStateChangedEventMetadata::builder()
        .repository_name(&pull_request.repository.name)
        .destination_reference(pull_request.destination.to_string())
        .merge_metadata(pull_request.merge_metadata())
        .build();
    let event = PullRequestEvent::builder().pull_request_merged_state_changed_event_metadata(metadata);
    event::add(transaction, call, pull_request, &PullRequestEventType::PullRequestMergeStateChanged, event)?;
    close(transaction, call, pull_request)
}

/// AWS calls the destination's tip "before" and the source's "after".
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

/// Makes the id of a new revision: 64 hexadecimal digits.
pub(super) fn new_revision_id(call: &Call) -> String {
    [call.new_id(), call.new_id()].concat().replace('-', "")
}

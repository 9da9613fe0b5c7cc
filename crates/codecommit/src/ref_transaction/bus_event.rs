//! Events of the type `CodeCommit Repository State Change`: changes of references, and merge commits without one.

use aws::Call;
use git::ObjectId;
use serde::Serialize;
use store::{Error, Transaction};

use crate::event_bridge;
use crate::ref_edit::{PreviousValue, RefEdit};
use crate::repository::Repository;

const DETAIL_TYPE: &str = "CodeCommit Repository State Change";

/// The merge of which a change of a reference is the result.
#[derive(Clone, Debug)]
pub(crate) struct MergeOrigin {
    /// The merge option as on the wire.
    pub(crate) option: String,
    pub(crate) source: ObjectId,
    pub(crate) destination: ObjectId,
    /// What only a merge with a new commit has.
    pub(crate) commit: Option<CommitOrigin>,
}

/// How a merge commit came about.
#[derive(Clone, Debug)]
pub(crate) struct CommitOrigin {
    /// The merge base.
    pub(crate) base: ObjectId,
    /// `FILE_LEVEL` or `LINE_LEVEL`.
    pub(crate) conflict_details_level: &'static str,
    /// The strategy as on the wire.
    pub(crate) conflict_resolution_strategy: &'static str,
}

/// The detail, with its members in AWS's order.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct StateChange<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    base_commit_id: Option<String>,
    caller_user_arn: &'a str,
    /// Missing if the reference was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict_details_level: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict_resolution_strategy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_commit_id: Option<String>,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_option: Option<&'a str>,
    /// Missing if the reference was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_commit_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_full_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_type: Option<&'static str>,
    repository_id: &'a str,
    repository_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_commit_id: Option<String>,
}

/// Emits an event for each edit that changed a reference.
pub(super) fn emit(
    transaction: &Transaction,
    call: &Call,
    repository: &Repository,
    merge: Option<&MergeOrigin>,
    edits: &[&RefEdit],
) -> Result<(), Error> {
    let details = edits.iter().filter_map(|edit| detail(call, repository, merge, edit));
    event_bridge::emit(transaction, call, DETAIL_TYPE, &[repository.arn().to_string()], details)
}

/// Emits the event of a merge commit that no reference points to.
pub(crate) fn emit_unreferenced(
    transaction: &Transaction,
    call: &Call,
    repository: &Repository,
    merge: &MergeOrigin,
    commit_id: ObjectId,
) -> Result<(), Error> {
    let mut detail = StateChange::new("unreferencedMergeCommitCreated", call, repository, Some(merge));
    detail.commit_id = Some(commit_id.to_string());
    event_bridge::emit(transaction, call, DETAIL_TYPE, &[repository.arn().to_string()], [detail])
}

/// Returns the detail of an edit; an update to the same commit changes nothing and has none.
fn detail<'a>(
    call: &'a Call,
    repository: &'a Repository,
    merge: Option<&'a MergeOrigin>,
    edit: &RefEdit,
) -> Option<StateChange<'a>> {
    let (event, old, new) = match (edit.expected, edit.new) {
        (PreviousValue::MustNotExist, Some(new)) => ("referenceCreated", None, Some(new)),
        (PreviousValue::MustExistAndMatch(old), Some(new)) if old != new => ("referenceUpdated", Some(old), Some(new)),
        (PreviousValue::MustExistAndMatch(old), None) => ("referenceDeleted", Some(old), None),
        _ => return None,
    };
    let full_name = edit.name.to_string();
    let kinds = [("refs/heads/", Some("branch")), ("refs/tags/", Some("tag")), ("refs/", None)];
    let short = |(prefix, kind)| Some((full_name.strip_prefix(prefix)?.to_owned(), kind));
    let (name, kind) = kinds.into_iter().find_map(short).unwrap_or_else(|| (full_name.clone(), None));
    let mut detail = StateChange::new(event, call, repository, merge);
    detail.commit_id = new.map(|id| id.to_string());
    detail.old_commit_id = old.map(|id| id.to_string());
    (detail.reference_name, detail.reference_type) = (Some(name), kind);
    detail.reference_full_name = Some(full_name);
    Some(detail)
}

impl<'a> StateChange<'a> {
    fn new(event: &'static str, call: &'a Call, repository: &'a Repository, merge: Option<&'a MergeOrigin>) -> Self {
        let commit = merge.and_then(|merge| merge.commit.as_ref());
        Self {
            base_commit_id: commit.map(|commit| commit.base.to_string()),
            caller_user_arn: &call.caller.arn,
            conflict_details_level: commit.map(|commit| commit.conflict_details_level),
            conflict_resolution_strategy: commit.map(|commit| commit.conflict_resolution_strategy),
            destination_commit_id: merge.map(|merge| merge.destination.to_string()),
            event,
            merge_option: merge.map(|merge| merge.option.as_str()),
            repository_id: &repository.id,
            repository_name: &repository.name,
            source_commit_id: merge.map(|merge| merge.source.to_string()),
            ..Self::default()
        }
    }
}

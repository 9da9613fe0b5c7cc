//! Pull requests of the past, for seeds: their commits are given, because their branches may have moved since.
//!
//! **Invariant:** a pull request that is created here is merged or closed before anything else uses the service.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::types;
use git::{Kind, ObjectId};

use crate::ancestry_cache::AncestryCache;
use crate::pull_request::create::{add_event, next_number};
use crate::pull_request::target::Target;
use crate::pull_request::{self, PullRequest, PullRequestId, follow, row};
use crate::{Change, CodeCommit, Exception, approval_rule_template, repository};

/// A pull request with the commits that it had.
#[derive(Clone, Debug)]
pub struct PastPullRequest {
    /// Name of the repository.
    pub repository: String,
    /// Title.
    pub title: String,
    /// Description, if it has one.
    pub description: Option<String>,
    /// Name of the branch to merge.
    pub source: String,
    /// Name of the branch to merge into; `None` stands for the default branch.
    pub destination: Option<String>,
    /// Last tip of the source branch.
    pub source_commit: ObjectId,
    /// Last tip of the destination branch before the end of the pull request.
    pub destination_commit: ObjectId,
}

impl CodeCommit {
    /// Creates a pull request with given commits, which must exist; returns its id and the id of its revision.
    pub fn create_past_pull_request(
        &self,
        call: &Arc<Call>,
        past: PastPullRequest,
    ) -> Result<Change<(String, String)>, Exception> {
        let title = pull_request::title(Some(past.title))?;
        let description = pull_request::description(past.description)?;
        let target = types::Target::builder().repository_name(past.repository).source_reference(past.source);
        let target = target.set_destination_reference(past.destination).build().expect("its members are set");
        let target = Target::parse(Some(vec![target]))?;
        let repository = self.find(call, &target.repository)?;
        let objects = self.objects(call, &repository)?;
        for commit in [past.source_commit, past.destination_commit] {
            check_commit(&objects, commit)?;
        }
        let merge_base = AncestryCache::new(objects).merge_base(past.source_commit, past.destination_commit)?;
        let call = Arc::clone(call);
        Ok(Box::new(move |transaction| {
            let repository = repository::get_row(transaction, &call, &target.repository)?;
            let destination = target.destination.or_else(|| repository.default_branch.clone());
            let mut pull_request = PullRequest {
                number: next_number(transaction, &call)?,
                repository,
                title,
                description,
                author: call.caller.arn.clone(),
                is_open: true,
                created: call.time,
                active: call.time,
                source: target.source,
                destination: destination.ok_or(Exception::InvalidTarget)?,
                source_commit: past.source_commit,
                destination_commit: past.destination_commit,
                merge_base,
                revision_id: follow::new_revision_id(&call),
                client_request_token: None,
                merged: None,
            };
            row::insert(transaction, &pull_request)?;
            add_event(transaction, &call, &mut pull_request)?;
            approval_rule_template::add_rules(transaction, &call, &mut pull_request)?;
            Ok((pull_request.id().to_string(), pull_request.revision_id))
        }))
    }

    /// Records that an open pull request was merged into a commit of its destination; `option` is the merge option as on the wire.
    pub fn record_past_merge(
        &self,
        call: &Arc<Call>,
        id: &str,
        option: Option<&str>,
        commit: ObjectId,
    ) -> Result<Change<()>, Exception> {
        let id = PullRequestId::parse(Some(id.to_owned()))?;
        let pull_request = row::find(self, call, id)?;
        let objects = self.objects(call, &pull_request.repository)?;
        check_commit(&objects, commit)?;
        let (call, option) = (Arc::clone(call), option.map(str::to_owned));
        Ok(Box::new(move |transaction| {
            let mut pull_request = row::get_open(transaction, &call, id)?;
            follow::close_as_merged(transaction, &call, &mut pull_request, option.as_deref(), commit)
        }))
    }
}

fn check_commit(objects: &git::Repository, id: ObjectId) -> Result<(), Exception> {
    if objects.kind(&id)? == Some(Kind::Commit) {
        Ok(())
    } else {
        Err(Exception::CommitIdDoesNotExist { id: id.to_string() })
    }
}

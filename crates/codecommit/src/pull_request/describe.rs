//! Pull requests as replies show them.

use aws_sdk_codecommit::types;
use store::Transaction;

use crate::pull_request::PullRequest;
use crate::{Exception, approval_rule};

/// Returns the wire shape of a pull request, with its approval rules.
pub(crate) fn describe(transaction: &Transaction, pull_request: &PullRequest) -> Result<types::PullRequest, Exception> {
    let status = if pull_request.is_open { "OPEN" } else { "CLOSED" };
    let target = types::PullRequestTarget::builder()
        .repository_name(&pull_request.repository.name)
        .source_reference(pull_request.source.to_string())
        .destination_reference(pull_request.destination.to_string())
        .source_commit(pull_request.source_commit.to_string())
        .destination_commit(pull_request.destination_commit.to_string())
        .set_merge_base(pull_request.merge_base.map(|id| id.to_string()))
        .merge_metadata(pull_request.merge_metadata())
        .build();
    Ok(types::PullRequest::builder()
        .pull_request_id(pull_request.id().to_string())
        .title(&pull_request.title)
        .set_description(pull_request.description.clone())
        .last_activity_date(pull_request.active.to_wire())
        .creation_date(pull_request.created.to_wire())
        .pull_request_status(status.into())
        .author_arn(&pull_request.author)
        .pull_request_targets(target)
        .set_client_request_token(pull_request.client_request_token.clone())
        .revision_id(&pull_request.revision_id)
        .set_approval_rules(Some(approval_rule::describe_all(transaction, pull_request)?))
        .build())
}

//! Pull requests: create, get, list, change, follow the branches, merge.

mod batch_get;
mod create;
pub(crate) mod event;
pub(crate) mod follow;
mod list;
pub(crate) mod merge;
mod row;
mod target;
mod update;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_pull_request::{GetPullRequestInput, GetPullRequestOutput};
use aws_sdk_codecommit::types;
use store::Transaction;

pub(crate) use batch_get::batch_get;
pub(crate) use create::create;
pub(crate) use list::list;
pub(crate) use row::{PullRequest, PullRequestId, get, get_open, touch};
pub(crate) use update::{update_description, update_status, update_title};

use crate::{CodeCommit, Exception, approval_rule, name};

/// The length of a title, in characters.
const TITLE_MAX: usize = 150;

/// The length of a description, in characters.
const DESCRIPTION_MAX: usize = 10_240;

pub(crate) fn get_one(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetPullRequestInput,
) -> Result<GetPullRequestOutput, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let pull_request = find(service, call, id)?;
    let pull_request = service.store.read(|transaction| describe(transaction, &pull_request))?;
    Ok(GetPullRequestOutput::builder().pull_request(pull_request).build())
}

/// Finds a pull request of the call's account and region; its repository's encryption key can be used.
pub(crate) fn find(service: &CodeCommit, call: &Call, id: PullRequestId) -> Result<PullRequest, Exception> {
    let pull_request = service.store.read(|transaction| get(transaction, call, id))?;
    service.settings.simulate.check_key(call, &pull_request.repository.kms_key_id)?;
    Ok(pull_request)
}

/// Tells of a pull request as replies do.
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

fn title(text: Option<String>) -> Result<String, Exception> {
    let title = name::required(text, Exception::TitleRequired)?;
    if title.chars().count() > TITLE_MAX { Err(Exception::InvalidTitle { limit: TITLE_MAX }) } else { Ok(title) }
}

/// An empty description is none.
fn description(text: Option<String>) -> Result<Option<String>, Exception> {
    match text {
        Some(text) if text.chars().count() > DESCRIPTION_MAX => {
            Err(Exception::InvalidDescription { limit: DESCRIPTION_MAX })
        }
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}

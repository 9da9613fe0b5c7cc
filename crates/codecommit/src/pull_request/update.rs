//! Updates of pull requests: title, description, status.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::update_pull_request_description::{
    UpdatePullRequestDescriptionInput, UpdatePullRequestDescriptionOutput,
};
use aws_sdk_codecommit::operation::update_pull_request_status::{
    UpdatePullRequestStatusInput, UpdatePullRequestStatusOutput,
};
use aws_sdk_codecommit::operation::update_pull_request_title::{
    UpdatePullRequestTitleInput, UpdatePullRequestTitleOutput,
};
use aws_sdk_codecommit::types::PullRequestStatusEnum;

use crate::pull_request::{self, PullRequestId, follow, row};
use crate::{Change, CodeCommit, Exception};

pub(crate) fn update_title(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdatePullRequestTitleInput,
) -> Result<Change<UpdatePullRequestTitleOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let title = pull_request::title(input.title)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = row::get_open(transaction, &call, id)?;
        pull_request.title = title;
        row::save(transaction, &pull_request)?;
        row::touch(transaction, &call, &mut pull_request)?;
        let pull_request = pull_request::describe(transaction, &pull_request)?;
        Ok(UpdatePullRequestTitleOutput::builder().pull_request(pull_request).build())
    }))
}

/// Sets or clears the description; a missing one counts as empty.
pub(crate) fn update_description(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdatePullRequestDescriptionInput,
) -> Result<Change<UpdatePullRequestDescriptionOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let description = pull_request::description(input.description)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = row::get_open(transaction, &call, id)?;
        pull_request.description = description;
        row::save(transaction, &pull_request)?;
        row::touch(transaction, &call, &mut pull_request)?;
        let pull_request = pull_request::describe(transaction, &pull_request)?;
        Ok(UpdatePullRequestDescriptionOutput::builder().pull_request(pull_request).build())
    }))
}

/// Closes a pull request without merging it.
///
/// Setting the current status again is a no-op; a closed pull request cannot be opened again.
pub(crate) fn update_status(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdatePullRequestStatusInput,
) -> Result<Change<UpdatePullRequestStatusOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let stays_open = match input.pull_request_status.as_ref().map(PullRequestStatusEnum::as_str) {
        None | Some("") => return Err(Exception::PullRequestStatusRequired),
        Some("OPEN") => true,
        Some("CLOSED") => false,
        Some(status) => return Err(Exception::InvalidPullRequestStatus { status: status.to_owned() }),
    };
    pull_request::find(service, call, id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = row::get(transaction, &call, id)?;
        match (pull_request.is_open, stays_open) {
            (false, true) => return Err(Exception::InvalidPullRequestStatusUpdate),
            (true, false) => follow::close(transaction, &call, &mut pull_request)?,
            _ => {}
        }
        let pull_request = pull_request::describe(transaction, &pull_request)?;
        Ok(UpdatePullRequestStatusOutput::builder().pull_request(pull_request).build())
    }))
}

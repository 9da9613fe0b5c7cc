//! Pull requests: create, get, list, update, follow their branches, merge.

mod batch_get;
mod bus_event;
mod create;
mod describe;
pub(crate) mod event;
pub(crate) mod follow;
mod list;
pub(crate) mod merge;
mod past;
mod row;
mod target;
mod update;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_pull_request::{GetPullRequestInput, GetPullRequestOutput};

pub(crate) use batch_get::batch_get;
pub(crate) use create::create;
pub(crate) use describe::describe;
pub(crate) use list::list;
pub use past::PastPullRequest;
pub(crate) use row::{PullRequest, PullRequestId, find, get, get_open, touch};
pub(crate) use update::{update_description, update_status, update_title};

use crate::{CodeCommit, Exception, name};

/// Maximum length of a title, in characters.
const TITLE_MAX: usize = 150;

/// Maximum length of a description, in characters.
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

/// Parses a title.
fn title(text: Option<String>) -> Result<String, Exception> {
    let title = name::required(text, Exception::TitleRequired)?;
    if name::fits(&title, TITLE_MAX) { Ok(title) } else { Err(Exception::InvalidTitle { limit: TITLE_MAX }) }
}

/// Parses a description.
fn description(text: Option<String>) -> Result<Option<String>, Exception> {
    name::optional(text, DESCRIPTION_MAX, Exception::InvalidDescription { limit: DESCRIPTION_MAX })
}

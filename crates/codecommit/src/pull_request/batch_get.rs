//! Several pull requests at once: the permission-only action `BatchGetPullRequests`, whose shapes are ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::Call;
use aws::json::Published;
use aws_sdk_codecommit::types;
use serde::{Deserialize, Serialize};

use super::{PullRequestId, describe, find};
use crate::name::BATCH_MAX;
use crate::{CodeCommit, Exception};

/// Input of `BatchGetPullRequests`; records of AWS show both members.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct BatchGetPullRequestsInput {
    pull_request_ids: Vec<String>,
    throw_if_closed: bool,
}

/// Output of `BatchGetPullRequests`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchGetPullRequestsOutput {
    pull_requests: Vec<Published<types::PullRequest>>,
    errors: Vec<BatchGetPullRequestsError>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchGetPullRequestsError {
    pull_request_id: String,
    error_code: String,
    error_message: String,
}

/// Returns each pull request once, and an error for each that cannot be read; with `throwIfClosed` a closed one fails the call.
pub(crate) fn batch_get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchGetPullRequestsInput,
) -> Result<BatchGetPullRequestsOutput, Exception> {
    let ids = input.pull_request_ids;
    if ids.is_empty() {
        return Err(Exception::PullRequestIdRequired);
    }
    if ids.len() > BATCH_MAX {
        return Err(Exception::Validation {
            reason: format!("At most {BATCH_MAX} pull request IDs can be specified."),
        });
    }
    let (mut pull_requests, mut errors, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for text in ids {
        if !seen.insert(text.clone()) {
            continue;
        }
        match PullRequestId::parse(Some(text.clone())).and_then(|id| find(service, call, id)) {
            Ok(pull_request) if input.throw_if_closed && !pull_request.is_open => {
                return Err(Exception::PullRequestAlreadyClosed { id: text });
            }
            Ok(pull_request) => {
                let shape = service.store.read(|transaction| describe(transaction, &pull_request))?;
                pull_requests.push(Published(shape));
            }
            Err(
                error @ (Exception::AccessDenied(_) | Exception::Store(_) | Exception::Objects(_) | Exception::Io(_)),
            ) => return Err(error),
            Err(error) => errors.push(BatchGetPullRequestsError {
                pull_request_id: text,
                error_code: error.name(),
                error_message: error.to_string(),
            }),
        }
    }
    Ok(BatchGetPullRequestsOutput { pull_requests, errors })
}

//! Creation of pull requests.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::create_pull_request::{CreatePullRequestInput, CreatePullRequestOutput};
use aws_sdk_codecommit::types::{PullRequestCreatedEventMetadata, PullRequestEvent, PullRequestEventType};
use store::{Error, Transaction};

use crate::ancestry_cache::AncestryCache;
use crate::pull_request::target::Target;
use crate::pull_request::{self, PullRequest, PullRequestId, event, follow, row};
use crate::request_token::{self, RequestToken};
use crate::{Change, CodeCommit, Exception, approval_rule_template, repository};

pub(crate) fn create(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreatePullRequestInput,
) -> Result<Change<CreatePullRequestOutput>, Exception> {
    let title = pull_request::title(input.title)?;
    let description = pull_request::description(input.description)?;
    let target = Target::parse(input.targets)?;
    let token = RequestToken::parse(input.client_request_token)?;
    let repository = service.find(call, &target.repository)?;
    let ancestry = AncestryCache::new(service.bounded_objects(call, &repository)?);
    // A failure here is ignored: it occurs again in the transaction, unless the request token was used before.
    if let Ok(tips) = service.store.read(|transaction| target.tips(transaction, &repository)) {
        ancestry.merge_base(tips.source_commit, tips.destination_commit)?;
    }
    let (call, limit) = (Arc::clone(call), service.settings.open_pull_requests_max);
    Ok(Box::new(move |transaction| {
        let repository = repository::get_row(transaction, &call, &target.repository)?;
        let destination = target.destination.as_ref().map(ToString::to_string).unwrap_or_default();
        let parameters = [
            title.as_str(),
            description.as_deref().unwrap_or_default(),
            &repository.id,
            &target.source.to_string(),
            &destination,
        ];
        let create = || {
            let tips = target.tips(transaction, &repository)?;
            if count_open(transaction, &repository.id)? >= limit {
                return Err(Exception::MaximumOpenPullRequestsExceeded { limit });
            }
            let mut pull_request = PullRequest {
                number: next_number(transaction, &call)?,
                repository: repository.clone(),
                title: title.clone(),
                description: description.clone(),
                author: call.caller.arn.clone(),
                is_open: true,
                created: call.time,
                active: call.time,
                source: target.source.clone(),
                destination: tips.destination,
                source_commit: tips.source_commit,
                destination_commit: tips.destination_commit,
                merge_base: ancestry.merge_base(tips.source_commit, tips.destination_commit)?,
                revision_id: follow::new_revision_id(&call),
                client_request_token: token.as_ref().map(|token| token.as_str().to_owned()),
                merged: None,
            };
            row::insert(transaction, &pull_request)?;
            add_event(transaction, &call, &mut pull_request)?;
            approval_rule_template::add_rules(transaction, &call, &mut pull_request)?;
            Ok(pull_request.id().to_string())
        };
        let id = request_token::once(
            transaction,
            &call,
            (&repository.id, "CreatePullRequest", token.as_ref(), &parameters),
            create,
        )?;
        let pull_request = row::get(transaction, &call, PullRequestId::parse(Some(id))?)?;
        let pull_request = pull_request::describe(transaction, &pull_request)?;
        Ok(CreatePullRequestOutput::builder().pull_request(pull_request).build())
    }))
}

/// Adds the event of the creation.
pub(super) fn add_event(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
) -> Result<(), Exception> {
    let metadata = PullRequestCreatedEventMetadata::builder()
        .repository_name(&pull_request.repository.name)
        .source_commit_id(pull_request.source_commit.to_string())
        .destination_commit_id(pull_request.destination_commit.to_string())
        .set_merge_base(pull_request.merge_base.map(|id| id.to_string()))
        .build();
    let event = PullRequestEvent::builder().pull_request_created_event_metadata(metadata);
    event::add(transaction, call, pull_request, &PullRequestEventType::PullRequestCreated, event)
}

/// Counts the open pull requests of a repository.
fn count_open(transaction: &Transaction, repository_id: &str) -> Result<u64, Error> {
    let count = transaction.query_one(
        "SELECT COUNT(*) FROM pull_requests WHERE repository_id = ?1 AND is_open = 1",
        &[repository_id.into()],
        |row| row.integer(0),
    )?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Returns the number of a new pull request; the numbers of deleted ones are not reused.
pub(super) fn next_number(transaction: &Transaction, call: &Call) -> Result<i64, Error> {
    let number = transaction.query_one(
        "INSERT INTO places (account, region, repositories, pull_requests) VALUES (?1, ?2, 0, 1) \
         ON CONFLICT (account, region) DO UPDATE SET pull_requests = places.pull_requests + 1 RETURNING pull_requests",
        &[call.account.as_str().into(), call.region.as_str().into()],
        |row| row.integer(0),
    )?;
    number.ok_or(Error::Damaged("the number of pull requests"))
}

//! Events of pull requests: recorded with each change, and listed.

use std::sync::Arc;

use aws::{Call, Timestamp, json};
use aws_sdk_codecommit::operation::describe_pull_request_events::{
    DescribePullRequestEventsInput, DescribePullRequestEventsOutput,
};
use aws_sdk_codecommit::types::builders::PullRequestEventBuilder;
use aws_sdk_codecommit::types::{PullRequestEvent, PullRequestEventType};
use store::{Error, Row, Transaction};

use crate::page::{Page, Sizes};
use crate::pull_request::{self, PullRequest, PullRequestId, bus_event, row};
use crate::{CodeCommit, Exception, name};

const SIZES: Sizes = Sizes { operation: "DescribePullRequestEvents", default: 100, max: 100 };

/// Adds an event to a pull request, updates the time of its last activity, and emits the event to EventBridge, except for the end of
/// the pull request.
///
/// `metadata` is an event of which only the metadata of its kind is set.
pub(crate) fn add(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
    kind: &PullRequestEventType,
    metadata: PullRequestEventBuilder,
) -> Result<(), Exception> {
    let event = metadata.build();
    bus_event::emit(transaction, call, pull_request, kind, &event)?;
    row::touch(transaction, call, pull_request)?;
    let metadata = json::encode(&event).map_err(|_| Error::Damaged("an event to be written"))?;
    let metadata = String::from_utf8_lossy(&metadata);
    let [account, region, number] = pull_request.key();
    transaction.execute(
        "INSERT INTO pull_request_events (account, region, pull_request, position, kind, actor, time, metadata) \
         SELECT ?1, ?2, ?3, COALESCE(MAX(position), 0) + 1, ?4, ?5, ?6, ?7 FROM pull_request_events \
         WHERE account = ?1 AND region = ?2 AND pull_request = ?3",
        &[
            account,
            region,
            number,
            kind.as_str().into(),
            (&call.caller.arn).into(),
            call.time.millis().into(),
            metadata.as_ref().into(),
        ],
    )?;
    Ok(())
}

/// Lists the events of a pull request, oldest first.
pub(crate) fn describe_all(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DescribePullRequestEventsInput,
) -> Result<DescribePullRequestEventsOutput, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let kind = input.pull_request_event_type.as_ref().map(kind).transpose()?;
    let actor = input.actor_arn;
    if let Some(arn) = actor.as_ref().filter(|arn| !name::is_arn(arn)) {
        return Err(Exception::InvalidActorArn { arn: arn.clone() });
    }
    let scope = [
        call.account.as_str(),
        call.region.as_str(),
        &id.to_string(),
        kind.as_ref().map(PullRequestEventType::as_str).unwrap_or_default(),
        actor.as_deref().unwrap_or_default(),
    ];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let after = page.after_number()?.unwrap_or(0);
    let pull_request = pull_request::find(service, call, id)?;
    let mut rows = service.store.read(|transaction| {
        if let Some(arn) = actor.as_deref().filter(|arn| *arn != call.caller.arn)
            && !is_known(transaction, call, arn)?
        {
            return Err(Exception::ActorDoesNotExist { arn: arn.to_owned() });
        }
        let [account, region, number] = pull_request.key();
        let values = [
            account,
            region,
            number,
            after.into(),
            page.limit().into(),
            kind.as_ref().map(PullRequestEventType::as_str).into(),
            actor.as_deref().into(),
        ];
        let sql = "SELECT position, kind, actor, time, metadata FROM pull_request_events \
             WHERE account = ?1 AND region = ?2 AND pull_request = ?3 AND position > ?4 \
             AND (kind = ?6 OR ?6 IS NULL) AND (actor = ?7 OR ?7 IS NULL) ORDER BY position LIMIT ?5";
        Ok(transaction.query(sql, &values, |row| Ok((row.integer(0)?, read(row, &pull_request)?)))?)
    })?;
    let next_token = page.cut(&mut rows, |(position, _)| position.to_string().into_bytes());
    let events = rows.into_iter().map(|(_, event)| event).collect();
    let output = DescribePullRequestEventsOutput::builder().set_pull_request_events(Some(events));
    Ok(output.set_next_token(next_token).build().expect("the events are set"))
}

fn kind(kind: &PullRequestEventType) -> Result<PullRequestEventType, Exception> {
    let invalid = |_| Exception::InvalidPullRequestEventType { kind: kind.as_str().to_owned() };
    PullRequestEventType::try_parse(kind.as_str()).map_err(invalid)
}

/// Reads an event; it has the current name of its repository.
fn read(row: &Row<'_>, pull_request: &PullRequest) -> Result<PullRequestEvent, Error> {
    let mut event = json::decode(row.text(4)?.as_bytes(), PullRequestEvent::deserialize)
        .map_err(|_| Error::Damaged("an event of a pull request"))?;
    let name = || Some(pull_request.repository.name.clone());
    if let Some(metadata) = &mut event.pull_request_created_event_metadata {
        metadata.repository_name = name();
    }
    if let Some(metadata) = &mut event.pull_request_source_reference_updated_event_metadata {
        metadata.repository_name = name();
    }
    if let Some(metadata) = &mut event.pull_request_merged_state_changed_event_metadata {
        metadata.repository_name = name();
    }
    event.pull_request_id = Some(pull_request.id().to_string());
    event.pull_request_event_type = Some(row.text(1)?.as_str().into());
    event.actor_arn = Some(row.text(2)?);
    event.event_date = Some(Timestamp::from_millis(row.integer(3)?).to_wire());
    Ok(event)
}

/// Returns whether a caller is the actor of any event in the call's account and region.
fn is_known(transaction: &Transaction, call: &Call, arn: &str) -> Result<bool, Error> {
    let known = transaction.query_one(
        "SELECT 1 FROM pull_request_events WHERE account = ?1 AND region = ?2 AND actor = ?3 LIMIT 1",
        &[call.account.as_str().into(), call.region.as_str().into(), arn.into()],
        |row| row.integer(0),
    )?;
    Ok(known.is_some())
}

//! The operations that describe trails and their deliveries.

use std::sync::Arc;

use aws::{Call, Facts, Timestamp};

use super::row::TrailRow;
use super::validate::TrailReference;
use super::wire::{
    DescribeTrailsInput, DescribeTrailsOutput, GetTrailOutput, GetTrailStatusOutput, ListTrailsInput, ListTrailsOutput,
    ListedTrail, NameInput,
};
use crate::{CloudTrail, Exception};

pub(crate) fn get_trail(service: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Result<GetTrailOutput, Exception> {
    let reference = TrailReference::parse(input.name)?;
    let row = service.store.read(|transaction| TrailRow::find(transaction, call, &reference))?;
    let row = row.ok_or_else(|| reference.not_found_as_given(call))?;
    Ok(GetTrailOutput { trail: row.to_output() })
}

/// Returns existing trails in the order of the names in the call; others are left out.
pub(crate) fn describe_trails(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: DescribeTrailsInput,
) -> Result<DescribeTrailsOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let shadows = input.include_shadow_trails.unwrap_or(true);
    let names = input.trail_name_list.unwrap_or_default();
    let references = names.into_iter().map(|name| TrailReference::parse(Some(name))).collect::<Result<Vec<_>, _>>()?;
    let rows = service.store.read(|transaction| {
        if references.is_empty() {
            return Ok(TrailRow::visible(transaction, call)?);
        }
        let mut rows = Vec::new();
        for reference in &references {
            if let Some(row) = TrailRow::read(transaction, call, reference)? {
                row.concerns(call);
                rows.push(row);
            }
        }
        Ok::<_, Exception>(rows)
    })?;
    let shown = rows.iter().filter(|row| shadows || row.arn.region == call.region);
    Ok(DescribeTrailsOutput { trail_list: shown.map(TrailRow::to_output).collect() })
}

/// All trails fit on one page, so there is never a next token.
pub(crate) fn list_trails(
    service: &CloudTrail,
    call: &Arc<Call>,
    _: ListTrailsInput,
) -> Result<ListTrailsOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let rows = service.store.read(|transaction| Ok::<_, Exception>(TrailRow::visible(transaction, call)?))?;
    let listed = |row: TrailRow| ListedTrail {
        arn: row.arn.to_string(),
        name: row.name,
        home_region: row.arn.region.to_string(),
    };
    Ok(ListTrailsOutput { trails: rows.into_iter().map(listed).collect() })
}

/// Texts of missing times are empty.
pub(crate) fn get_trail_status(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: NameInput,
) -> Result<GetTrailStatusOutput, Exception> {
    let reference = TrailReference::parse(input.name)?;
    let row = service.store.read(|transaction| TrailRow::get(transaction, call, &reference))?;
    let text = |time: Option<Timestamp>| time.map(Timestamp::iso).unwrap_or_default();
    let seconds = |time: Option<Timestamp>| time.map(|time| time.to_wire().as_secs_f64());
    let (delivery, notification) = (row.delivery, row.notification);
    Ok(GetTrailStatusOutput {
        is_logging: row.logging,
        latest_delivery_error: delivery.error,
        latest_notification_error: notification.error,
        latest_delivery_time: seconds(delivery.succeeded),
        latest_notification_time: seconds(notification.succeeded),
        start_logging_time: seconds(row.started),
        stop_logging_time: seconds(row.stopped),
        latest_digest_delivery_time: seconds(row.digest_delivered),
        latest_digest_delivery_error: row.digest_error,
        latest_delivery_attempt_time: text(delivery.tried),
        latest_notification_attempt_time: text(notification.tried),
        latest_notification_attempt_succeeded: text(notification.succeeded),
        latest_delivery_attempt_succeeded: text(delivery.succeeded),
        time_logging_started: text(row.started),
        time_logging_stopped: text(row.stopped),
    })
}

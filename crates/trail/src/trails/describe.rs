//! Trails are shown, and what they have delivered.

use std::sync::Arc;

use aws::{Call, Timestamp};

use super::name::Named;
use super::row::TrailRow;
use super::shape::{
    Brief, DescribeTrailsInput, DescribeTrailsOutput, GetTrailOutput, GetTrailStatusOutput, ListTrailsInput,
    ListTrailsOutput, NameInput,
};
use crate::{CloudTrail, Exception};

pub(crate) fn get_trail(service: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Result<GetTrailOutput, Exception> {
    let named = Named::parse(input.name)?;
    let row = service.store.read(|transaction| TrailRow::find(transaction, call, &named))?;
    let row = row.ok_or_else(|| named.unknown_as_said(call))?;
    Ok(GetTrailOutput { trail: row.to_trail() })
}

/// Trails that are named and not there are left out; those that are there come in the order in which they are named.
pub(crate) fn describe_trails(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: DescribeTrailsInput,
) -> Result<DescribeTrailsOutput, Exception> {
    let shadows = input.include_shadow_trails.unwrap_or(true);
    let listed = input.trail_name_list.unwrap_or_default();
    let named = listed.into_iter().map(|name| Named::parse(Some(name))).collect::<Result<Vec<_>, _>>()?;
    let rows = service.store.read(|transaction| {
        if named.is_empty() {
            return Ok(TrailRow::shown(transaction, call)?);
        }
        let mut rows = Vec::new();
        for named in &named {
            match TrailRow::get(transaction, call, named) {
                Err(Exception::TrailNotFound { .. }) => {}
                row => rows.push(row?),
            }
        }
        Ok::<_, Exception>(rows)
    })?;
    let shown = rows.iter().filter(|row| shadows || row.arn.region == call.region);
    Ok(DescribeTrailsOutput { trail_list: shown.map(TrailRow::to_trail).collect() })
}

/// All trails fit on one page, so there is never a token to continue with.
pub(crate) fn list_trails(
    service: &CloudTrail,
    call: &Arc<Call>,
    _: ListTrailsInput,
) -> Result<ListTrailsOutput, Exception> {
    let rows = service.store.read(|transaction| Ok::<_, Exception>(TrailRow::shown(transaction, call)?))?;
    let brief =
        |row: TrailRow| Brief { arn: row.arn.to_string(), name: row.name, home_region: row.arn.region.to_string() };
    Ok(ListTrailsOutput { trails: rows.into_iter().map(brief).collect() })
}

/// The texts are empty where there is no time.
pub(crate) fn get_trail_status(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: NameInput,
) -> Result<GetTrailStatusOutput, Exception> {
    let named = Named::parse(input.name)?;
    let row = service.store.read(|transaction| TrailRow::get(transaction, call, &named))?;
    let text = |time: Option<Timestamp>| time.map(Timestamp::iso).unwrap_or_default();
    let seconds = |time: Option<Timestamp>| time.map(|time| time.to_wire().as_secs_f64());
    let (delivery, notification) = (row.delivery, row.notification);
    Ok(GetTrailStatusOutput {
        is_logging: row.logging,
        latest_delivery_error: delivery.error,
        latest_notification_error: notification.error,
        latest_delivery_time: seconds(delivery.made),
        latest_notification_time: seconds(notification.made),
        start_logging_time: seconds(row.started),
        stop_logging_time: seconds(row.stopped),
        latest_digest_delivery_time: seconds(row.digest_made),
        latest_digest_delivery_error: row.digest_error,
        latest_delivery_attempt_time: text(delivery.tried),
        latest_notification_attempt_time: text(notification.tried),
        latest_notification_attempt_succeeded: text(notification.made),
        latest_delivery_attempt_succeeded: text(delivery.made),
        time_logging_started: text(row.started),
        time_logging_stopped: text(row.stopped),
    })
}

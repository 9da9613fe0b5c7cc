//! The operations on event selectors: `PutEventSelectors` and `GetEventSelectors`.

use std::sync::Arc;

use aws::Call;
use aws::operation::Change;
use store::Transaction;

use super::change_period;
use super::row::TrailRow;
use super::selectors::{Advanced, Basic, Field, Selectors};
use super::validate::TrailReference;
use super::wire::{EventSelectorsOutput, GetEventSelectorsInput, PutEventSelectorsInput};
use crate::{CloudTrail, Exception};

/// Maximum number of basic selectors of a trail.
const SELECTORS_MAX: usize = 5;

/// Maximum number of data resources of all its basic selectors.
const DATA_RESOURCES_MAX: usize = 250;

/// Maximum number of values of all its advanced selectors.
const VALUES_MAX: usize = 500;

/// The sources that basic selectors can exclude.
const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// The types of data resources of basic selectors.
const DATA_TYPES: [&str; 3] = ["AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"];

/// The values of `eventCategory`.
const CATEGORIES: [&str; 3] = ["Management", "Data", "NetworkActivity"];

/// The fields of advanced selectors.
const FIELDS: [&str; 11] = [
    "eventCategory",
    "readOnly",
    "eventSource",
    "eventName",
    "eventType",
    "errorCode",
    "resources.type",
    "resources.ARN",
    "userIdentity.arn",
    "sessionCredentialFromConsole",
    "vpcEndpointId",
];

pub(crate) fn put_event_selectors(
    _: &CloudTrail,
    call: &Arc<Call>,
    input: PutEventSelectorsInput,
) -> Result<Change<Transaction, EventSelectorsOutput, Exception>, Exception> {
    let reference = TrailReference::parse(input.trail_name)?;
    let selectors = match (input.event_selectors, input.advanced_event_selectors) {
        (Some(selectors), None) => basic(selectors)?,
        (None, Some(selectors)) => advanced(selectors)?,
        _ => return invalid("Give either event selectors or advanced event selectors."),
    };
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        let (statement, stored) = ("UPDATE trails SET selectors = ?2 WHERE id = ?1", selectors.stored());
        transaction.execute(statement, &[row.id.into(), (&stored).into()])?;
        change_period(transaction, row.id)?;
        Ok(output(&row, selectors))
    }))
}

pub(crate) fn get_event_selectors(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: GetEventSelectorsInput,
) -> Result<EventSelectorsOutput, Exception> {
    let reference = TrailReference::parse(input.trail_name)?;
    let row = service.store.read(|transaction| TrailRow::get(transaction, call, &reference))?;
    let selectors = row.selectors.clone();
    Ok(output(&row, selectors))
}

/// Checks basic selectors.
fn basic(selectors: Vec<Basic>) -> Result<Selectors, Exception> {
    if selectors.is_empty() || selectors.len() > SELECTORS_MAX {
        return invalid("Give 1 to 5 event selectors.");
    }
    selectors.iter().try_for_each(check_basic)?;
    let values = selectors
        .iter()
        .flat_map(|selector| &selector.data_resources)
        .map(|resource| resource.values.len())
        .sum::<usize>();
    if values > DATA_RESOURCES_MAX {
        return invalid("The event selectors of a trail have 250 data resources at most.");
    }
    Ok(if selectors == [Basic::default()] { Selectors::All } else { Selectors::Basic(selectors) })
}

fn check_basic(selector: &Basic) -> Result<(), Exception> {
    if !["ReadOnly", "WriteOnly", "All"].contains(&selector.read_write_type.as_str()) {
        return invalid("ReadWriteType is ReadOnly, WriteOnly or All.");
    }
    let excluded = &selector.exclude_management_event_sources;
    if excluded.iter().any(|source| !EXCLUDABLE.contains(&source.as_str())) {
        return invalid("ExcludeManagementEventSources can hold kms.amazonaws.com and rdsdata.amazonaws.com.");
    }
    let management = selector.include_management_events;
    if !management && !excluded.is_empty() {
        return invalid("ExcludeManagementEventSources needs IncludeManagementEvents.");
    }
    if selector.data_resources.iter().any(|resource| !DATA_TYPES.contains(&resource.kind.as_str())) {
        return invalid(
            "The type of a data resource is AWS::S3::Object, AWS::Lambda::Function or AWS::DynamoDB::Table.",
        );
    }
    if !management && selector.data_resources.is_empty() {
        return invalid("An event selector selects management events, data events, or both.");
    }
    Ok(())
}

/// Checks advanced selectors.
fn advanced(selectors: Vec<Advanced>) -> Result<Selectors, Exception> {
    if selectors.is_empty() {
        return invalid("Give an advanced event selector.");
    }
    selectors.iter().try_for_each(check_advanced)?;
    let fields = selectors.iter().flat_map(|selector| &selector.field_selectors);
    if fields.map(|field| field.values().count()).sum::<usize>() > VALUES_MAX {
        return invalid("The advanced event selectors of a trail have 500 values at most.");
    }
    Ok(Selectors::Advanced(selectors))
}

fn check_advanced(selector: &Advanced) -> Result<(), Exception> {
    if selector.name.as_ref().is_some_and(|name| name.chars().count() > 1000) {
        return invalid("The name of an advanced event selector has 1000 letters at most.");
    }
    let fields = &selector.field_selectors;
    for (position, field) in fields.iter().enumerate() {
        check(field)?;
        if fields[..position].iter().any(|other| other.member == field.member) {
            return invalid("A field stands in an advanced event selector once.");
        }
    }
    let category = fields.iter().find(|field| field.member == "eventCategory");
    let Some(category) = category.and_then(|field| field.equals.first()) else {
        return invalid("An advanced event selector needs a field selector with eventCategory and Equals.");
    };
    if category == "Data" && !fields.iter().any(|field| field.member == "resources.type") {
        return invalid(
            "An advanced event selector for data events needs a field selector with resources.type and Equals.",
        );
    }
    Ok(())
}

fn check(field: &Field) -> Result<(), Exception> {
    if !FIELDS.contains(&field.member.as_str()) {
        return invalid(&format!("{} is not a field of advanced event selectors.", field.member));
    }
    if field.values().any(|value| value.is_empty() || value.len() > 2048) || field.values().next().is_none() {
        return invalid("A field selector has an operator with values of 1 to 2048 letters.");
    }
    let allowed: Option<&[&str]> = match field.member.as_str() {
        "eventCategory" => Some(&CATEGORIES),
        "readOnly" | "sessionCredentialFromConsole" => Some(&["true", "false"]),
        _ => None,
    };
    let Some(allowed) = allowed else { return Ok(()) };
    let may_exclude = field.member == "sessionCredentialFromConsole";
    let others = field.values().count() - field.equals.len();
    let excluded = if may_exclude { field.not_equals.len() } else { 0 };
    let is_valid =
        others == excluded && field.equals.len() <= 1 && field.values().all(|value| allowed.contains(&value.as_str()));
    if is_valid { Ok(()) } else { invalid(&format!("{} equals one of {}.", field.member, allowed.join(", "))) }
}

impl Field {
    /// Returns the values of all conditions.
    fn values(&self) -> impl Iterator<Item = &String> {
        let positive = self.equals.iter().chain(&self.starts_with).chain(&self.ends_with);
        positive.chain(&self.not_equals).chain(&self.not_starts_with).chain(&self.not_ends_with)
    }
}

fn output(row: &TrailRow, selectors: Selectors) -> EventSelectorsOutput {
    let (event_selectors, advanced_event_selectors) = match selectors {
        Selectors::All => (Some(vec![Basic::default()]), None),
        Selectors::Basic(selectors) => (Some(selectors), None),
        Selectors::Advanced(selectors) => (None, Some(selectors)),
    };
    EventSelectorsOutput { trail_arn: row.arn.to_string(), event_selectors, advanced_event_selectors }
}

fn invalid<T>(reason: &str) -> Result<T, Exception> {
    Err(Exception::InvalidEventSelectors { reason: reason.to_owned() })
}

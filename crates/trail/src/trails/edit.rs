//! Trails are created, updated, deleted, started and stopped.

use std::io;
use std::sync::Arc;

use aws::operation::Change;
use aws::{Arn, Call, GlobalArn};
use store::{Error, Transaction, Value};

use super::name::{self, Named};
use super::row::{Told, TrailRow};
use super::shape::{NameInput, Nothing, Trail, TrailInput};
use super::{BUILT_IN, begin_span, change_span, end_span, tag};
use crate::{CloudTrail, Exception, log_file, notification};

type Changing<O> = Result<Change<Transaction, O, Exception>, Exception>;

pub(crate) fn create_trail(service: &CloudTrail, call: &Arc<Call>, input: TrailInput) -> Changing<Trail> {
    let name =
        name::trail_name(input.name.as_deref().filter(|name| !name.is_empty()).ok_or(Exception::TrailNotProvided)?)?;
    if input.is_organization_trail == Some(true) {
        return Err(Exception::OrganizationsNotInUse);
    }
    let multi_region = input.is_multi_region_trail.unwrap_or(false);
    let told = Told {
        bucket: name::bucket(input.bucket)?,
        prefix: name::prefix(input.prefix)?,
        topic: name::topic(input.topic, call)?,
        multi_region,
        global_events: input.include_global_service_events.unwrap_or(true),
        validation: input.enable_log_file_validation.unwrap_or(false),
        kms_key: name::kms_key(input.kms_key_id, call)?,
        log_group: text(input.log_group),
        log_role: text(input.log_role),
        recursive_logging: input.recursive_logging,
    };
    told.check()?;
    let tags = tag::parse(input.tags_list.unwrap_or_default())?;
    check_bucket(service, call, &told)?;
    let (call, notifier, trails_max) = (Arc::clone(call), Arc::clone(&service.notifier), service.trails_max);
    Ok(Box::new(move |transaction| {
        check_room(transaction, &call, &name, told.multi_region, trails_max)?;
        transaction.execute(
            "INSERT INTO trails (account, home_region, name, bucket, prefix, topic, multi_region, global_events, validation, kms_key, \
             log_group, log_role, recursive_logging, selectors, logging, created, topic_name) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, '', 0, ?14, ?15)",
            &[
                call.account.as_str().into(),
                call.region.as_str().into(),
                (&name).into(),
                (&told.bucket).into(),
                told.prefix.as_ref().into(),
                told.topic.as_ref().map(|topic| &topic.arn).into(),
                flag(told.multi_region),
                flag(told.global_events),
                flag(told.validation),
                told.kms_key.as_ref().into(),
                told.log_group.as_ref().into(),
                told.log_role.as_ref().into(),
                told.recursive_logging.map(i64::from).into(),
                call.time.millis().into(),
                told.topic.as_ref().map(|topic| &topic.name).into(),
            ],
        )?;
        let named = Named::parse(Some(name.clone()))?;
        let row = TrailRow::get_at_home(transaction, &call, &named)?;
        tag::insert(transaction, row.id, &tags)?;
        let topic = told.topic.as_ref().map(|topic| topic.arn.as_str());
        notification::validate(transaction, &notifier, row.id, topic)?;
        Ok(told.into_trail(&name, &row.arn))
    }))
}

pub(crate) fn update_trail(service: &CloudTrail, call: &Arc<Call>, input: TrailInput) -> Changing<Trail> {
    let name = input.name.clone().filter(|name| !name.is_empty()).ok_or(Exception::TrailNotProvided)?;
    let named = Named::parse(Some(name))?;
    if input.is_organization_trail == Some(true) {
        return Err(Exception::OrganizationsNotInUse);
    }
    let before = service.store.read(|transaction| TrailRow::get_at_home(transaction, call, &named))?;
    check_bucket(service, call, &before.told.changed(&input, call)?)?;
    let (call, notifier) = (Arc::clone(call), Arc::clone(&service.notifier));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &named)?;
        let told = row.told.changed(&input, &call)?;
        let widens = told.multi_region && !row.told.multi_region;
        if widens && is_taken(transaction, &call, &row.name, true, Some(row.id))? {
            return Err(Exception::Conflict { name: row.name });
        }
        transaction.execute(
            "UPDATE trails SET bucket = ?2, prefix = ?3, topic = ?4, multi_region = ?5, global_events = ?6, validation = ?7, \
             kms_key = ?8, log_group = ?9, log_role = ?10, recursive_logging = ?11, topic_name = ?12 WHERE id = ?1",
            &[
                row.id.into(),
                (&told.bucket).into(),
                told.prefix.as_ref().into(),
                told.topic.as_ref().map(|topic| &topic.arn).into(),
                flag(told.multi_region),
                flag(told.global_events),
                flag(told.validation),
                told.kms_key.as_ref().into(),
                told.log_group.as_ref().into(),
                told.log_role.as_ref().into(),
                told.recursive_logging.map(i64::from).into(),
                told.topic.as_ref().map(|topic| &topic.name).into(),
            ],
        )?;
        change_span(transaction, row.id)?;
        let [topic, before] =
            [&told.topic, &row.told.topic].map(|topic| topic.as_ref().map(|topic| topic.arn.as_str()));
        if topic != before {
            notification::validate(transaction, &notifier, row.id, topic)?;
        }
        let shown = told.into_trail(&row.name, &row.arn);
        // The reply to a call that takes the topic away shows it as empty.
        let emptied = input.topic.filter(String::is_empty);
        Ok(Trail { sns_topic_name: emptied.clone().or(shown.sns_topic_name), topic: emptied.or(shown.topic), ..shown })
    }))
}

/// What was recorded before is still delivered.
pub(crate) fn delete_trail(_: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Changing<Nothing> {
    let (named, call) = (Named::parse(input.name)?, Arc::clone(call));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &named)?;
        let (id, now) = (row.id.into(), call.time.millis().into());
        transaction.execute("UPDATE trails SET deleted = ?2, logging = 0 WHERE id = ?1", &[id, now])?;
        transaction.execute("DELETE FROM trail_tags WHERE trail = ?1", &[id])?;
        end_span(transaction, row.id)?;
        Ok(Nothing {})
    }))
}

/// A trail that logs already goes on.
pub(crate) fn start_logging(_: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Changing<Nothing> {
    let (named, call) = (Named::parse(input.name)?, Arc::clone(call));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &named)?;
        if !row.logging {
            let values = [row.id.into(), call.time.millis().into()];
            transaction.execute("UPDATE trails SET logging = 1, started = ?2 WHERE id = ?1", &values)?;
            begin_span(transaction, row.id)?;
        }
        Ok(Nothing {})
    }))
}

pub(crate) fn stop_logging(_: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Changing<Nothing> {
    let (named, call) = (Named::parse(input.name)?, Arc::clone(call));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &named)?;
        if row.logging {
            let values = [row.id.into(), call.time.millis().into()];
            transaction.execute("UPDATE trails SET logging = 0, stopped = ?2 WHERE id = ?1", &values)?;
            end_span(transaction, row.id)?;
        }
        Ok(Nothing {})
    }))
}

impl Told {
    /// What is told after an update; what is given as an empty text is there no more.
    fn changed(&self, input: &TrailInput, call: &Call) -> Result<Self, Exception> {
        let multi_region = input.is_multi_region_trail.unwrap_or(self.multi_region);
        let global_events = match input.include_global_service_events {
            Some(told) => told,
            // A trail that comes to be of all regions takes global events, one that ceases to be does not.
            None if multi_region != self.multi_region => multi_region,
            None => self.global_events,
        };
        let (prefix, topic, kms_key) = (&input.prefix, &input.topic, &input.kms_key_id);
        let (group, role) = (&input.log_group, &input.log_role);
        let told = Self {
            bucket: input.bucket.clone().map_or_else(|| Ok(self.bucket.clone()), |it| name::bucket(Some(it)))?,
            prefix: or(prefix.as_ref(), name::prefix(prefix.clone()), self.prefix.clone())?,
            topic: or(topic.as_ref(), name::topic(topic.clone(), call), self.topic.clone())?,
            multi_region,
            global_events,
            validation: input.enable_log_file_validation.unwrap_or(self.validation),
            kms_key: or(kms_key.as_ref(), name::kms_key(kms_key.clone(), call), self.kms_key.clone())?,
            log_group: or(group.as_ref(), Ok(text(group.clone())), self.log_group.clone())?,
            log_role: or(role.as_ref(), Ok(text(role.clone())), self.log_role.clone())?,
            recursive_logging: input.recursive_logging.or(self.recursive_logging),
        };
        told.check()?;
        Ok(told)
    }

    fn check(&self) -> Result<(), Exception> {
        if self.multi_region && !self.global_events {
            let reason = "Multi-Region trail must include global service events.".to_owned();
            return Err(Exception::InvalidParameterCombination { reason });
        }
        let is_of = |arn: &str, service: &str| Arn::parse(arn).is_some_and(|arn| arn.service == service);
        let is_role = |arn: &str| {
            GlobalArn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
        };
        match (&self.log_group, &self.log_role) {
            (None, None) => Ok(()),
            (Some(group), Some(role)) if is_of(group, "logs") && is_role(role) => Ok(()),
            (Some(group), _) if is_of(group, "logs") => Err(Exception::InvalidCloudWatchLogsRoleArn),
            _ => Err(Exception::InvalidCloudWatchLogsLogGroupArn),
        }
    }
}

/// Puts the object that stands for the folder of the log files, as CloudTrail does.
fn check_bucket(service: &CloudTrail, call: &Call, told: &Told) -> Result<(), Exception> {
    let key = log_file::folder(told.prefix.as_deref(), call.account.as_str());
    service.buckets.get(&told.bucket).put(&key, &[], &[]).map_err(|error| {
        tracing::warn!(bucket = told.bucket, %error, "a bucket cannot be written");
        let bucket = told.bucket.clone();
        match error.kind() {
            io::ErrorKind::NotFound => Exception::S3BucketDoesNotExist { bucket },
            _ => Exception::InsufficientS3BucketPolicy { bucket },
        }
    })
}

/// Fails if the name is taken, or if the region has all the trails that it can have; the one that is there from the start does
/// not count.
fn check_room(
    transaction: &Transaction,
    call: &Call,
    name: &str,
    multi_region: bool,
    trails_max: usize,
) -> Result<(), Exception> {
    if is_taken(transaction, call, name, multi_region, None)? {
        return Err(Exception::TrailAlreadyExists { name: name.to_owned(), account: call.account.clone() });
    }
    let shown = TrailRow::shown(transaction, call)?;
    if shown.iter().filter(|row| row.name != BUILT_IN).count() >= trails_max {
        let (account, region) = (call.account.clone(), call.region.clone());
        return Err(Exception::MaximumNumberOfTrailsExceeded { account, limit: trails_max, region });
    }
    Ok(())
}

/// Tells whether some region would show two trails of a name; `except` is the one that is to have it.
fn is_taken(
    transaction: &Transaction,
    call: &Call,
    name: &str,
    multi_region: bool,
    except: Option<i64>,
) -> Result<bool, Error> {
    let query = "SELECT id, home_region, multi_region FROM trails WHERE account = ?1 AND name = ?2 AND deleted IS NULL";
    let same = transaction.query(query, &[call.account.as_str().into(), name.into()], |row| {
        let is_shown = multi_region || row.integer(2)? == 1 || row.text(1)? == call.region.as_str();
        Ok(is_shown && Some(row.integer(0)?) != except)
    })?;
    Ok(same.contains(&true))
}

fn text(given: Option<String>) -> Option<String> {
    given.filter(|text| !text.is_empty())
}

fn flag(value: bool) -> Value<'static> {
    i64::from(value).into()
}

/// What is told of a member: what is given now, or what was told before.
fn or<T>(given: Option<&String>, parsed: Result<Option<T>, Exception>, old: Option<T>) -> Result<Option<T>, Exception> {
    if given.is_some() { parsed } else { Ok(old) }
}

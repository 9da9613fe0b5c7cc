//! The operations that create, update, delete, start and stop trails.

use std::io;
use std::sync::Arc;

use aws::operation::Change;
use aws::{Arn, Call, Facts, GlobalArn};
use store::{Error, Transaction, Value};

use super::row::{TrailRow, TrailSettings};
use super::validate::{self, TrailReference};
use super::wire::{EmptyOutput, NameInput, TrailInput, TrailOutput};
use super::{DEFAULT_TRAIL, begin_period, change_period, end_period, tag};
use crate::{CloudTrail, Exception, log_file, notification};

type Changing<O> = Result<Change<Transaction, O, Exception>, Exception>;

pub(crate) fn create_trail(service: &CloudTrail, call: &Arc<Call>, input: TrailInput) -> Changing<TrailOutput> {
    let name = validate::trail_name(
        input.name.as_deref().filter(|name| !name.is_empty()).ok_or(Exception::TrailNotProvided)?,
    )?;
    if input.is_organization_trail == Some(true) {
        return Err(Exception::OrganizationsNotInUse);
    }
    let multi_region = input.is_multi_region_trail.unwrap_or(false);
    let settings = TrailSettings {
        bucket: validate::bucket(input.bucket)?,
        prefix: validate::prefix(input.prefix)?,
        topic: validate::topic(input.topic, call)?,
        multi_region,
        global_events: input.include_global_service_events.unwrap_or(true),
        validation: input.enable_log_file_validation.unwrap_or(false),
        kms_key: validate::kms_key(input.kms_key_id, call)?,
        log_group: text(input.log_group),
        log_role: text(input.log_role),
        recursive_logging: input.recursive_logging,
    };
    settings.check()?;
    let tags = tag::parse(input.tags_list.unwrap_or_default())?;
    tag::add_facts(call, &tags);
    TrailReference::parse(Some(name.clone()))?.allow(call, &Facts::default())?;
    check_destinations(service, call, &name, &settings, None)?;
    let (call, notifier, trails_max) = (Arc::clone(call), Arc::clone(&service.notifier), service.trails_max);
    Ok(Box::new(move |transaction| {
        check_limits(transaction, &call, &name, settings.multi_region, trails_max)?;
        transaction.execute(
            "INSERT INTO trails (account, home_region, name, bucket, prefix, topic, multi_region, global_events, validation, kms_key, \
             log_group, log_role, recursive_logging, selectors, logging, created, topic_name) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, '', 0, ?14, ?15)",
            &[
                call.account.as_str().into(),
                call.region.as_str().into(),
                (&name).into(),
                (&settings.bucket).into(),
                settings.prefix.as_ref().into(),
                settings.topic.as_ref().map(|topic| &topic.arn).into(),
                flag(settings.multi_region),
                flag(settings.global_events),
                flag(settings.validation),
                settings.kms_key.as_ref().into(),
                settings.log_group.as_ref().into(),
                settings.log_role.as_ref().into(),
                settings.recursive_logging.map(i64::from).into(),
                call.time.millis().into(),
                settings.topic.as_ref().map(|topic| &topic.name).into(),
            ],
        )?;
        let reference = TrailReference::parse(Some(name.clone()))?;
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        tag::insert(transaction, row.id, &tags)?;
        let topic = settings.topic.as_ref().map(|topic| topic.arn.as_str());
        notification::validate(transaction, &notifier, row.id, topic)?;
        Ok(settings.into_output(&name, &row.arn))
    }))
}

pub(crate) fn update_trail(service: &CloudTrail, call: &Arc<Call>, input: TrailInput) -> Changing<TrailOutput> {
    let name = input.name.clone().filter(|name| !name.is_empty()).ok_or(Exception::TrailNotProvided)?;
    let reference = TrailReference::parse(Some(name))?;
    if input.is_organization_trail == Some(true) {
        return Err(Exception::OrganizationsNotInUse);
    }
    let current = service.store.read(|transaction| TrailRow::get_at_home(transaction, call, &reference))?;
    let updated = current.settings.updated(&input, call)?;
    check_destinations(service, call, &current.name, &updated, Some(&current.settings))?;
    let (call, notifier) = (Arc::clone(call), Arc::clone(&service.notifier));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        let settings = row.settings.updated(&input, &call)?;
        let becomes_multi_region = settings.multi_region && !row.settings.multi_region;
        if becomes_multi_region && is_taken(transaction, &call, &row.name, true, Some(row.id))? {
            return Err(Exception::Conflict { name: row.name });
        }
        transaction.execute(
            "UPDATE trails SET bucket = ?2, prefix = ?3, topic = ?4, multi_region = ?5, global_events = ?6, validation = ?7, \
             kms_key = ?8, log_group = ?9, log_role = ?10, recursive_logging = ?11, topic_name = ?12 WHERE id = ?1",
            &[
                row.id.into(),
                (&settings.bucket).into(),
                settings.prefix.as_ref().into(),
                settings.topic.as_ref().map(|topic| &topic.arn).into(),
                flag(settings.multi_region),
                flag(settings.global_events),
                flag(settings.validation),
                settings.kms_key.as_ref().into(),
                settings.log_group.as_ref().into(),
                settings.log_role.as_ref().into(),
                settings.recursive_logging.map(i64::from).into(),
                settings.topic.as_ref().map(|topic| &topic.name).into(),
            ],
        )?;
        change_period(transaction, row.id)?;
        let [topic, previous] =
            [&settings.topic, &row.settings.topic].map(|topic| topic.as_ref().map(|topic| topic.arn.as_str()));
        if topic != previous {
            notification::validate(transaction, &notifier, row.id, topic)?;
        }
        let output = settings.into_output(&row.name, &row.arn);
        // The reply to a call that removes the topic shows it as an empty text.
        let removed = input.topic.filter(String::is_empty);
        Ok(TrailOutput {
            sns_topic_name: removed.clone().or(output.sns_topic_name),
            topic: removed.or(output.topic),
            ..output
        })
    }))
}

/// Marks the trail as deleted; events recorded before are still delivered.
pub(crate) fn delete_trail(_: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Changing<EmptyOutput> {
    let (reference, call) = (TrailReference::parse(input.name)?, Arc::clone(call));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        let (id, now) = (row.id.into(), call.time.millis().into());
        transaction.execute("UPDATE trails SET deleted = ?2, logging = 0 WHERE id = ?1", &[id, now])?;
        transaction.execute("DELETE FROM trail_tags WHERE trail = ?1", &[id])?;
        end_period(transaction, row.id)?;
        Ok(EmptyOutput {})
    }))
}

/// Starts logging; has no effect on a trail that logs already.
pub(crate) fn start_logging(_: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Changing<EmptyOutput> {
    let (reference, call) = (TrailReference::parse(input.name)?, Arc::clone(call));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        if !row.logging {
            let values = [row.id.into(), call.time.millis().into()];
            transaction.execute("UPDATE trails SET logging = 1, started = ?2 WHERE id = ?1", &values)?;
            begin_period(transaction, row.id)?;
        }
        Ok(EmptyOutput {})
    }))
}

/// Stops logging; has no effect on a trail that does not log.
pub(crate) fn stop_logging(_: &CloudTrail, call: &Arc<Call>, input: NameInput) -> Changing<EmptyOutput> {
    let (reference, call) = (TrailReference::parse(input.name)?, Arc::clone(call));
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        if row.logging {
            let values = [row.id.into(), call.time.millis().into()];
            transaction.execute("UPDATE trails SET logging = 0, stopped = ?2 WHERE id = ?1", &values)?;
            end_period(transaction, row.id)?;
        }
        Ok(EmptyOutput {})
    }))
}

impl TrailSettings {
    /// Returns the settings after an update; an empty text removes a setting.
    fn updated(&self, input: &TrailInput, call: &Call) -> Result<Self, Exception> {
        let multi_region = input.is_multi_region_trail.unwrap_or(self.multi_region);
        let global_events = match input.include_global_service_events {
            Some(global_events) => global_events,
            // A trail that becomes multi-region includes global events; one that ceases to be excludes them.
            None if multi_region != self.multi_region => multi_region,
            None => self.global_events,
        };
        let (prefix, topic, kms_key) = (&input.prefix, &input.topic, &input.kms_key_id);
        let (group, role) = (&input.log_group, &input.log_role);
        let settings = Self {
            bucket: input
                .bucket
                .clone()
                .map_or_else(|| Ok(self.bucket.clone()), |bucket| validate::bucket(Some(bucket)))?,
            prefix: update(prefix.as_ref(), validate::prefix(prefix.clone()), self.prefix.clone())?,
            topic: update(topic.as_ref(), validate::topic(topic.clone(), call), self.topic.clone())?,
            multi_region,
            global_events,
            validation: input.enable_log_file_validation.unwrap_or(self.validation),
            kms_key: update(kms_key.as_ref(), validate::kms_key(kms_key.clone(), call), self.kms_key.clone())?,
            log_group: update(group.as_ref(), Ok(text(group.clone())), self.log_group.clone())?,
            log_role: update(role.as_ref(), Ok(text(role.clone())), self.log_role.clone())?,
            recursive_logging: input.recursive_logging.or(self.recursive_logging),
        };
        settings.check()?;
        Ok(settings)
    }

    /// Checks the combination of settings.
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

/// Checks that a topic exists, unless the trail has it already, and puts an object for the folder of the log files, as CloudTrail does, to
/// check that the bucket can be written.
fn check_destinations(
    service: &CloudTrail,
    call: &Call,
    name: &str,
    settings: &TrailSettings,
    current: Option<&TrailSettings>,
) -> Result<(), Exception> {
    let topic =
        settings.topic.as_ref().filter(|topic| current.and_then(|current| current.topic.as_ref()) != Some(topic));
    if let (Some(exists), Some(topic)) = (&service.topics, topic)
        && !exists(&topic.arn)
    {
        return Err(Exception::InsufficientSnsTopicPolicy);
    }
    let key = log_file::folder(settings.prefix.as_deref(), call.account.as_str());
    let arn = validate::arn(call.region.clone(), call.account.clone(), name);
    let checked = service.destinations.check(&arn, &settings.bucket, &key);
    let put = checked.and_then(|()| service.destinations.buckets.get(&settings.bucket).put(&key, &[], &[]));
    put.map_err(|error| {
        tracing::warn!(bucket = settings.bucket, %error, "cannot write to the bucket of a trail");
        let bucket = settings.bucket.clone();
        match error.kind() {
            io::ErrorKind::NotFound => Exception::S3BucketDoesNotExist { bucket },
            _ => Exception::InsufficientS3BucketPolicy { bucket },
        }
    })
}

/// Fails if the name is taken, or if the region has the maximum number of trails; the default trail does not count.
fn check_limits(
    transaction: &Transaction,
    call: &Call,
    name: &str,
    multi_region: bool,
    trails_max: usize,
) -> Result<(), Exception> {
    if is_taken(transaction, call, name, multi_region, None)? {
        return Err(Exception::TrailAlreadyExists { name: name.to_owned(), account: call.account.clone() });
    }
    let rows = TrailRow::visible(transaction, call)?;
    if rows.iter().filter(|row| row.name != DEFAULT_TRAIL).count() >= trails_max {
        let (account, region) = (call.account.clone(), call.region.clone());
        return Err(Exception::MaximumNumberOfTrailsExceeded { account, limit: trails_max, region });
    }
    Ok(())
}

/// Tells whether two trails of a name would be visible in one region; `except` is the id of the trail that is updated.
fn is_taken(
    transaction: &Transaction,
    call: &Call,
    name: &str,
    multi_region: bool,
    except: Option<i64>,
) -> Result<bool, Error> {
    let query = "SELECT id, home_region, multi_region FROM trails WHERE account = ?1 AND name = ?2 AND deleted IS NULL";
    let same = transaction.query(query, &[call.account.as_str().into(), name.into()], |row| {
        let is_visible = multi_region || row.integer(2)? == 1 || row.text(1)? == call.region.as_str();
        Ok(is_visible && Some(row.integer(0)?) != except)
    })?;
    Ok(same.contains(&true))
}

/// Treats an empty text as a missing one.
fn text(given: Option<String>) -> Option<String> {
    given.filter(|text| !text.is_empty())
}

fn flag(value: bool) -> Value<'static> {
    i64::from(value).into()
}

/// Returns the new value of a setting: the parsed one if the call has it, otherwise the old one.
fn update<T>(
    given: Option<&String>,
    parsed: Result<Option<T>, Exception>,
    old: Option<T>,
) -> Result<Option<T>, Exception> {
    if given.is_some() { parsed } else { Ok(old) }
}

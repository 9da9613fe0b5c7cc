//! The row of a trail, and its lookup by a call.

use aws::arn::ArnParts;
use aws::permission::RESOURCE_TAG;
use aws::{Arn, Call, Facts, Region, Resource, Timestamp};
use store::{Error, Row, Transaction};

use super::selectors::Selectors;
use super::validate::{self, Topic, TrailReference};
use super::wire::{InsightSelector, TrailOutput, TrailState};
use crate::Exception;

const COLUMNS: &str = "id, home_region, name, bucket, prefix, topic, multi_region, global_events, validation, kms_key, log_group, \
    log_role, recursive_logging, selectors, logging, started, stopped, delivery_tried, delivery_made, delivery_error, \
    notification_tried, notification_made, notification_error, digest_made, digest_error, topic_name, insights";

/// The current state of a trail.
#[derive(Clone, Debug)]
pub(crate) struct TrailRow {
    pub(crate) id: i64,
    pub(crate) arn: Arn,
    pub(crate) name: String,
    pub(crate) settings: TrailSettings,
    pub(crate) selectors: Selectors,
    pub(crate) insights: Vec<InsightSelector>,
    pub(crate) logging: bool,
    pub(crate) started: Option<Timestamp>,
    pub(crate) stopped: Option<Timestamp>,
    pub(crate) delivery: Attempts,
    pub(crate) notification: Attempts,
    pub(crate) digest_delivered: Option<Timestamp>,
    pub(crate) digest_error: Option<String>,
}

/// The settings of a trail that `CreateTrail` and `UpdateTrail` set.
#[derive(Clone, Debug)]
pub(crate) struct TrailSettings {
    pub(crate) bucket: String,
    pub(crate) prefix: Option<String>,
    pub(crate) topic: Option<Topic>,
    pub(crate) multi_region: bool,
    pub(crate) global_events: bool,
    pub(crate) validation: bool,
    pub(crate) kms_key: Option<String>,
    pub(crate) log_group: Option<String>,
    pub(crate) log_role: Option<String>,
    pub(crate) recursive_logging: Option<bool>,
}

/// The last attempt and the last success of deliveries or notifications, and the error of the last attempt.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    pub(crate) tried: Option<Timestamp>,
    pub(crate) succeeded: Option<Timestamp>,
    pub(crate) error: Option<String>,
}

impl TrailRow {
    /// Finds a trail; fails if there is none.
    pub(crate) fn get(transaction: &Transaction, call: &Call, reference: &TrailReference) -> Result<Self, Exception> {
        Self::find(transaction, call, reference)?.ok_or_else(|| reference.not_found(call))
    }

    /// Finds a trail to be changed; fails if the call is not in its home region, which only happens if it names the trail by ARN.
    pub(crate) fn get_at_home(
        transaction: &Transaction,
        call: &Call,
        reference: &TrailReference,
    ) -> Result<Self, Exception> {
        let row = Self::get(transaction, call, reference)?;
        if row.arn.region == call.region {
            return Ok(row);
        }
        Err(Exception::InvalidHomeRegion {
            arn: row.arn.to_string(),
            home_region: row.arn.region,
            region: call.region.clone(),
        })
    }

    /// Finds a trail by its name in the call's region, or by its ARN in any region, and adds it to the resources of the call.
    ///
    /// Fails if the caller may not use the trail, whether or not it exists.
    pub(crate) fn find(
        transaction: &Transaction,
        call: &Call,
        reference: &TrailReference,
    ) -> Result<Option<Self>, Exception> {
        let row = Self::read(transaction, call, reference)?;
        let tags = match &row {
            Some(row) if call.mentions(RESOURCE_TAG) => row.tags(transaction)?,
            _ => Vec::new(),
        };
        let facts = Facts::default().with_resource_tags(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        reference.allow(call, &facts)?;
        if let Some(row) = &row {
            row.concerns(call);
        }
        Ok(row)
    }

    /// Returns the tags, each a key and a value, in the order of their keys.
    pub(super) fn tags(&self, transaction: &Transaction) -> Result<Vec<(String, String)>, Error> {
        let query = "SELECT name, value FROM trail_tags WHERE trail = ?1 ORDER BY name";
        transaction.query(query, &[self.id.into()], |row| Ok((row.text(0)?, row.text(1)?)))
    }

    /// Finds the same trail for the call's own use; the permission is not requested.
    pub(crate) fn read(
        transaction: &Transaction,
        call: &Call,
        reference: &TrailReference,
    ) -> Result<Option<Self>, Error> {
        if reference.account.as_ref().is_some_and(|account| *account != call.account) {
            return Ok(None);
        }
        let region = reference.region.as_ref().unwrap_or(&call.region);
        let query = format!(
            "SELECT {COLUMNS} FROM trails WHERE account = ?1 AND home_region = ?2 AND name = ?3 AND deleted IS NULL"
        );
        let values = [call.account.as_str().into(), region.as_str().into(), (&reference.name).into()];
        transaction.query_one(&query, &values, |row| Self::of(row, call))
    }

    /// Lists the trails of the region and the multi-region trails, in the order of the bytes of their names.
    pub(crate) fn visible(transaction: &Transaction, call: &Call) -> Result<Vec<Self>, Error> {
        let query = format!(
            "SELECT {COLUMNS} FROM trails WHERE account = ?1 AND (home_region = ?2 OR multi_region = 1) AND deleted IS NULL"
        );
        let values = [call.account.as_str().into(), call.region.as_str().into()];
        let mut rows = transaction.query(&query, &values, |row| Self::of(row, call))?;
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(rows)
    }

    /// Adds the trail to the resources of a call.
    pub(crate) fn concerns(&self, call: &Call) {
        let (arn, account) = (self.arn.to_string(), self.arn.account.clone());
        call.add_resource(Resource { kind: "AWS::CloudTrail::Trail", arn, account });
    }

    fn of(row: &Row<'_>, call: &Call) -> Result<Self, Error> {
        let time = |column| Ok::<_, Error>(row.optional_integer(column)?.map(Timestamp::from_millis));
        let attempts = |column| {
            Ok::<_, Error>(Attempts {
                tried: time(column)?,
                succeeded: time(column + 1)?,
                error: row.optional_text(column + 2)?,
            })
        };
        let region: Region =
            row.text(1)?.parse().map_err(|_| Error::Damaged("the home region of a trail is not valid"))?;
        let name = row.text(2)?;
        let topic_name = row.optional_text(25)?;
        // Topics from before the column existed are shown by their name.
        let topic = row.optional_text(5)?.map(|arn| {
            let last = || ArnParts::split(&arn).map_or(&*arn, |parts| parts.resource).to_owned();
            Topic { name: topic_name.unwrap_or_else(last), arn }
        });
        Ok(Self {
            id: row.integer(0)?,
            arn: validate::arn(region, call.account.clone(), &name),
            name,
            settings: TrailSettings {
                bucket: row.text(3)?,
                prefix: row.optional_text(4)?,
                topic,
                multi_region: row.integer(6)? == 1,
                global_events: row.integer(7)? == 1,
                validation: row.integer(8)? == 1,
                kms_key: row.optional_text(9)?,
                log_group: row.optional_text(10)?,
                log_role: row.optional_text(11)?,
                recursive_logging: row.optional_integer(12)?.map(|value| value == 1),
            },
            selectors: Selectors::read(&row.text(13)?)?,
            insights: read_insights(row.optional_text(26)?.as_deref())?,
            logging: row.integer(14)? == 1,
            started: time(15)?,
            stopped: time(16)?,
            delivery: attempts(17)?,
            notification: attempts(20)?,
            digest_delivered: time(23)?,
            digest_error: row.optional_text(24)?,
        })
    }

    /// Returns the trail as `GetTrail` and `DescribeTrails` show it.
    pub(crate) fn to_output(&self) -> TrailOutput {
        let state = TrailState {
            home_region: self.arn.region.to_string(),
            has_custom_event_selectors: self.selectors != Selectors::All,
            has_insight_selectors: !self.insights.is_empty(),
        };
        TrailOutput { state: Some(state), ..self.settings.clone().into_output(&self.name, &self.arn) }
    }
}

/// Reads the insight selectors of a row; there are none until some are put.
fn read_insights(stored: Option<&str>) -> Result<Vec<InsightSelector>, Error> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    serde_json::from_str(stored).map_err(|_| Error::Damaged("the insight selectors of a trail cannot be read"))
}

impl TrailSettings {
    /// Returns the settings as `CreateTrail` and `UpdateTrail` show them.
    pub(crate) fn into_output(self, name: &str, arn: &Arn) -> TrailOutput {
        let (sns_topic_name, topic) = self.topic.map(|topic| (topic.name, topic.arn)).unzip();
        TrailOutput {
            name: name.to_owned(),
            bucket: self.bucket,
            prefix: self.prefix,
            sns_topic_name,
            topic,
            include_global_service_events: self.global_events,
            is_multi_region: self.multi_region,
            arn: arn.to_string(),
            log_file_validation_enabled: self.validation,
            log_group: self.log_group,
            log_role: self.log_role,
            kms_key: self.kms_key,
            is_organization: false,
            recursive_logging: self.recursive_logging,
            state: None,
        }
    }
}

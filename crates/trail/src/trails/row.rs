//! A trail's row, and how a call finds it.

use aws::{Arn, Call, Region, Resource, Timestamp};
use store::{Error, Row, Transaction};

use super::insights::{self, InsightSelector};
use super::name::{self, Named};
use super::selectors::Selectors;
use super::shape::{Described, Trail};
use crate::Exception;

const COLUMNS: &str = "id, home_region, name, bucket, prefix, topic, multi_region, global_events, validation, kms_key, log_group, \
    log_role, recursive_logging, selectors, logging, started, stopped, delivery_tried, delivery_made, delivery_error, \
    notification_tried, notification_made, notification_error, digest_made, digest_error, topic_name, insights";

/// A trail as it is now.
#[derive(Clone, Debug)]
pub(crate) struct TrailRow {
    pub(crate) id: i64,
    pub(crate) arn: Arn,
    pub(crate) name: String,
    pub(crate) told: Told,
    pub(crate) selectors: Selectors,
    pub(crate) insights: Vec<InsightSelector>,
    pub(crate) logging: bool,
    pub(crate) started: Option<Timestamp>,
    pub(crate) stopped: Option<Timestamp>,
    pub(crate) delivery: Attempts,
    pub(crate) notification: Attempts,
    pub(crate) digest_made: Option<Timestamp>,
    pub(crate) digest_error: Option<String>,
}

/// What `CreateTrail` and `UpdateTrail` say about a trail.
#[derive(Clone, Debug)]
pub(crate) struct Told {
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

/// The topic that is told of a trail's log files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Its name or ARN, as the call gave it.
    pub(crate) name: String,
    pub(crate) arn: String,
}

/// When something was tried last, when it last succeeded, and why it failed if it did since.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    pub(crate) tried: Option<Timestamp>,
    pub(crate) made: Option<Timestamp>,
    pub(crate) error: Option<String>,
}

impl TrailRow {
    /// Finds a trail that has to be there.
    pub(crate) fn get(transaction: &Transaction, call: &Call, named: &Named) -> Result<Self, Exception> {
        Self::find(transaction, call, named)?.ok_or_else(|| named.unknown(call))
    }

    /// Finds a trail that is to be changed, which its home region alone may do; only an ARN can name one of another region.
    pub(crate) fn get_at_home(transaction: &Transaction, call: &Call, named: &Named) -> Result<Self, Exception> {
        let row = Self::get(transaction, call, named)?;
        if row.arn.region == call.region {
            return Ok(row);
        }
        Err(Exception::InvalidHomeRegion {
            arn: row.arn.to_string(),
            home_region: row.arn.region,
            region: call.region.clone(),
        })
    }

    /// Finds a trail by its name in the call's region, or by its ARN in any region, and notes that the call is about it.
    pub(crate) fn find(transaction: &Transaction, call: &Call, named: &Named) -> Result<Option<Self>, Exception> {
        if named.account.as_ref().is_some_and(|account| *account != call.account) {
            return Ok(None);
        }
        let region = named.region.as_ref().unwrap_or(&call.region);
        let query = format!(
            "SELECT {COLUMNS} FROM trails WHERE account = ?1 AND home_region = ?2 AND name = ?3 AND deleted IS NULL"
        );
        let values = [call.account.as_str().into(), region.as_str().into(), (&named.name).into()];
        let found = transaction.query_one(&query, &values, |row| Self::of(row, call))?;
        if let Some(row) = &found {
            row.concerns(call);
        }
        Ok(found)
    }

    /// Lists the trails of the region, and those of all regions, in the order of the bytes of their names.
    pub(crate) fn shown(transaction: &Transaction, call: &Call) -> Result<Vec<Self>, Error> {
        let query = format!(
            "SELECT {COLUMNS} FROM trails WHERE account = ?1 AND (home_region = ?2 OR multi_region = 1) AND deleted IS NULL"
        );
        let values = [call.account.as_str().into(), call.region.as_str().into()];
        let mut rows = transaction.query(&query, &values, |row| Self::of(row, call))?;
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(rows)
    }

    /// Notes that a call is about the trail.
    pub(crate) fn concerns(&self, call: &Call) {
        let (arn, account) = (self.arn.to_string(), self.arn.account.clone());
        call.concerns(Resource { kind: "AWS::CloudTrail::Trail", arn, account });
    }

    fn of(row: &Row<'_>, call: &Call) -> Result<Self, Error> {
        let time = |column| Ok::<_, Error>(row.optional_integer(column)?.map(Timestamp::from_millis));
        let attempts = |column| {
            Ok::<_, Error>(Attempts {
                tried: time(column)?,
                made: time(column + 1)?,
                error: row.optional_text(column + 2)?,
            })
        };
        let region: Region = row.text(1)?.parse().map_err(|_| Error::Damaged("the home region of a trail"))?;
        let name = row.text(2)?;
        let topic_name = row.optional_text(25)?;
        // Topics of before there was the column are shown by their name alone.
        let topic = row.optional_text(5)?.map(|arn| {
            let last = || arn.rsplit(':').next().unwrap_or(&arn).to_owned();
            Topic { name: topic_name.unwrap_or_else(last), arn }
        });
        Ok(Self {
            id: row.integer(0)?,
            arn: name::arn(region, call.account.clone(), &name),
            name,
            told: Told {
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
            insights: insights::read(row.optional_text(26)?.as_deref())?,
            logging: row.integer(14)? == 1,
            started: time(15)?,
            stopped: time(16)?,
            delivery: attempts(17)?,
            notification: attempts(20)?,
            digest_made: time(23)?,
            digest_error: row.optional_text(24)?,
        })
    }

    /// Writes the trail as descriptions show it.
    pub(crate) fn to_trail(&self) -> Trail {
        let described = Described {
            home_region: self.arn.region.to_string(),
            has_custom_event_selectors: self.selectors != Selectors::All,
            has_insight_selectors: !self.insights.is_empty(),
        };
        Trail { described: Some(described), ..self.told.clone().into_trail(&self.name, &self.arn) }
    }
}

impl Told {
    /// Writes what was told as `CreateTrail` and `UpdateTrail` answer it.
    pub(crate) fn into_trail(self, name: &str, arn: &Arn) -> Trail {
        let (sns_topic_name, topic) = self.topic.map(|topic| (topic.name, topic.arn)).unzip();
        Trail {
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
            described: None,
        }
    }
}

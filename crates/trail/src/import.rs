//! Records of the past, for seeds: they become a part of event history, `events.ndjson` and log files.

use std::io;
use std::sync::Arc;

use aws::{AccountId, Timestamp};
use serde_json::Value;
use store::{Error, Transaction};

use crate::Trail;
use crate::recorder::Recorder;
use crate::schema::NUMBERED_EVENTS;

/// Records that are imported in one transaction.
const RECORDS_PER_WRITE: usize = 1_000;

/// Maximum size of a record in bytes, as of those that are written here.
const RECORD_BYTES_MAX: usize = 256 << 10;

/// A record of an event that another server, or AWS, wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRecord {
    record: Value,
    time: Timestamp,
    account: String,
}

impl PastRecord {
    /// Checks a record; `account` is that of records without `recipientAccountId`. Fails with the reason and what to do.
    pub fn parse(record: Value, account: &AccountId) -> Result<Self, String> {
        let text = |name: &str| {
            let text = record.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.ok_or_else(|| format!("it has no `{name}`; write a record of CloudTrail"))
        };
        for name in ["eventID", "eventName", "eventSource", "awsRegion"] {
            text(name)?;
        }
        let time = text("eventTime")?;
        let time = Timestamp::from_iso(time)
            .ok_or_else(|| format!("its eventTime '{time}' is no time; write one such as 2026-01-31T12:00:00Z"))?;
        let account = match record.get("recipientAccountId").and_then(Value::as_str) {
            Some(recipient) => recipient.parse::<AccountId>()?.to_string(),
            None => account.to_string(),
        };
        if record.to_string().len() >= RECORD_BYTES_MAX {
            return Err("it is larger than 256 KB, the limit of a record; remove it".to_owned());
        }
        Ok(Self { record, time, account })
    }

    /// Returns the time of the event.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Returns the id of the event, and the account that received it: copies in several accounts may have one id.
    pub fn key(&self) -> (&str, &str) {
        (self.member("eventID"), &self.account)
    }

    /// Moves the event to another time; the times in the parts of its record stay.
    pub fn move_to(&mut self, time: Timestamp) {
        self.record["eventTime"] = time.iso().into();
        self.time = time;
    }

    fn member(&self, name: &str) -> &str {
        self.record.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_data(&self) -> bool {
        self.member("eventCategory") == "Data" || self.record.get("managementEvent") == Some(&Value::Bool(false))
    }

    fn insert(&self, transaction: &Transaction) -> Result<(), Error> {
        let line = self.record.to_string();
        transaction.insert_numbered(
            &NUMBERED_EVENTS,
            &[
                self.member("eventID").into(),
                (&self.account).into(),
                self.member("awsRegion").into(),
                self.time.millis().into(),
                self.member("eventName").into(),
                line.as_str().into(),
                i64::from(self.is_data()).into(),
            ],
        )
    }
}

impl Trail {
    /// Adds records in their order, and delivers them in log files.
    pub fn import(&self, records: &[PastRecord]) -> io::Result<()> {
        for part in records.chunks(RECORDS_PER_WRITE) {
            let (recorder, part) = (Arc::clone(&self.recorder), part.to_vec());
            let written = self.store.write(move |transaction| add(transaction, &recorder, &part));
            written.map_err(|error: Error| io::Error::other(error))?;
        }
        self.flush()
    }

    /// Creates the default trail of an account, if it has none yet.
    pub fn create_default_trail(&self, account: &AccountId, time: Timestamp) -> Result<(), Error> {
        self.recorder.default_trails.ensure_default_trail(&self.store, account.as_str(), time)
    }
}

fn add(transaction: &Transaction, recorder: &Arc<Recorder>, records: &[PastRecord]) -> Result<(), Error> {
    for record in records {
        recorder.default_trails.ensure_default_trail_within(transaction, &record.account, record.time)?;
        record.insert(transaction)?;
        transaction.append_after_commit(Arc::<Recorder>::clone(recorder), format!("{}\n", record.record));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_needs_the_members_that_identify_it() {
        let account: AccountId = "111122223333".parse().expect("twelve digits");
        let record = json!({
            "eventID": "1", "eventName": "GetBranch", "eventSource": "codecommit.amazonaws.com", "awsRegion": "us-east-1",
            "eventTime": "2026-01-31T12:00:00Z",
        });
        let mut past = PastRecord::parse(record.clone(), &account).expect("the record is complete");
        assert_eq!(past.key(), ("1", "111122223333"));
        past.move_to(Timestamp::from_millis(0));
        assert_eq!(past.member("eventTime"), "1970-01-01T00:00:00Z");
        for (name, value) in [
            ("eventID", json!(null)),
            ("awsRegion", json!("")),
            ("eventTime", json!("yesterday")),
            ("recipientAccountId", json!("1")),
            ("requestParameters", json!("x".repeat(RECORD_BYTES_MAX))),
        ] {
            let mut record = record.clone();
            record[name] = value;
            assert!(PastRecord::parse(record, &account).is_err(), "{name}");
        }
    }
}

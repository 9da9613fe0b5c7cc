//! Records as events of Amazon EventBridge: `AWS API Call via CloudTrail` and `AWS Console Sign In via CloudTrail`.
//!
//! The detail is the record without `recipientAccountId`, and the envelope has no resources, as in events that AWS delivered.

use aws::event_bridge::BusEvent;
use aws::{Timestamp, stable_hash};
use serde_json::{Map, Value};

use crate::StoredRecord;

/// The beginnings of the names of calls that EventBridge delivers only to rules for all management events.
const READS: [&str; 3] = ["Get", "List", "Describe"];

/// Records that become events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusSelection {
    /// Calls of operations and Git requests, except data events.
    pub api_calls: bool,
    /// Also the calls whose names begin with `Get`, `List` or `Describe`.
    pub all_management_events: bool,
    /// Sign-ins to the console.
    pub console_sign_ins: bool,
}

impl BusSelection {
    /// Returns whether any record can become an event.
    pub const fn is_any(self) -> bool {
        self.api_calls || self.console_sign_ins
    }

    /// Returns the event of a record, if it is selected; the same record always has the same event.
    pub fn event(self, record: &StoredRecord) -> Option<String> {
        if record.is_data {
            return None;
        }
        let mut detail: Map<String, Value> = serde_json::from_str(&record.json).ok()?;
        let detail_type = match detail.get("eventType")?.as_str()? {
            "AwsConsoleSignIn" if self.console_sign_ins => "AWS Console Sign In via CloudTrail",
            "AwsApiCall" if self.api_calls => {
                let name = detail.get("eventName")?.as_str()?;
                if !self.all_management_events && READS.iter().any(|beginning| name.starts_with(beginning)) {
                    return None;
                }
                "AWS API Call via CloudTrail"
            }
            _ => return None,
        };
        // The order of the other members stays.
        let account = detail.shift_remove("recipientAccountId")?;
        let text = |name: &str| detail.get(name)?.as_str().map(str::to_owned);
        let (source, region) = (text("eventSource")?, text("awsRegion")?);
        let source = format!("aws.{}", source.split('.').next().unwrap_or_default());
        let time = Timestamp::from_iso(&text("eventTime")?)?;
        let id = stable_hash::uuid(&format!("eventbridge {}", text("eventID")?));
        Some(BusEvent::new(id, (&source, detail_type), (account.as_str()?, &region), time, detail).json())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: BusSelection = BusSelection { api_calls: true, all_management_events: true, console_sign_ins: true };

    fn record(name: &str, event_type: &str) -> StoredRecord {
        let record = json!({
            "eventVersion": "1.05", "eventTime": "2016-12-14T18:19:15Z", "eventSource": "codecommit.amazonaws.com",
            "eventName": name, "awsRegion": "us-east-2", "eventID": "11111111-1111-4111-8111-111111111111",
            "eventType": event_type, "recipientAccountId": "444455556666", "apiVersion": "2015-04-13",
        });
        StoredRecord { seq: 1, cursor: String::new(), json: record.to_string(), is_data: false }
    }

    #[test]
    fn the_detail_is_the_record_without_its_recipient() {
        let event = ALL.event(&record("GitPush", "AwsApiCall")).expect("the call is selected");
        let event: Value = serde_json::from_str(&event).expect("an event is JSON");
        let expected = json!({
            "version": "0", "id": event["id"], "detail-type": "AWS API Call via CloudTrail", "source": "aws.codecommit",
            "account": "444455556666", "time": "2016-12-14T18:19:15Z", "region": "us-east-2", "resources": [],
            "detail": {
                "eventVersion": "1.05", "eventTime": "2016-12-14T18:19:15Z", "eventSource": "codecommit.amazonaws.com",
                "eventName": "GitPush", "awsRegion": "us-east-2", "eventID": "11111111-1111-4111-8111-111111111111",
                "eventType": "AwsApiCall", "apiVersion": "2015-04-13",
            },
        });
        assert_eq!(event.to_string(), expected.to_string());
        assert_ne!(event["id"], event["detail"]["eventID"]);
        assert_eq!(ALL.event(&record("GitPush", "AwsApiCall")), Some(event.to_string()));
    }

    #[test]
    fn reads_and_data_events_and_sign_ins_need_their_selection() {
        let calls = BusSelection { api_calls: true, ..BusSelection::default() };
        let names = ["GetThings", "ListThings", "DescribeThings"];
        assert!(names.iter().all(|name| calls.event(&record(name, "AwsApiCall")).is_none()));
        assert!(names.iter().all(|name| ALL.event(&record(name, "AwsApiCall")).is_some()));
        assert!(["GitPull", "BatchGetThings"].iter().all(|name| calls.event(&record(name, "AwsApiCall")).is_some()));
        let data = StoredRecord { is_data: true, ..record("GitPush", "AwsApiCall") };
        assert_eq!(ALL.event(&data), None);
        assert_eq!(calls.event(&record("ConsoleLogin", "AwsConsoleSignIn")), None);
        let sign_in = ALL.event(&record("ConsoleLogin", "AwsConsoleSignIn")).expect("sign-ins are selected");
        assert!(sign_in.contains("AWS Console Sign In via CloudTrail"), "{sign_in}");
        assert!(!BusSelection { all_management_events: true, ..BusSelection::default() }.is_any());
    }
}

//! Filters of events.

use aws::Timestamp;
use aws::pattern::matches;
use serde_json::Value;

use super::{caller_name, subjects};

/// A filter of events. Of a list one value must match, with `*` for any characters; an empty list matches all events.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Values of `eventName`, such as `GitPush`.
    pub names: Vec<String>,
    /// Names of callers; for a session, `ROLE/SESSION` or one of the two.
    pub users: Vec<String>,
    /// Names of repositories.
    pub repositories: Vec<String>,
    /// Values of `eventSource`, such as `codecommit.amazonaws.com`, or `codecommit` for short.
    pub services: Vec<String>,
    /// Values of `sourceIPAddress`.
    pub addresses: Vec<String>,
    /// Values of `recipientAccountId`.
    pub accounts: Vec<String>,
    /// Values of `awsRegion`.
    pub regions: Vec<String>,
    /// The first time, in the form of records, or a prefix of one: `2016-12-14` means the whole day.
    pub since: Option<String>,
    /// The last time, in the same form.
    pub until: Option<String>,
    /// Whether only failed calls match.
    pub failed: bool,
    /// Whether only calls that may change something match.
    pub writes: bool,
}

/// The name of a property, the list of the filter, and the function that returns the values of a record.
type List<'f> = (&'static str, &'f [String], fn(&Value) -> Vec<String>);

impl Filter {
    /// Tells whether a record matches the filter.
    pub fn admits(&self, record: &Value) -> bool {
        let time = record["eventTime"].as_str().unwrap_or_default();
        let prefix = |bound: &str| time.get(..bound.len()).unwrap_or(time).to_owned();
        self.lists().iter().all(|(_, patterns, values)| {
            patterns.is_empty()
                || values(record).iter().any(|value| patterns.iter().any(|pattern| matches(pattern, value)))
        }) && self.since.as_ref().is_none_or(|since| prefix(since) >= *since)
            && self.until.as_ref().is_none_or(|until| prefix(until) <= *until)
            // A failed sign-in has a message only.
            && (!self.failed || record.get("errorCode").or_else(|| record.get("errorMessage")).is_some())
            && (!self.writes || record["readOnly"] == false)
    }

    /// Tells whether all records match, because nothing is set.
    pub fn is_empty(&self) -> bool {
        let Self { since, until, failed, writes, .. } = self;
        since.is_none()
            && until.is_none()
            && !failed
            && !writes
            && self.lists().iter().all(|(_, list, _)| list.is_empty())
    }

    /// Removes the values from `unseen` that match a record; `unseen` starts as [`Filter::values`].
    pub fn note_seen(&self, record: &Value, unseen: &mut Vec<(&'static str, String)>) {
        let lists = self.lists();
        unseen.retain(|(property, pattern)| {
            let values = lists.iter().find(|(name, ..)| name == property).map(|(.., values)| values(record));
            !values.is_some_and(|values| values.iter().any(|value| matches(pattern, value)))
        });
    }

    /// Lists the values of the filter, each with the name of its property.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let lists = self.lists();
        lists.iter().flat_map(|(name, patterns, _)| patterns.iter().map(|value| (*name, value.clone()))).collect()
    }

    fn lists(&self) -> [List<'_>; 7] {
        [
            ("name", &self.names, |record| member(record, "eventName")),
            ("user", &self.users, users),
            ("repository", &self.repositories, |record| subjects(record).into_iter().map(str::to_owned).collect()),
            ("service", &self.services, services),
            ("IP address", &self.addresses, |record| member(record, "sourceIPAddress")),
            ("account", &self.accounts, |record| member(record, "recipientAccountId")),
            ("region", &self.regions, |record| member(record, "awsRegion")),
        ]
    }
}

/// The form of times in records.
const TIME_FORM: &str = "0000-00-00T00:00:00Z";

/// Tells whether a text is a time in the form of records, or the beginning of one that has at least the year.
pub fn is_time(text: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    (4..=TIME_FORM.len()).contains(&text.len()) && text.bytes().zip(TIME_FORM.bytes()).all(fits)
}

/// Returns a time that no time with a beginning is before: of `2016-12`, the first second of the month.
pub fn earliest(beginning: &str) -> Option<Timestamp> {
    let first = "0000-01-01T00:00:00Z";
    // Half of a number is left out.
    let ends = [
        first.len(),
        "0000-01-01T00:00".len(),
        "0000-01-01T00".len(),
        "0000-01-01".len(),
        "0000-01".len(),
        "0000".len(),
    ];
    let mut complete = ends.into_iter().filter(|end| beginning.len() >= *end);
    complete.find_map(|end| Timestamp::from_iso(&format!("{}{}", beginning.get(..end)?, &first[end..])))
}

fn member(record: &Value, name: &str) -> Vec<String> {
    record[name].as_str().map(str::to_owned).into_iter().collect()
}

/// Returns the name of the caller; for a session also the role and the name of the session.
fn users(record: &Value) -> Vec<String> {
    let name = caller_name(&record["userIdentity"]);
    let parts = name.split('/').map(str::to_owned);
    let mut names: Vec<_> = if name.contains('/') { parts.collect() } else { Vec::new() };
    names.push(name);
    names
}

fn services(record: &Value) -> Vec<String> {
    let mut names = member(record, "eventSource");
    names.extend(names.first().and_then(|name| name.strip_suffix(".amazonaws.com")).map(str::to_owned));
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_beginning_of_a_time_has_an_earliest_time() {
        for (beginning, time) in [
            ("2016", "2016-01-01T00:00:00Z"),
            ("2016-1", "2016-01-01T00:00:00Z"),
            ("2016-12", "2016-12-01T00:00:00Z"),
            ("2016-12-14T", "2016-12-14T00:00:00Z"),
            ("2016-12-14T18:1", "2016-12-14T18:00:00Z"),
            ("2016-12-14T18:19:15", "2016-12-14T18:19:00Z"),
            ("2016-12-14T18:19:15Z", "2016-12-14T18:19:15Z"),
        ] {
            assert!(is_time(beginning));
            assert_eq!(earliest(beginning).map(Timestamp::iso).as_deref(), Some(time), "{beginning}");
        }
        assert_eq!(earliest("9999-99-99T99:99:99Z"), Timestamp::from_iso("9999-01-01T00:00:00Z"));
        for text in ["", "201", "2016-12-14T18:19:15+01:00", "2016-12-14 18", "yesterday", "2016-12-14T18:19:15Z\n"] {
            assert!(!is_time(text), "{text:?}");
        }
    }

    #[test]
    fn an_empty_filter_is_recognized() {
        assert!(Filter::default().is_empty());
        let names = vec!["GitPush".to_owned()];
        for filter in [
            Filter { names, ..Filter::default() },
            Filter { failed: true, ..Filter::default() },
            Filter { writes: true, ..Filter::default() },
            Filter { since: Some("2016".to_owned()), ..Filter::default() },
            Filter { until: Some("2016".to_owned()), ..Filter::default() },
        ] {
            assert!(!filter.is_empty(), "{filter:?}");
        }
    }

    #[test]
    fn a_failed_sign_in_is_a_failure() {
        let filter = Filter { failed: true, ..Filter::default() };
        assert!(filter.admits(&json!({ "errorMessage": "Failed authentication" })));
        assert!(filter.admits(&json!({ "errorCode": "AccessDenied" })) && !filter.admits(&json!({})));
    }

    #[test]
    fn stars_match_any_characters() {
        for (pattern, text, does_match) in [
            ("Git*", "GitPush", true),
            ("*Push", "GitPush", true),
            ("G*P*h", "GitPush", true),
            ("*", "", true),
            ("GitPush", "GitPush", true),
            ("GitPush", "GitPushed", false),
            ("Git*", "NoGit", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), does_match, "{pattern} {text}");
        }
    }

    #[test]
    fn one_value_of_each_list_must_match() {
        let record = json!({
            "eventTime": "2016-12-14T18:19:15Z", "eventName": "GetBranch", "eventSource": "codecommit.amazonaws.com",
            "userIdentity": { "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Dev/alice" },
        });
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let admitted = |filter: Filter| filter.admits(&record);
        assert!(admitted(Filter { names: texts(&["GitPush", "Get*"]), users: texts(&["alice"]), ..Filter::default() }));
        assert!(admitted(Filter { users: texts(&["Dev/*"]), services: texts(&["codecommit"]), ..Filter::default() }));
        assert!(!admitted(Filter { names: texts(&["Get*"]), users: texts(&["bob"]), ..Filter::default() }));
        let since = |time: &str| Filter { since: Some(time.to_owned()), ..Filter::default() };
        let until = |time: &str| Filter { until: Some(time.to_owned()), ..Filter::default() };
        assert!(
            admitted(since("2016-12-14")) && admitted(since("2016-12-14T18:19:15Z")) && admitted(until("2016-12-14"))
        );
        assert!(!admitted(since("2016-12-15")) && !admitted(until("2016-12-14T18:19:14Z")));
        let filter = Filter { users: texts(&["Dev", "Mary"]), ..Filter::default() };
        let mut unseen = filter.values();
        filter.note_seen(&record, &mut unseen);
        assert_eq!(unseen, [("user", "Mary".to_owned())]);
    }
}

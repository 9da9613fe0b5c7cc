//! Filters of events.

use aws::pattern::matches;
use serde_json::Value;

use super::{caller_name, subjects};

/// Which events are shown. In lists any of the values will do, with `*` for any characters; an empty list admits all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Values of `eventName`, such as `GitPush`.
    pub names: Vec<String>,
    /// Names of callers; of a session `ROLE/SESSION`, or either of the two.
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
    /// The first time, as in records, or the beginning of one: `2016-12-14` is the whole day.
    pub since: Option<String>,
    /// The last time, as `since`.
    pub until: Option<String>,
    /// Whether only calls that failed are shown.
    pub failed: bool,
    /// Whether only calls that may change something are shown.
    pub writes: bool,
}

/// A list with the name of its property, and the values that a record has of it.
type List<'f> = (&'static str, &'f [String], fn(&Value) -> Vec<String>);

impl Filter {
    /// Tells whether a record is to be shown.
    pub fn admits(&self, record: &Value) -> bool {
        let time = record["eventTime"].as_str().unwrap_or_default();
        let prefix = |bound: &str| time.get(..bound.len()).unwrap_or(time).to_owned();
        self.lists().iter().all(|(_, wanted, found)| {
            wanted.is_empty() || found(record).iter().any(|found| wanted.iter().any(|wanted| matches(wanted, found)))
        }) && self.since.as_ref().is_none_or(|since| prefix(since) >= *since)
            && self.until.as_ref().is_none_or(|until| prefix(until) <= *until)
            && (!self.failed || record.get("errorCode").is_some())
            && (!self.writes || record["readOnly"] == false)
    }

    /// Takes from `unseen` what a record has. `unseen` begins as [`Filter::values`].
    pub fn note_seen(&self, record: &Value, unseen: &mut Vec<(&'static str, String)>) {
        let lists = self.lists();
        unseen.retain(|(property, value)| {
            let found = lists.iter().find(|(name, ..)| name == property).map(|(.., found)| found(record));
            !found.is_some_and(|found| found.iter().any(|found| matches(value, found)))
        });
    }

    /// Lists the values that are filtered by, each with the name of its property.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let lists = self.lists();
        lists.iter().flat_map(|(name, wanted, _)| wanted.iter().map(|value| (*name, value.clone()))).collect()
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

fn member(record: &Value, name: &str) -> Vec<String> {
    record[name].as_str().map(str::to_owned).into_iter().collect()
}

/// The name of the caller, and of a session the role and the session's name alone.
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
    fn stars_stand_for_any_characters() {
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
    fn any_value_of_a_list_will_do_and_all_lists_must() {
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

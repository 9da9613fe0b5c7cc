//! Filters: the events that a destination gets.

use aws::{Arn, Pattern};
use serde_json::Value;

use crate::settings::BusFilter;

impl BusFilter {
    /// Returns whether an event is for the destination.
    pub(super) fn matches(&self, event: &Value) -> bool {
        let is_listed = |patterns: &[Pattern], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|pattern| pattern.matches(text)))
        };
        let detail = &event["detail"];
        is_listed(&self.detail_types, event["detail-type"].as_str())
            && is_listed(&self.events, detail["event"].as_str().or(detail["eventName"].as_str()))
            && (self.repositories.is_empty()
                || repositories(event).iter().any(|name| is_listed(&self.repositories, Some(name))))
    }
}

/// Returns the names of the repositories that an event concerns.
///
/// Events of changes have them in `resources`, those of calls in the record's `resources` or its parameters.
fn repositories(event: &Value) -> Vec<String> {
    let arns = event["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let of_record = event["detail"]["resources"].as_array().into_iter().flatten();
    let of_record = of_record.filter_map(|resource| resource["ARN"].as_str());
    let named = arns.chain(of_record).filter_map(Arn::parse).filter(|arn| arn.service == "codecommit");
    let parameter = event["detail"]["requestParameters"]["repositoryName"].as_str().map(str::to_owned);
    named.map(|arn| arn.resource).chain(parameter).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(detail_types: &[&str], events: &[&str], repositories: &[&str]) -> BusFilter {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text)).collect();
        BusFilter {
            detail_types: patterns(detail_types),
            events: patterns(events),
            repositories: patterns(repositories),
        }
    }

    #[test]
    fn an_event_must_match_every_list() {
        let event = json!({
            "detail-type": "CodeCommit Repository State Change",
            "resources": ["arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"],
            "detail": { "event": "referenceCreated" },
        });
        for (detail_types, events, repositories, expected) in [
            (&[][..], &[][..], &[][..], true),
            (&["* State Change"], &["reference*"], &["Other", "My*"], true),
            (&["CodeCommit Comment*"], &[], &[], false),
            (&[], &["referenceDeleted"], &[], false),
            (&[], &[], &["Demo*"], false),
        ] {
            assert_eq!(
                filter(detail_types, events, repositories).matches(&event),
                expected,
                "{events:?} {repositories:?}"
            );
        }
    }

    #[test]
    fn a_call_has_its_name_and_the_repository_of_its_record() {
        let arn = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
        for detail in [
            json!({ "eventName": "GitPush", "resources": [{ "ARN": arn }] }),
            json!({ "eventName": "GitPush", "requestParameters": { "repositoryName": "MyDemoRepo" } }),
        ] {
            let event = json!({ "detail-type": "AWS API Call via CloudTrail", "resources": [], "detail": detail });
            assert!(filter(&[], &["Git*"], &["MyDemoRepo"]).matches(&event), "{event}");
            assert!(!filter(&[], &["Git*"], &["MyOtherRepo"]).matches(&event), "{event}");
        }
        assert!(!filter(&[], &[], &["*"]).matches(&json!({ "resources": [], "detail": {} })));
    }
}

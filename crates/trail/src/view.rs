//! Display of events: lines, CSV, filters and counts.

mod caller;
mod filter;

use aws::arn::ArnParts;
use serde_json::Value;

pub use caller::{caller_name, name_of};
pub use filter::{Filter, earliest, is_time};

use crate::terminal::printable;

/// Writes an event as a line: time, caller, account, region, name, resources, and error.
pub fn line(record: &Value, color: bool) -> String {
    let paint = |code: &str, text: &str| if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let name = format!("{:<24}", text(&record["eventName"]));
    let mut parts = vec![
        paint("2", &text(&record["eventTime"])),
        format!("{:<16}", printable(&caller_name(&record["userIdentity"]))),
        format!("{} {}", text(&record["recipientAccountId"]), text(&record["awsRegion"])),
        format!("{} {}", paint(if record["readOnly"] == true { "36" } else { "33" }, &name), subject_names(record)),
    ];
    let error = ["errorCode", "errorMessage"].map(|member| record[member].as_str().map(printable));
    if error.iter().any(Option::is_some) {
        parts.push(paint("31", &error.into_iter().flatten().collect::<Vec<_>>().join(": ")));
    }
    if record["additionalEventData"]["dataTransferred"] == true {
        parts.push(paint("2", "data"));
    }
    for reference in record["requestParameters"]["references"].as_array().into_iter().flatten() {
        let commit: String = text(&reference["commit"]).chars().take(10).collect();
        parts.push(format!("{} {}", text(&reference["ref"]), paint("2", &commit)));
    }
    parts.join("  ")
}

/// The columns of [`csv`].
pub const CSV_HEADER: &str = "time,user,account,region,service,name,resource,read_only,error_code,error_message,source_ip,\
                              user_agent,references,event_id";

/// Writes an event as a line of CSV, without control characters.
pub fn csv(record: &Value) -> String {
    let references = record["requestParameters"]["references"].as_array().into_iter().flatten();
    let references: Vec<_> = references.filter_map(|reference| reference["ref"].as_str()).collect();
    let member = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let columns = [
        member("eventTime"),
        caller_name(&record["userIdentity"]),
        member("recipientAccountId"),
        member("awsRegion"),
        member("eventSource"),
        member("eventName"),
        subjects(record).join(" "),
        record["readOnly"].as_bool().map(|value| value.to_string()).unwrap_or_default(),
        member("errorCode"),
        member("errorMessage"),
        member("sourceIPAddress"),
        member("userAgent"),
        references.join(" "),
        member("eventID"),
    ];
    columns.map(|text| csv_field(&printable(&text))).join(",")
}

/// Quotes a field of CSV if necessary.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A property by which events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountBy {
    /// The caller.
    User,
    /// The event's name.
    Name,
    /// The repository or other resource.
    Repository,
    /// The hour, in UTC.
    Hour,
}

impl CountBy {
    /// Returns the values by which an event is counted: several if it concerns several resources.
    pub fn keys(self, record: &Value) -> Vec<String> {
        let time = record["eventTime"].as_str().unwrap_or_default();
        match self {
            Self::User => vec![caller_name(&record["userIdentity"])],
            Self::Name => vec![record["eventName"].as_str().unwrap_or_default().to_owned()],
            Self::Repository => subjects(record).into_iter().map(str::to_owned).collect(),
            // 2016-12-14T18
            Self::Hour => vec![format!("{}:00Z", time.get(..13).unwrap_or(time))],
        }
    }
}

/// Returns a text of a record for a terminal; `-` if it is missing.
fn text(value: &Value) -> String {
    clean(value.as_str())
}

fn clean(text: Option<&str>) -> String {
    printable(text.unwrap_or("-"))
}

/// Maximum number of resources in a line.
const SHOWN_SUBJECTS: usize = 3;

/// The members of `requestParameters` with lists of resources, the most exact first.
const LISTS: [&str; 4] = ["resourceARNList", "repositoryNames", "resourceIdList", "resourceTypeFilters"];

/// Writes the names of the resources of an event, the first few if there are many.
fn subject_names(record: &Value) -> String {
    let subjects = subjects(record);
    let shown: Vec<String> = subjects.iter().take(SHOWN_SUBJECTS).map(|name| printable(name)).collect();
    match subjects.len() - shown.len() {
        0 if shown.is_empty() => "-".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns the names of the repositories or other resources of an event.
fn subjects(record: &Value) -> Vec<&str> {
    let parameters = &record["requestParameters"];
    let one = record["additionalEventData"]["repositoryName"]
        .as_str()
        .or_else(|| parameters["repositoryName"].as_str())
        .or_else(|| parameters["oldName"].as_str());
    if let Some(one) = one {
        return vec![one];
    }
    let mut lists = LISTS.iter().filter_map(|member| parameters[*member].as_array());
    if let Some(list) = lists.find(|list| !list.is_empty()) {
        return list.iter().filter_map(Value::as_str).map(resource_name).collect();
    }
    record["resources"][0]["ARN"].as_str().map(resource_name).into_iter().collect()
}

/// Returns the last part of an ARN: the name of a repository, or the type and name of another resource.
fn resource_name(arn: &str) -> &str {
    ArnParts::split(arn).map_or(arn, |parts| parts.resource.rsplit(':').next().unwrap_or(parts.resource))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CountBy, Filter, csv, line};

    #[test]
    fn a_push_is_one_line_with_its_references() {
        let record = json!({
            "userIdentity": {"userName": "Mary_Major"}, "eventTime": "2016-12-14T18:19:15Z", "eventName": "GitPush",
            "awsRegion": "us-east-2", "recipientAccountId": "111122223333", "readOnly": false,
            "requestParameters": {"references": [{"commit": "0123456789abcdef", "ref": "refs/heads/main"}]},
            "additionalEventData": {"dataTransferred": true, "repositoryName": "MyDemoRepo"},
        });
        assert_eq!(
            line(&record, false),
            "2016-12-14T18:19:15Z  Mary_Major        111122223333 us-east-2  GitPush                  MyDemoRepo  \
             data  refs/heads/main 0123456789"
        );
        let by_repository = |name: &str| Filter { repositories: vec![name.to_owned()], ..Filter::default() };
        assert!(by_repository("MyDemoRepo").admits(&record));
        assert!(by_repository("*Demo*").admits(&record));
        assert!(!by_repository("Other").admits(&record));
        assert!(!Filter { failed: true, ..Filter::default() }.admits(&record));
        assert_eq!(
            csv(&record),
            "2016-12-14T18:19:15Z,Mary_Major,111122223333,us-east-2,,GitPush,MyDemoRepo,false,,,,,refs/heads/main,"
        );
        assert_eq!(CountBy::Hour.keys(&record), ["2016-12-14T18:00Z"]);
    }

    #[test]
    fn a_line_names_several_resources() {
        let record = |parameters: serde_json::Value| json!({ "eventName": "Call", "requestParameters": parameters });
        let repository = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
        let trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail";
        for (parameters, shown) in [
            (json!({ "resourceARNList": [repository, trail], "tags": {} }), "MyDemoRepo, trail/MyTrail"),
            (json!({ "resourceIdList": [trail] }), "trail/MyTrail"),
            (json!({ "repositoryNames": ["a", "b", "c", "d", "e"] }), "a, b, c and 2 more"),
            (
                json!({ "resourceARNList": [], "resourceTypeFilters": ["codecommit:repository"] }),
                "codecommit:repository",
            ),
            (json!({ "tagFilters": [] }), "-"),
        ] {
            let line = line(&record(parameters), false);
            assert!(line.ends_with(&format!(" {shown}")), "{line}");
        }
        let tagged = record(json!({ "resourceARNList": [trail, repository] }));
        assert!(Filter { repositories: vec!["MyDemoRepo".to_owned()], ..Filter::default() }.admits(&tagged));
        assert!(!Filter { repositories: vec!["Other".to_owned()], ..Filter::default() }.admits(&tagged));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let name = "a\u{1b}[2J\n\u{202e}\u{9b}";
        let record = json!({
            "eventName": name, "eventTime": name, "awsRegion": name, "recipientAccountId": name, "errorCode": name,
            "errorMessage": name, "userIdentity": {"userName": name}, "resources": [{"ARN": name}],
            "requestParameters": {"references": [{"commit": name, "ref": name}]},
        });
        for line in [line(&record, false), csv(&record)] {
            assert_eq!(line, crate::terminal::printable(&line));
        }
    }
}

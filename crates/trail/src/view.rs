//! The trail for a person: a line an event, and which events to show.

use serde_json::Value;

use crate::terminal::printable;

/// Which events are shown; what is `None` is not asked about.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `eventName`, such as `GitPush`.
    pub name: Option<String>,
    /// The name of the user.
    pub user: Option<String>,
    /// The name of the repository.
    pub repository: Option<String>,
    /// `recipientAccountId`.
    pub account: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// Whether only calls that failed are shown.
    pub failed: bool,
    /// Whether only calls that may change something are shown.
    pub writes: bool,
}

impl Filter {
    /// Tells whether a record is to be shown.
    pub fn admits(&self, record: &Value) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        is(&self.name, record["eventName"].as_str())
            && is(&self.user, record["userIdentity"]["userName"].as_str())
            && self.repository.as_deref().is_none_or(|wanted| subjects(record).contains(&wanted))
            && is(&self.account, record["recipientAccountId"].as_str())
            && is(&self.region, record["awsRegion"].as_str())
            && (!self.failed || record.get("errorCode").is_some())
            && (!self.writes || record["readOnly"] == false)
    }
}

/// Writes an event as a line: time, user, place, event, what it is about, and what came of it.
pub fn line(record: &Value, color: bool) -> String {
    let paint = |code: &str, text: &str| if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let name = format!("{:<24}", text(&record["eventName"]));
    let mut parts = vec![
        paint("2", &text(&record["eventTime"])),
        format!("{:<16}", text(&record["userIdentity"]["userName"])),
        format!("{} {}", text(&record["recipientAccountId"]), text(&record["awsRegion"])),
        format!("{} {}", paint(if record["readOnly"] == true { "36" } else { "33" }, &name), about(record)),
    ];
    if let Some(code) = record["errorCode"].as_str() {
        let message = record["errorMessage"].as_str().map(|message| format!(": {}", clean(Some(message))));
        parts.push(paint("31", &(clean(Some(code)) + &message.unwrap_or_default())));
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

fn text(value: &Value) -> String {
    clean(value.as_str())
}

fn clean(text: Option<&str>) -> String {
    printable(text.unwrap_or("-"))
}

/// How many names of what an event is about a line shows.
const SHOWN_SUBJECTS: usize = 3;

/// The members of `requestParameters` that list what a call is about, the most exact first.
const LISTS: [&str; 4] = ["resourceARNList", "repositoryNames", "resourceIdList", "resourceTypeFilters"];

/// Writes the names of what an event is about, the first few if there are many.
fn about(record: &Value) -> String {
    let subjects = subjects(record);
    let shown: Vec<String> = subjects.iter().take(SHOWN_SUBJECTS).map(|name| printable(name)).collect();
    match subjects.len() - shown.len() {
        0 if shown.is_empty() => "-".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns the names of the repositories or other resources that an event is about.
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

/// Returns the last part of an ARN, which is the name of a repository or the type and name of another resource.
fn resource_name(arn: &str) -> &str {
    match arn.strip_prefix("arn:") {
        Some(rest) => rest.rsplit(':').next().unwrap_or(rest),
        None => arn,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Filter, line};

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
        let by_repository = |name: &str| Filter { repository: Some(name.to_owned()), ..Filter::default() };
        assert!(by_repository("MyDemoRepo").admits(&record));
        assert!(!by_repository("Other").admits(&record));
        assert!(!Filter { failed: true, ..Filter::default() }.admits(&record));
    }

    #[test]
    fn a_call_about_several_resources_names_them() {
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
        assert!(Filter { repository: Some("MyDemoRepo".to_owned()), ..Filter::default() }.admits(&tagged));
        assert!(!Filter { repository: Some("Other".to_owned()), ..Filter::default() }.admits(&tagged));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let name = "a\u{1b}[2J\n\u{202e}\u{9b}";
        let record = json!({
            "eventName": name, "eventTime": name, "awsRegion": name, "recipientAccountId": name, "errorCode": name,
            "errorMessage": name, "userIdentity": {"userName": name}, "resources": [{"ARN": name}],
            "requestParameters": {"references": [{"commit": name, "ref": name}]},
        });
        let line = line(&record, false);
        assert_eq!(line, crate::terminal::printable(&line));
    }
}

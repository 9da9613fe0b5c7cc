//! The records of a trail, for tests.

use std::ops::Deref;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use serde_json::Value;

/// Time between two looks at a trail.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Records in the order of `events.ndjson`.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let records = codecommit_local::Records::read("codecommit-data/trail")?;
/// let pushes = records.name("GitPush").user("Li_Juan");
/// println!("{} pushes, the first to {}", pushes.len(), pushes[0]["additionalEventData"]["repositoryName"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records(Vec<Value>);

impl Records {
    /// Reads the records of a trail folder; without the file there are none.
    ///
    /// A line that is being written is left out.
    pub fn read(trail_folder: impl AsRef<Path>) -> io::Result<Self> {
        let path = trail_folder.as_ref().join("events.ndjson");
        let failed =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot read '{}': {error}", path.display()));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let complete = &text[..text.rfind('\n').map_or(0, |newline| newline + 1)];
        let records: Result<_, _> = complete.lines().map(serde_json::from_str).collect();
        Ok(Self(records.map_err(|error| failed(error.into()))?))
    }

    /// Keeps the records of an event, such as `CreateRepository` or `GitPush`.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.filter(|record| record["eventName"] == name)
    }

    /// Keeps the records of a caller, named as by `codecommit-local events`: `Li_Juan`, `ROLE/SESSION`, `root`.
    #[must_use]
    pub fn user(self, name: &str) -> Self {
        self.filter(|record| caller_name(&record["userIdentity"]) == name)
    }

    /// Returns the first record of an event.
    pub(crate) fn first_of(&self, name: &str) -> Option<&Value> {
        self.iter().find(|record| record["eventName"] == name)
    }

    /// Describes that an event was not recorded in a time.
    pub(crate) fn without(&self, name: &str, timeout: Duration) -> String {
        let names: Vec<_> = self.iter().filter_map(|record| record["eventName"].as_str()).collect();
        format!("no {name} was recorded in {timeout:?}; recorded are: {}", names.join(", "))
    }

    fn filter(self, keeps: impl Fn(&Value) -> bool) -> Self {
        Self(self.0.into_iter().filter(keeps).collect())
    }
}

impl Deref for Records {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl IntoIterator for Records {
    type Item = Value;
    type IntoIter = std::vec::IntoIter<Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'r> IntoIterator for &'r Records {
    type Item = &'r Value;
    type IntoIter = std::slice::Iter<'r, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Returns the name of a caller as `trail` does, which this module cannot use without the feature `server`.
fn caller_name(identity: &Value) -> String {
    let text = |name: &str| identity[name].as_str().map(str::to_owned);
    let name = match identity["type"].as_str().unwrap_or_default() {
        // arn:aws:sts::111122223333:assumed-role/ROLE/SESSION
        "AssumedRole" | "FederatedUser" => identity["arn"]
            .as_str()
            .and_then(|arn| Some(arn.split_once('/')?.1.to_owned()))
            .or_else(|| text("principalId")),
        "Root" => Some(text("userName").map_or_else(|| "root".to_owned(), |alias| format!("root of {alias}"))),
        "AWSService" => text("invokedBy"),
        "AWSAccount" => text("accountId").map(|account| format!("account {account}")),
        "IdentityCenterUser" => identity["onBehalfOf"]["userId"].as_str().map(str::to_owned),
        _ => text("userName").or_else(|| text("principalId")),
    };
    name.unwrap_or_else(|| "-".to_owned())
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn callers_have_the_names_that_the_viewer_prints() {
        let kinds =
            ["IAMUser", "Root", "AssumedRole", "FederatedUser", "AWSService", "AWSAccount", "IdentityCenterUser", ""];
        for kind in kinds {
            for identity in [
                json!({ "type": kind }),
                json!({ "type": kind, "userName": "Li_Juan", "principalId": "AIDA", "accountId": "111122223333" }),
                json!({ "type": kind, "arn": "arn:aws:sts::111122223333:assumed-role/Dev/alice", "principalId": "AIDA" }),
                json!({ "type": kind, "invokedBy": "codepipeline.amazonaws.com", "onBehalfOf": { "userId": "1234" } }),
            ] {
                assert_eq!(caller_name(&identity), trail::view::caller_name(&identity), "{identity}");
            }
        }
    }

    #[test]
    fn complete_lines_are_read_and_filtered() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        assert_eq!(Records::read(folder.path()).expect("no file is no error").len(), 0);
        let line = |name: &str, user: &str| {
            format!("{}\n", json!({ "eventName": name, "userIdentity": { "type": "IAMUser", "userName": user } }))
        };
        let lines = [line("GitPush", "Li_Juan"), line("GitPush", "Mary_Major"), line("GitPull", "Li_Juan")].concat();
        let file = folder.path().join("events.ndjson");
        fs::write(&file, format!("{lines}{{\"eventName\"")).expect("the folder is writable");
        let records = Records::read(folder.path()).expect("the lines are records");
        assert_eq!(records.len(), 3);
        assert_eq!(records.clone().name("GitPush").len(), 2);
        assert_eq!(records.clone().name("GitPush").user("Li_Juan").len(), 1);
        assert_eq!(records.user("nobody").len(), 0);
        fs::write(&file, "{\n").expect("the folder is writable");
        let error = Records::read(folder.path()).expect_err("the line is not a record").to_string();
        assert!(error.contains("events.ndjson"), "{error}");
    }
}

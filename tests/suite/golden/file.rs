//! Golden files: the cases of one operation, and the setups that all files share.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};
use tests::workspace;

use super::layout::layout;

/// The file of events, whose cases have another form.
pub const EVENTS: &str = "EventBridge";

/// A request, its setup and the expected reply.
#[derive(Clone)]
pub struct Case {
    pub operation: String,
    pub name: String,
    /// The source of the expected reply.
    pub source: String,
    /// The steps before the request; names of setups are replaced by their steps.
    pub setup: Vec<Value>,
    /// Settings of the server at the time of the request, as in a configuration file; `null` for the defaults.
    pub settings: Value,
    pub request: Value,
    pub reply: Value,
}

impl Case {
    /// Returns the name in reports of failures: `OPERATION/CASE`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.operation, self.name)
    }
}

/// Reads the cases of all files, by operation and in the order of the file.
///
/// # Panics
///
/// Panics if a file violates this format, or the layout of [`layout`].
pub fn cases() -> Vec<Case> {
    let setups = setups();
    let mut used = HashSet::new();
    let mut cases = Vec::new();
    for operation in operations() {
        for (name, case) in read(&operation) {
            let title = format!("{operation}/{name}");
            let unknown = case
                .as_object()
                .expect("a case is an object")
                .keys()
                .find(|key| !["source", "setup", "settings", "request", "reply"].contains(&key.as_str()));
            assert!(unknown.is_none(), "{title} has {unknown:?}, which no case has");
            let mut setup = Vec::new();
            add_steps(&case["setup"], &setups, &mut setup, &mut used);
            let mut request = case["request"].clone();
            if request["target"].is_null() && request["operation"].is_null() {
                request["operation"] = operation.clone().into();
            }
            let source = case["source"].as_str().unwrap_or_default().to_owned();
            let (settings, reply) = (case["settings"].clone(), case["reply"].clone());
            cases.push(Case { operation: operation.clone(), name, source, setup, settings, request, reply });
        }
    }
    let unused: Vec<_> = setups.keys().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "no case begins with these setups: {unused:?}");
    cases
}

/// Replaces the replies of cases in the files of their operations.
pub fn write_replies(cases: &[Case]) {
    let written: HashSet<_> = cases.iter().map(|case| case.operation.as_str()).collect();
    for operation in written {
        let mut file = read(operation);
        for case in cases.iter().filter(|case| case.operation == operation) {
            file[&case.name]["reply"] = case.reply.clone();
        }
        write(operation, &file);
    }
}

/// Returns the operations that have a file.
fn operations() -> Vec<String> {
    let files = fs::read_dir(workspace().join("tests/golden")).expect("the folder is there");
    let names = files.map(|file| file.expect("the folder can be listed").path().with_extension(""));
    let names = names
        .map(|path| path.file_name().expect("the value is present").to_str().expect("the path is UTF-8").to_owned());
    let mut names: Vec<_> = names.filter(|name| !["setups", EVENTS].contains(&name.as_str())).collect();
    names.sort();
    names
}

/// Reads the setups that all files share.
pub fn setups() -> Map<String, Value> {
    read("setups")
}

/// Replaces a file.
pub fn write(name: &str, file: &Map<String, Value>) {
    fs::write(path(name), layout(file)).expect("the folder is writable");
}

/// Adds the steps of a setup: a name of a setup, or a list of names and steps.
pub fn add_steps(setup: &Value, setups: &Map<String, Value>, steps: &mut Vec<Value>, used: &mut HashSet<String>) {
    match setup {
        Value::Null => {}
        Value::String(name) => {
            used.insert(name.clone());
            let named = setups.get(name).unwrap_or_else(|| panic!("setups.json has no {name}"));
            add_steps(named, setups, steps, used);
        }
        Value::Array(parts) => parts.iter().for_each(|part| add_steps(part, setups, steps, used)),
        step => steps.push(step.clone()),
    }
}

/// Reads a file.
pub fn read(name: &str) -> Map<String, Value> {
    let path = path(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Map<String, Value> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let wanted = layout(&file);
    if text != wanted && std::env::var_os("GOLDENS").is_some_and(|mode| mode == "write") {
        fs::write(&path, &wanted).expect("the folder is writable");
    } else {
        assert!(text == wanted, "{} is laid out in another way; GOLDENS=write lays it out", path.display());
    }
    file
}

fn path(name: &str) -> PathBuf {
    workspace().join("tests/golden").join(name).with_extension("json")
}

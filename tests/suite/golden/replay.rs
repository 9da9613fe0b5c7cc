//! Replay of one case: its setup, its request, and the comparison of reply and record.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use codecommit_local::Options;
use serde_json::{Map, Value, json};
use server::Settings;
use tests::{Reply, World, model, wait_until};

use super::enforced;
use super::file::Case;
use crate::history::History;
use crate::trail;

/// A case with another reply or record than expected.
pub struct Failure<'c> {
    pub case: &'c Case,
    what: String,
    /// The actual reply, if the reply differs.
    pub reply: Option<Value>,
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (source: {}): {}", self.case.title(), self.case.source, self.what)
    }
}

/// Replays cases with the same setup and settings on one server.
pub fn replay<'c>(cases: &[&'c Case], policies: bool) -> Vec<Failure<'c>> {
    let first = cases[0];
    // Delivery of log files would take ids, so it does not run during the replay.
    let mut world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    let mut history = History::new(&world);
    for step in &first.setup {
        prepare(&world, &mut history, step);
    }
    apply_settings(&mut world, &first.settings);
    let endpoint = world.endpoint();
    if policies {
        enforced::enforce(&mut world, cases);
    }
    let replies = cases.iter().enumerate().map(|(index, case)| {
        let reply = if policies { enforced::send(&world, index, case) } else { send(&world, &case.request) };
        // Records of the setup name the address that the server had then.
        let text = [&endpoint, &world.endpoint()]
            .iter()
            .fold(reply.text(), |text, url| text.replace(*url, "http://127.0.0.1:4599"));
        compare(case, &Reply { body: text.into_bytes(), ..reply }, &world)
    });
    replies.filter_map(Result::err).collect()
}

/// Restarts a server with the settings of a case, as in a configuration file; `null` leaves it as it is.
pub fn apply_settings(world: &mut World, settings: &Value) {
    if settings.is_null() {
        return;
    }
    let options: Options = serde_json::from_value(settings.clone()).expect("the settings are valid");
    let options = options.settings().expect("the settings are valid");
    world.restart_with(|settings| {
        // The harness sets the address, the folders and the database.
        let Settings { listen, data_dir, trail_dir, log_interval, signing_key, database, .. } = settings.clone();
        *settings = Settings { listen, data_dir, trail_dir, log_interval, signing_key, database, ..options };
    });
}

fn compare<'c>(case: &'c Case, reply: &Reply, world: &World) -> Result<(), Failure<'c>> {
    compare_reply(case, reply, &reply.text())?;
    compare_record(case, reply, world)
}

fn compare_reply<'c>(case: &'c Case, reply: &Reply, text: &str) -> Result<(), Failure<'c>> {
    let expected = &case.reply;
    let failure = |what: &str| {
        let mut got = expected.clone();
        got["status"] = reply.status.into();
        got["body"] = reply.json();
        let what = format!("{what}\nexpected {expected}\ngot      {} {text}", reply.status);
        Err(Failure { case, what, reply: Some(got) })
    };
    if reply.status != expected["status"] || reply.json() != expected["body"] {
        return failure("another reply");
    }
    let headers = expected["headers"].as_object().cloned().unwrap_or_else(usual_headers);
    if let Some((name, _)) = headers.iter().find(|(name, value)| reply.header(name) != value.as_str()) {
        return failure(&format!("another {name}"));
    }
    let exact = if expected["body"].is_null() { String::new() } else { expected["body"].to_string() };
    if reply.status != 200 && text != exact {
        return failure("other bytes");
    }
    Ok(())
}

fn compare_record<'c>(case: &'c Case, reply: &Reply, world: &World) -> Result<(), Failure<'c>> {
    let request = &case.request;
    let (Some(operation), Value::Object(_)) = (request["operation"].as_str(), &request["body"]) else { return Ok(()) };
    let record = world.last_event();
    let mut input = expand(&request["body"]);
    for unknown in request["unknown"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        input.as_object_mut().expect("the value is an object").remove(unknown).expect("the member is in the input");
    }
    let (recorded, expected) = (trail::derived_members(&record), trail::expected_members(operation, &input, reply));
    let (recorded, expected) = (recorded.to_string(), expected.to_string());
    if recorded == expected {
        return Ok(());
    }
    let what = format!("another record\nexpected {expected}\ngot      {recorded}");
    Err(Failure { case, what, reply: None })
}

fn usual_headers() -> Map<String, Value> {
    [("content-type".to_owned(), json!("application/x-amz-json-1.1"))].into_iter().collect()
}

/// Runs a step of the setup of a golden. A step is a call: once, `times` times with its number in place of `{number}`, or `until`
/// its reply has a value that background work brings about. Or it is, in a folder that starts with the example commit, a commit
/// of files, a Git command (`REPOSITORY` stands for the URL of the repository), or a push of HEAD to a branch.
pub fn prepare(world: &World, history: &mut History<'_>, step: &Value) {
    if let Some(operation) = step["operation"].as_str() {
        if let Some(wanted) = step["until"].as_object() {
            return wait_until(&step.to_string(), || {
                let reply = world.call_as(operation, &expand(&step["input"]), &headers(step)).json();
                wanted.iter().all(|(name, value)| reply[name] == *value)
            });
        }
        for number in 0..step["times"].as_u64().unwrap_or(1) {
            let step = step.to_string().replace("{number}", &number.to_string());
            let step: Value = serde_json::from_str(&step).expect("a number breaks nothing");
            let reply = world.call_as(operation, &expand(&step["input"]), &headers(&step));
            assert_eq!(reply.status, 200, "{step}: {}", reply.text());
        }
        return;
    }
    if let Some(branch) = step["push"].as_str() {
        history.push(&world.repository_url(step["repository"].as_str().unwrap_or("MyDemoRepo")), branch);
    } else if let Some(words) = step["git"].as_array().filter(|words| words.iter().any(|word| word == "REPOSITORY")) {
        let url = world.repository_url("MyDemoRepo");
        let words = words.iter().map(|word| word.as_str().expect("the member is a string"));
        let words: Vec<&str> = words.map(|word| if word == "REPOSITORY" { url.as_str() } else { word }).collect();
        history.run(&words);
    } else {
        history.note(step);
    }
}

/// Expands abbreviations of long values: `{"letters": N}` is a text of N letters, `{"content": N}` the content of a file of N
/// letters.
pub fn expand(value: &Value) -> Value {
    match value {
        Value::Object(object) => match (object.len(), value["letters"].as_u64(), value["content"].as_u64()) {
            (1, Some(count), _) => letters(count).into(),
            (1, _, Some(count)) => STANDARD.encode(letters(count)).into(),
            _ => object.iter().map(|(name, value)| (name.clone(), expand(value))).collect(),
        },
        Value::Array(items) => items.iter().map(expand).collect(),
        other => other.clone(),
    }
}

/// Returns a text of a number of letters.
pub fn letters(count: u64) -> String {
    "x".repeat(usize::try_from(count).expect("the count fits into memory"))
}

fn send(world: &World, request: &Value) -> Reply {
    let target = request["operation"].as_str().map(model::target);
    let target = target.as_deref().or(request["target"].as_str()).expect("a request names its operation or target");
    let mut sent = vec![("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    sent.extend(headers(request));
    let body = request["body"].as_str().map_or_else(|| expand(&request["body"]).to_string(), str::to_owned);
    world.send("POST", "/", &sent, body.as_bytes())
}

/// Returns the additional headers of a call.
pub fn headers(call: &Value) -> Vec<(&str, &str)> {
    let headers = call["headers"].as_object().into_iter().flatten();
    headers.map(|(name, value)| (name.as_str(), value.as_str().expect("a header is text"))).collect()
}

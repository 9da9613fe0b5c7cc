//! Goldens of events: `tests/golden/EventBridge.json` has a change after a setup, and the events that it emits, compared byte for
//! byte with the lines of `eventbridge.ndjson`.
//!
//! The source tells from where the members and texts are known; their values are those of the setup. With `GOLDENS=write` in the
//! environment, all events are written where they differ, and the difference of the file is to be read.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tests::{World, wait_until};

use super::{file, is_known_source, replay};
use crate::history::History;

/// Every event of the guide, by its detail type.
const EVENTS: [(&str, &[&str]); 6] = [
    (
        "CodeCommit Repository State Change",
        &["referenceCreated", "referenceDeleted", "referenceUpdated", "unreferencedMergeCommitCreated"],
    ),
    ("CodeCommit Comment on Commit", &["commentOnCommitCreated", "commentOnCommitUpdated"]),
    ("CodeCommit Comment on Pull Request", &["commentOnPullRequestCreated", "commentOnPullRequestUpdated"]),
    ("CodeCommit Comment Reaction Change", &["commentReactionCreated", "commentReactionUpdated"]),
    (
        "CodeCommit Pull Request State Change",
        &[
            "pullRequestApprovalRuleCreated",
            "pullRequestApprovalRuleDeleted",
            "pullRequestApprovalRuleOverridden",
            "pullRequestApprovalRuleUpdated",
            "pullRequestApprovalStateChanged",
            "pullRequestCreated",
            "pullRequestMergeStatusUpdated",
            "pullRequestSourceBranchUpdated",
            "pullRequestStatusChanged",
        ],
    ),
    (
        "CodeCommit Approval Rule Template Change",
        &[
            "approvalRuleTemplateAssociatedWithRepository",
            "approvalRuleTemplateCreated",
            "approvalRuleTemplateDeleted",
            "approvalRuleTemplateDisassociatedFromRepository",
            "approvalRuleTemplateUpdated",
            "batchAssociateApprovalRuleTemplateWithRepositories",
            "batchDisassociateApprovalRuleTemplateFromRepositories",
        ],
    ),
];

#[test]
fn every_change_emits_its_events() {
    let mut cases = file::read(file::EVENTS);
    let setups = file::setups();
    let next = AtomicUsize::new(0);
    let all: Vec<_> = cases.iter().collect();
    let replay_some = || {
        let mut emitted = Vec::new();
        while let Some((name, case)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            emitted.push(((*name).clone(), Value::Array(emit(case, &setups))));
        }
        emitted
    };
    let emitted: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(replay_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a case is well formed")).collect()
    });
    // Values are equal in any order of their members, and texts only in the same one.
    let is_different = |(name, events): &(String, Value)| {
        let texts = [&cases[name]["events"], events].map(Value::to_string);
        texts[0] != texts[1]
    };
    let different: Vec<_> = emitted.into_iter().filter(is_different).collect();
    if std::env::var_os("GOLDENS").is_some_and(|mode| mode == "write") {
        for (name, events) in different {
            cases[&name]["events"] = events;
        }
        return file::write(file::EVENTS, &cases);
    }
    let different: Vec<_> = different
        .into_iter()
        .map(|(name, events)| format!("{name}\nexpected {}\ngot      {events}", cases[&name]["events"]))
        .collect();
    assert!(different.is_empty(), "{} of {} cases\n\n{}", different.len(), cases.len(), different.join("\n\n"));
}

#[test]
fn every_event_of_the_guide_has_a_case_that_is_named_after_it() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, case) in file::read(file::EVENTS) {
        for event in case["events"].as_array().expect("a case has events") {
            let detail_type = event["detail-type"].as_str().expect("an event has a type");
            if let Some(event) = event["detail"]["event"].as_str() {
                found.entry(detail_type.to_owned()).or_default().insert(event.to_owned());
            }
        }
        let of_name = name.split('-').next().expect("a text has a first part").to_owned();
        let names = EVENTS.iter().flat_map(|(_, events)| *events);
        let is_event = names.into_iter().any(|event| *event == of_name);
        let has_it = case["events"].to_string().contains(&format!("\"event\":\"{of_name}\""));
        assert_eq!(is_event, has_it, "{name} has the event that it is named after");
        let source = case["source"].as_str().unwrap_or_default();
        assert!(is_known_source(source), "{name} has the source {source:?}");
    }
    let expected = EVENTS.map(|(detail_type, events)| {
        (detail_type.to_owned(), events.iter().map(|event| (*event).to_owned()).collect())
    });
    assert_eq!(found, BTreeMap::from(expected));
}

/// Prepares a server, makes the change of a case, and returns the events that it emitted.
fn emit(case: &Value, setups: &Map<String, Value>) -> Vec<Value> {
    // Delivery of log files would take ids, so it does not run during the replay.
    let mut world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    replay::apply_settings(&mut world, &case["settings"]);
    let mut steps = Vec::new();
    file::add_steps(&case["setup"], setups, &mut steps, &mut HashSet::new());
    let mut history = History::new(&world);
    for step in &steps {
        replay::prepare(&world, &mut history, step);
    }
    let path = world.folder().join("data/eventbridge.ndjson");
    let lines = || -> Vec<String> {
        let text = std::fs::read_to_string(&path).expect("the file of events exists");
        text.lines().map(str::to_owned).collect()
    };
    let follows_calls = !case["settings"].is_null();
    // Calls become events after their reply.
    let count = if follows_calls { world.events().len() } else { lines().len() };
    wait_until("the calls of the setup are events", || lines().len() >= count);
    let change = &case["change"];
    if follows_calls {
        // A refused call is an event, too.
        let operation = change["operation"].as_str().expect("the change is a call");
        world.call_as(operation, &change["input"], &replay::headers(change));
        wait_until("the call is an event", || lines().len() > count);
    } else {
        replay::prepare(&world, &mut history, change);
    }
    let parse = |line: &String| {
        let line = line.replace(&world.endpoint(), "http://127.0.0.1:4599");
        serde_json::from_str(&line).expect("a line is JSON")
    };
    lines()[count..].iter().map(parse).collect()
}

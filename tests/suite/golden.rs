//! Goldens: raw requests with the replies that they get, replayed to the byte.
//!
//! `tests/golden/OPERATION/CASE.json`, of CodeCommit, CloudTrail or the Resource Groups Tagging API, holds where the reply is known from (`source`), what is there
//! before (`setup`), the `settings` under which the request is sent, as a configuration file has them, the `request` and the
//! `reply`. The server is at `http://127.0.0.1:4599` in them. The record follows from both, but for members that are `unknown` to
//! the operation. With `GOLDENS=write` in the environment replies are written instead of compared; `GOLDENS_OF` names the operations
//! whose goldens are replayed, with commas between them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use server::Settings;
use server::settings::Said;
use tests::{Reply, World, model, wait_until, workspace};

use crate::history::History;
use crate::{table, trail};

/// Exceptions that operations of the model have and that nothing can bring about here, each with the reason.
const UNREACHABLE: &[(&[&str], &str, &str)] = &[
    (&["CreateCommit"], "InvalidDeletionParameterException", "keepEmptyFolders is either true or false"),
    (
        &["CreatePullRequest", "PostCommentForComparedCommit", "PostCommentForPullRequest", "PostCommentReply"],
        "ClientRequestTokenRequiredException",
        "the token may be left out",
    ),
    (&["GetDifferences"], "InvalidCommitIdException", "what is no id is the name of a reference"),
    (&["GetFolder"], "PathRequiredException", "a path that is not there reads as an empty one, and that is the root"),
    (
        &["ListFileCommitHistory"],
        "TipsDivergenceExceededException",
        "there is one tip, and a history of any length is read",
    ),
    (
        &["PutCommentReaction"],
        "ReactionLimitExceededException",
        "a user's other reaction takes the place of the one before",
    ),
    (&["GetMergeConflicts"], "InvalidCommitException", "it is told which of the two commits is meant"),
    (&["CreateUnreferencedMergeCommit"], "ConcurrentReferenceUpdateException", "no reference moves"),
    (
        &["MergePullRequestByFastForward", "MergePullRequestBySquash", "MergePullRequestByThreeWay"],
        "ConcurrentReferenceUpdateException",
        "only a race brings it, and has a test",
    ),
    (
        &["MergePullRequestByFastForward"],
        "ReferenceDoesNotExistException",
        "the deletion of a branch closes its pull requests",
    ),
    (&["PutFile"], "FolderContentSizeLimitExceededException", "one file is too large before its folder is"),
    (&["PutFile"], "InvalidDeletionParameterException", "nothing is deleted"),
    (
        &["CreateTrail", "UpdateTrail"],
        "S3BucketDoesNotExistException",
        "only a bucket at another endpoint brings it, and has a test",
    ),
    (
        &["CreateTrail", "UpdateTrail"],
        "InsufficientS3BucketPolicyException",
        "only a folder that cannot be written brings it, and has a test",
    ),
    (&["CreateTrail", "UpdateTrail"], "InsufficientSnsTopicPolicyException", "topics are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "InsufficientEncryptionPolicyException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "KmsKeyNotFoundException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "KmsKeyDisabledException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "KmsException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "InvalidParameterException", "each parameter has an exception of its own"),
    (&["UpdateTrail"], "InvalidEventSelectorsException", "PutEventSelectors alone puts them"),
    (&["PutInsightSelectors"], "S3BucketDoesNotExistException", "no bucket is looked for"),
    (&["PutInsightSelectors"], "InsufficientS3BucketPolicyException", "no bucket is looked for"),
    (&["PutInsightSelectors"], "InsufficientEncryptionPolicyException", "keys are not looked for"),
    (&["PutInsightSelectors"], "KmsException", "keys are not looked for"),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "EventDataStoreARNInvalidException",
        "there are no event data stores or channels",
    ),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "InactiveEventDataStoreException",
        "there are no event data stores or channels",
    ),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "EventDataStoreNotFoundException",
        "there are no event data stores or channels",
    ),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "ChannelARNInvalidException",
        "there are no event data stores or channels",
    ),
    (&["AddTags", "RemoveTags"], "ChannelNotFoundException", "there are no event data stores or channels"),
    (&["ListRequiredTags"], "PaginationTokenExpiredException", "there is one page"),
];

/// Exceptions of any operation of CloudTrail that nothing or no golden can bring about here, each with the reason.
const NOT_HERE: &[(&str, &str)] = &[
    ("OperationNotPermittedException", "everyone is let in"),
    ("UnsupportedOperationException", "what is there is supported"),
    ("CloudTrailAccessNotEnabledException", "there are no organizations"),
    ("InsufficientDependencyServiceAccessPermissionException", "there are no organizations"),
    ("NoManagementAccountSLRExistsException", "there are no organizations"),
    ("NotOrganizationMasterAccountException", "there are no organizations"),
    ("NotOrganizationManagementAccountException", "there are no organizations"),
    ("OrganizationsNotInUseException", "there are no organizations"),
    ("OrganizationNotInAllFeaturesModeException", "there are no organizations"),
    ("CloudTrailInvalidClientTokenIdException", "there are no organizations"),
    ("InvalidCloudWatchLogsLogGroupArnException", "log groups are names"),
    ("InvalidCloudWatchLogsRoleArnException", "log groups are names"),
    ("CloudWatchLogsDeliveryUnavailableException", "log groups are names"),
    ("ConflictException", "only trails of one name in two regions bring it, and there is a test"),
    ("ThrottlingException", "nothing but LookupEvents is throttled, and its model does not have it"),
];

/// Exceptions of any operation of the Resource Groups Tagging API that nothing brings about here, each with the reason.
const NOT_IN_TAGGING: &[(&str, &str)] = &[
    ("ThrottledException", "nothing is throttled"),
    ("InternalServiceException", "only a store that fails brings it for the whole request"),
];

#[test]
fn every_golden_is_answered_as_it_says() {
    let mut goldens = goldens();
    if let Ok(wanted) = std::env::var("GOLDENS_OF") {
        goldens.retain(|(operation, _)| wanted.split(',').any(|wanted| wanted == operation));
    }
    let next = AtomicUsize::new(0);
    let replay_some = || {
        let mut wrong = Vec::new();
        while let Some((_, path)) = goldens.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.extend(replay(path).err());
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(replay_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a golden is well formed")).collect()
    });
    assert!(wrong.is_empty(), "{} of {} goldens\n\n{}", wrong.len(), goldens.len(), wrong.join("\n\n"));
}

#[test]
fn every_operation_has_goldens_of_success_and_of_each_exception() {
    let mut wrong = Vec::new();
    for operation in names() {
        let replies = replies(&operation);
        if !replies.iter().any(|reply| reply["status"] == 200) {
            wrong.push(format!("{operation}: no success"));
        }
        for exception in model::exceptions(&operation) {
            let quoted = format!("\"{exception}\"");
            let is_exercised = replies.iter().any(|reply| reply["body"].to_string().contains(&quoted));
            let never = match operation.as_str() {
                operation if model::is_cloudtrail(operation) => NOT_HERE,
                operation if model::is_tagging(operation) => NOT_IN_TAGGING,
                _ => &[],
            };
            if never.iter().any(|(name, _)| *name == exception) {
                continue;
            }
            let is_unreachable =
                UNREACHABLE.iter().any(|(of, name, _)| of.contains(&&*operation) && *name == exception);
            if is_exercised == is_unreachable {
                let what = if is_exercised { "reached, and listed as unreachable" } else { "not reached" };
                wrong.push(format!("{operation}: {exception} is {what}"));
            }
        }
    }
    for (operation, exception) in UNREACHABLE.iter().flat_map(|(of, name, _)| of.iter().map(move |it| (*it, name))) {
        if !model::exceptions(operation).contains(*exception) {
            wrong.push(format!("{operation}: {exception} is listed as unreachable, and not in the model"));
        }
    }
    assert!(wrong.is_empty(), "{} exceptions\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_golden_has_an_exception_that_its_operation_does_not_have() {
    let generic = ["SerializationException", "UnknownOperationException", "ValidationException", "ThrottlingException"];
    for (operation, path) in goldens().into_iter().filter(|(operation, _)| model::has(operation)) {
        let golden = read(&path);
        let Some(kind) = golden["reply"]["body"]["__type"].as_str() else { continue };
        let known = model::exceptions(&operation).contains(kind) || generic.contains(&kind);
        assert!(known, "{} has {kind}", path.display());
    }
}

#[test]
fn every_reply_is_as_the_model_has_it() {
    let success = |golden: &Value| golden["reply"]["status"] == 200;
    let wrong = goldens().into_iter().map(|(operation, path)| (operation, read(&path), path));
    let wrong = wrong.filter(|(_, golden, _)| success(golden)).filter_map(|(operation, golden, path)| {
        let wrong = model::check(&operation, &golden["reply"]["body"]).err()?;
        Some(format!("{}: {wrong}", path.display()))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_the_operations_of_the_model() {
    let (ours, rows): (Vec<_>, Vec<_>) = table::rows().into_iter().partition(|row| row.is_unpublished);
    let rows: BTreeSet<_> = rows.into_iter().map(|row| row.name).collect();
    assert_eq!(rows, model::operations().into_iter().collect());
    for row in ours {
        assert!(!model::has(&row.name), "{row:?} has shapes of ours, and the model has its own");
    }
    let models =
        [(table::cloudtrail(), model::cloudtrail_operations()), (table::tagging(), model::tagging_operations())];
    for (rows, model) in models {
        for row in rows {
            assert!(model.contains(&row.name), "{row:?} is not in its service's model");
        }
    }
}

#[test]
fn every_golden_says_where_it_is_known_from() {
    for (_, path) in goldens() {
        let golden = read(&path);
        let source = golden["source"].as_str().unwrap_or_default();
        let known = ["model", "observed", "assumed"].contains(&source)
            || source.starts_with("https://docs.aws.amazon.com/codecommit/latest/")
            || source.starts_with("https://docs.aws.amazon.com/awscloudtrail/latest/")
            || source.starts_with("https://docs.aws.amazon.com/resourcegroupstagging/latest/")
            || is_public_report(source);
        assert!(known, "{} has the source {source:?}", path.display());
    }
}

/// Whether a source names an issue or a file of a public repository: `OWNER/REPOSITORY#NUMBER` or `OWNER/REPOSITORY:PATH`.
fn is_public_report(source: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
    let Some((owner, rest)) = source.split_once('/') else { return false };
    let is_issue = rest.split_once('#').is_some_and(|(name, number)| is_name(name) && number.parse::<u32>().is_ok());
    let is_file = rest.split_once(':').is_some_and(|(name, path)| is_name(name) && path.split('/').all(is_name));
    is_name(owner) && (is_issue || is_file)
}

#[test]
fn goldens_are_of_operations_that_are_there() {
    let folders: BTreeSet<String> = goldens().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(folders, names().into_iter().collect());
}

/// The operations of all services of AWS JSON.
fn names() -> Vec<String> {
    let others = table::cloudtrail().into_iter().chain(table::tagging());
    table::names().into_iter().chain(others.map(|row| row.name)).collect()
}

/// The replies of an operation's goldens.
fn replies(operation: &str) -> Vec<Value> {
    let of_it = goldens().into_iter().filter(|(of, _)| of == operation);
    of_it.map(|(_, path)| read(&path)["reply"].clone()).collect()
}

/// The operation and path of every golden.
fn goldens() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for folder in fs::read_dir(workspace().join("tests/golden")).expect("the folder is there") {
        let folder = folder.expect("it can be listed");
        let operation = folder.file_name().into_string().expect("it is an operation's name");
        for file in fs::read_dir(folder.path()).expect("it is a folder") {
            found.push((operation.clone(), file.expect("it can be listed").path()));
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("it was listed");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn replay(path: &Path) -> Result<(), String> {
    let golden = read(path);
    // Files of the trail would take ids while they are written, so they wait.
    let mut world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    let mut history = History::new(&world);
    for step in golden["setup"].as_array().into_iter().flatten() {
        prepare(&world, &mut history, step);
    }
    if let Some(settings) = golden.get("settings") {
        let said: Said = serde_json::from_value(settings.clone()).expect("these are settings");
        let said = said.settings().expect("they make sense");
        world.restart_with(|settings| {
            // The places are the harness's.
            let Settings { listen, data_dir, trail_dir, log_interval, signing_key, .. } = settings.clone();
            *settings = Settings { listen, data_dir, trail_dir, log_interval, signing_key, ..said };
        });
    }
    let reply = ask(&world, &golden["request"]);
    let sent = reply.text().replace(&world.endpoint(), "http://127.0.0.1:4599");
    let reply = Reply { body: sent.clone().into_bytes(), ..reply };
    if std::env::var_os("GOLDENS").is_some_and(|it| it == "write") {
        let mut golden = golden;
        golden["reply"]["status"] = reply.status.into();
        golden["reply"]["body"] = reply.json();
        fs::write(path, format!("{golden:#}\n")).expect("the folder is writable");
        return Ok(());
    }
    let request = &golden["request"];
    if let (Some(operation), Value::Object(_)) = (request["operation"].as_str(), &request["body"]) {
        let record = world.events().pop().expect("the call is recorded");
        let mut input = expand(&request["body"]);
        for unknown in request["unknown"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            input.as_object_mut().expect("it is one").remove(unknown).expect("it is sent");
        }
        let (told, expected) = (trail::told(&record), trail::to_be_told(operation, &input, &reply));
        let (told, expected) = (told.to_string(), expected.to_string());
        if told != expected {
            return Err(format!("{}: another record\nexpected {expected}\ngot      {told}", path.display()));
        }
    }
    let expected = &golden["reply"];
    let failed =
        |what: &str| Err(format!("{}: {what}\nexpected {expected}\ngot      {} {sent}", path.display(), reply.status));
    if reply.status != expected["status"] || reply.json() != expected["body"] {
        return failed("another reply");
    }
    let headers = expected["headers"].as_object().cloned().unwrap_or_else(usual_headers);
    if let Some((name, _)) = headers.iter().find(|(name, value)| reply.header(name) != value.as_str()) {
        return failed(&format!("another {name}"));
    }
    let exact = if expected["body"].is_null() { String::new() } else { expected["body"].to_string() };
    if reply.status != 200 && sent != exact {
        return failed("other bytes");
    }
    Ok(())
}

fn usual_headers() -> Map<String, Value> {
    [("content-type".to_owned(), json!("application/x-amz-json-1.1"))].into_iter().collect()
}

/// Does a step of a golden's setup: a call, or as many as `times` says, each with its number for `{number}`, or again and
/// again `until` its reply is as that says, where the server does something by itself; or, in a folder
/// that begins with the example commit, a commit of files, a Git command (`REPOSITORY` in it is the repository's URL), or a
/// push of its HEAD to a branch.
fn prepare(world: &World, history: &mut History<'_>, step: &Value) {
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
        let words = words.iter().map(|word| word.as_str().expect("a word is text"));
        let words: Vec<&str> = words.map(|word| if word == "REPOSITORY" { url.as_str() } else { word }).collect();
        history.run(&words);
    } else {
        history.note(step);
    }
}

/// Writes out what is too long for a golden: `{"letters": N}` is a text of so many letters, `{"content": N}` the content of a
/// file of so many.
fn expand(value: &Value) -> Value {
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

/// A text of so many letters.
pub fn letters(count: u64) -> String {
    "x".repeat(usize::try_from(count).expect("it fits into memory"))
}

fn ask(world: &World, request: &Value) -> Reply {
    let target = request["operation"].as_str().map(model::target);
    let target = target.as_deref().or(request["target"].as_str()).expect("a request names its operation or target");
    let mut sent = vec![("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    sent.extend(headers(request));
    let body = request["body"].as_str().map_or_else(|| expand(&request["body"]).to_string(), str::to_owned);
    world.send("POST", "/", &sent, body.as_bytes())
}

/// The headers that a call has besides the usual ones.
fn headers(call: &Value) -> Vec<(&str, &str)> {
    let headers = call["headers"].as_object().into_iter().flatten();
    headers.map(|(name, value)| (name.as_str(), value.as_str().expect("a header is text"))).collect()
}

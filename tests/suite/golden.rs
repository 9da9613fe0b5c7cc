//! Goldens: raw requests and their expected replies, compared byte for byte.
//!
//! `tests/golden/OPERATION.json`, of CodeCommit, CloudTrail or the Resource Groups Tagging API, has cases by name. A case holds where
//! the reply is known from (`source`), what is done before (`setup`: the name of a setup in `setups.json`, or a list of such names
//! and of steps), the `settings` under which the request is sent, as a configuration file has them, the `request` (to the
//! file's operation unless it names another `operation` or `target`) and the `reply`. The server is at `http://127.0.0.1:4599`
//! in them. The expected record follows from both, except for members that are `unknown` to the operation.
//!
//! With `GOLDENS=write` in the environment the replies of assumed cases and of cases from the model are printed and written where
//! they differ; cases that were observed or documented are never overwritten. `GOLDENS_OF` names the operations whose cases
//! are replayed, separated by commas.

mod enforced;
mod event_bridge;
mod file;
mod layout;
mod replay;
mod unreachable;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use file::Case;
pub use replay::letters;
use tests::{World, model};
use unreachable::{NOT_HERE, NOT_IN_TAGGING, UNREACHABLE};

use crate::table;

/// Every case of every golden file.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(file::cases);

/// Returns the cases in groups that share a server: failures change nothing, so those with the same setup are replayed after one another.
fn groups(is_wanted: impl Fn(&&Case) -> bool) -> Vec<Vec<&'static Case>> {
    let mut groups: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in CASES.iter().filter(is_wanted) {
        let name = if is_alone(case) { case.title() } else { format!("{:?} {}", case.setup, case.settings) };
        groups.entry(name).or_default().push(case);
    }
    groups.into_values().collect()
}

/// Replies that depend on the caller of the request, who is that of the setup.
const OF_THE_CALLER: [&str; 3] = ["Mary_Major", "IdempotencyParameterMismatch", "CannotBeApprovedByAuthor"];

/// Returns whether a case needs a server of its own, as it succeeds or its reply depends on the caller.
fn is_alone(case: &Case) -> bool {
    let reply = case.reply.to_string();
    case.reply["status"] == 200
        || OF_THE_CALLER.iter().any(|text| reply.contains(text))
        || !case.request["headers"]["authorization"].is_null()
}

#[test]
fn every_case_gets_its_reply() {
    replay_all(false);
}

#[test]
fn every_case_gets_its_reply_with_exactly_its_permission() {
    replay_all(true);
}

#[test]
fn every_case_is_denied_to_a_user_without_policies() {
    let mut world = World::new();
    enforced::enforce(&mut world, &[]);
    let failed: Vec<_> = CASES.iter().filter_map(|case| enforced::denied(&world, case).err()).collect();
    assert!(failed.is_empty(), "{} of {} cases\n\n{}", failed.len(), CASES.len(), failed.join("\n"));
}

fn replay_all(policies: bool) {
    let wanted = std::env::var("GOLDENS_OF").ok();
    let is_wanted =
        |case: &&Case| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|name| name == case.operation));
    let groups = groups(is_wanted);
    let next = AtomicUsize::new(0);
    let replay_some = || {
        let mut failures = Vec::new();
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            failures.extend(replay::replay(group, policies));
        }
        failures
    };
    let mut failures: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(replay_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a case is well formed")).collect()
    });
    if std::env::var_os("GOLDENS").is_some_and(|mode| mode == "write") {
        failures = write(failures);
    }
    let failed: Vec<_> = failures.iter().map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{} of {} cases\n\n{}", failed.len(), CASES.len(), failed.join("\n\n"));
}

/// Prints and writes the replies of cases that differ; returns the failures of cases whose reply must not be replaced.
fn write(failures: Vec<replay::Failure<'_>>) -> Vec<replay::Failure<'_>> {
    let (mended, kept): (Vec<_>, Vec<_>) = failures
        .into_iter()
        .partition(|failure| failure.reply.is_some() && ["assumed", "model"].contains(&failure.case.source.as_str()));
    let mended: Vec<_> = mended
        .into_iter()
        .map(|failure| {
            eprintln!("{failure}\n");
            Case {
                reply: failure.reply.expect("the failure has a reply, as the filter requires"),
                ..failure.case.clone()
            }
        })
        .collect();
    file::write_replies(&mended);
    kept
}

#[test]
fn every_operation_has_goldens_of_success_and_of_each_exception() {
    let mut wrong = Vec::new();
    for operation in table::json().into_iter().map(|row| row.name) {
        let replies: Vec<_> = CASES.iter().filter(|case| case.operation == operation).map(|case| &case.reply).collect();
        if !replies.iter().any(|reply| reply["status"] == 200) {
            wrong.push(format!("{operation}: no success"));
        }
        for exception in model::exceptions(operation) {
            let quoted = format!("\"{exception}\"");
            let is_exercised = replies.iter().any(|reply| reply["body"].to_string().contains(&quoted));
            let never = match operation {
                operation if model::is_cloudtrail(operation) => NOT_HERE,
                operation if model::is_tagging(operation) => NOT_IN_TAGGING,
                _ => &[],
            };
            if never.iter().any(|(name, _)| *name == exception) {
                continue;
            }
            let is_unreachable = UNREACHABLE.iter().any(|(of, name, _)| of.contains(&operation) && *name == exception);
            if is_exercised == is_unreachable {
                let what = if is_exercised { "reached, and listed as unreachable" } else { "not reached" };
                wrong.push(format!("{operation}: {exception} is {what}"));
            }
        }
    }
    for (operation, exception) in
        UNREACHABLE.iter().flat_map(|(of, name, _)| of.iter().map(move |operation| (*operation, name)))
    {
        if !model::exceptions(operation).contains(*exception) {
            wrong.push(format!("{operation}: {exception} is listed as unreachable, and not in the model"));
        }
    }
    assert!(wrong.is_empty(), "{} exceptions\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_exception_of_a_case_belongs_to_its_operation() {
    let generic = ["SerializationException", "UnknownOperationException", "ValidationException", "ThrottlingException"];
    for case in CASES.iter().filter(|case| model::has(&case.operation)) {
        let Some(kind) = case.reply["body"]["__type"].as_str() else { continue };
        let known = model::exceptions(&case.operation).contains(kind) || generic.contains(&kind);
        assert!(known, "{} has {kind}", case.title());
    }
}

#[test]
fn every_reply_matches_the_model() {
    let successes = CASES.iter().filter(|case| case.reply["status"] == 200);
    let wrong = successes.filter_map(|case| {
        let wrong = model::check(&case.operation, &case.reply["body"]).err()?;
        Some(format!("{}: {wrong}", case.title()))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_the_operations_of_the_model() {
    let (published, ours): (Vec<_>, Vec<_>) = table::codecommit().into_iter().partition(|row| row.has_schema);
    let rows: BTreeSet<_> = published.into_iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(rows, model::operations().into_iter().collect());
    for row in ours {
        assert!(!model::has(row.name), "{row:?} has shapes of ours although the model has its own");
    }
    let models =
        [(table::cloudtrail(), model::cloudtrail_operations()), (table::tagging(), model::tagging_operations())];
    for (rows, model) in models {
        for row in rows {
            assert!(model.iter().any(|name| name == row.name), "{row:?} is not in the model of its service");
        }
    }
}

#[test]
fn every_case_has_a_known_source() {
    for case in CASES.iter() {
        let source = case.source.as_str();
        let known = is_known_source(source);
        assert!(known, "{} has the source {source:?}", case.title());
    }
}

/// Returns whether a source is one of the kinds, a page of AWS's documentation, or a public report.
fn is_known_source(source: &str) -> bool {
    ["model", "observed", "assumed"].contains(&source)
        || source.starts_with("https://docs.aws.amazon.com/codecommit/latest/")
        || source.starts_with("https://docs.aws.amazon.com/awscloudtrail/latest/")
        || source.starts_with("https://docs.aws.amazon.com/resourcegroupstagging/latest/")
        || is_public_report(source)
}

/// Returns whether a source names an issue or a file of a public repository: `OWNER/REPOSITORY#NUMBER` or `OWNER/REPOSITORY:PATH`.
fn is_public_report(source: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
    let Some((owner, rest)) = source.split_once('/') else { return false };
    let is_issue = rest.split_once('#').is_some_and(|(name, number)| is_name(name) && number.parse::<u32>().is_ok());
    let is_file = rest.split_once(':').is_some_and(|(name, path)| is_name(name) && path.split('/').all(is_name));
    is_name(owner) && (is_issue || is_file)
}

#[test]
fn every_operation_has_a_file_and_every_file_an_operation() {
    let files: BTreeSet<_> = CASES.iter().map(|case| case.operation.clone()).collect();
    assert_eq!(files, table::json().into_iter().map(|row| row.name.to_owned()).collect());
}

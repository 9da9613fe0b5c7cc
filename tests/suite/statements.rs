//! Failure of each statement of a call in turn: the call either takes effect and is recorded, or fails without effect.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use store::Transaction;
use tests::World;
use tests::sts::query;

/// Tables that background work fills, those of the records, and those that a node of a cluster writes every few seconds.
const BEHIND: [&str; 15] = [
    "events",
    "history",
    "history_values",
    "history_index",
    "history_ids",
    "history_blocks",
    "log_files",
    "delivery",
    "digests",
    "signing_keys",
    "notifications",
    "trigger_deliveries",
    "archive_uploads",
    "nodes",
    "leases",
];

/// Returns the state that calls change: the rows of all other tables, and the folders of objects.
type State = BTreeMap<String, BTreeSet<String>>;

fn state(world: &World) -> State {
    let is_remote = world.store().is_remote();
    let tables = if is_remote {
        // A receipt is of a commit, not of a change.
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'commit_receipts'"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    };
    let rows = world.store().read(|transaction| {
        let mut state = State::new();
        for table in transaction.query(tables, &[], |row| row.text(0))? {
            if !BEHIND.contains(&table.as_str()) {
                let rows = rows(transaction, &table, is_remote)?;
                state.insert(table, rows);
            }
        }
        Ok::<_, store::Error>(state)
    });
    rows.expect("the store works")
}

fn rows(transaction: &Transaction, table: &str, is_remote: bool) -> Result<BTreeSet<String>, store::Error> {
    let query = if is_remote {
        format!("SELECT CAST({table} AS TEXT) FROM {table}")
    } else {
        let columns =
            transaction.query("SELECT name FROM pragma_table_info(?1)", &[table.into()], |row| row.text(0))?;
        let quoted: Vec<_> = columns.iter().map(|column| format!("quote({column})")).collect();
        format!("SELECT {} FROM {table}", quoted.join(" || ' ' || "))
    };
    Ok(transaction.query(&query, &[], |row| row.text(0))?.into_iter().collect())
}

fn folders(world: &World) -> usize {
    std::fs::read_dir(world.folder().join("data/repositories")).into_iter().flatten().count()
}

fn records(world: &World) -> Vec<Value> {
    let records = world
        .store()
        .read(|transaction| transaction.query("SELECT record FROM events ORDER BY seq", &[], |row| row.text(0)));
    let records: Result<Vec<String>, store::Error> = records;
    records
        .expect("the store works")
        .iter()
        .map(|record| serde_json::from_str(record).expect("the text is JSON"))
        .collect()
}

/// Runs `act` with a failure in each of its statements in turn; `act` returns whether it succeeded.
fn with_each_statement(world: &World, name: &str, prepare: impl Fn(u64), act: impl Fn(u64) -> bool) {
    for number in 1.. {
        prepare(number);
        let (before, folders_before, recorded) = (state(world), folders(world), records(world).len());
        world.store().fail_statement(number);
        let is_done = act(number);
        let is_over = world.store().fail_statement(0) > 0;
        let context = format!("{name}, statement {number}");
        let after = state(world);
        assert_eq!(
            after != before,
            is_done,
            "{context}: what has succeeded has happened, and only that; rows differ in {:?}",
            before.keys().filter(|table| before[*table] != after[*table]).collect::<Vec<_>>()
        );
        assert!(is_done || folders(world) >= folders_before, "{context}: nothing is deleted");
        let records = records(world);
        assert!(world.events() == records, "{context}: lines and rows");
        let of_success = |record: &&Value| record["eventName"] == name && record["errorCode"].is_null();
        let succeeded = records[recorded..].iter().filter(of_success).count();
        assert_eq!(succeeded, usize::from(is_done), "{context}: records of success");
        if is_over {
            assert!(is_done, "{name}: nothing failed");
            assert!(number > 6, "{name} has {number} statements");
            return;
        }
    }
}

/// Starts a server whose background work writes nothing during the test.
fn quiet() -> World {
    let world = World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.digest_interval = Duration::from_hours(1);
    });
    // The first call of an account creates its default trail in an earlier transaction.
    world.ok("ListRepositories", &json!({}));
    world
}

fn name(number: u64) -> String {
    format!("repository-{number}")
}

fn create(world: &World, number: u64) {
    world.ok("CreateRepository", &json!({ "repositoryName": name(number) }));
}

/// Returns the input that adds another file to a branch.
fn put_file(world: &World, number: u64, branch: &str) -> Value {
    let tip = world.call("GetBranch", &json!({ "repositoryName": name(number), "branchName": branch })).json();
    let tip = tip["branch"]["commitId"].as_str();
    let mut input = json!({ "repositoryName": name(number), "branchName": branch, "fileContent": "eHh4" });
    input["filePath"] = format!("{branch}-after-{}", tip.unwrap_or("nothing")).into();
    if let Some(parent) = tip {
        input["parentCommitId"] = parent.into();
    }
    input
}

fn trigger() -> Value {
    let topic = "arn:aws:sns:us-east-1:111122223333:MyTopic";
    json!([{ "name": "MyTrigger", "destinationArn": topic, "branches": [], "events": ["all"] }])
}

#[test]
fn repositories_are_created_and_deleted_atomically() {
    let world = quiet();
    let is_ok = |operation: &str, input: &Value| world.call(operation, input).status == 200;
    let input = |number| json!({ "repositoryName": name(number), "tags": { "one": "1", "two": "2" } });
    with_each_statement(&world, "CreateRepository", |_| (), |number| is_ok("CreateRepository", &input(number)));
    let world = quiet();
    let is_ok = |operation: &str, input: &Value| world.call(operation, input).status == 200;
    let full = |number| {
        create(&world, number);
        world.ok("PutFile", &put_file(&world, number, "main"));
    };
    with_each_statement(&world, "DeleteRepository", full, |number| {
        is_ok("DeleteRepository", &json!({ "repositoryName": name(number) }))
    });
}

#[test]
fn branches_records_triggers_and_pull_requests_change_atomically() {
    let world = quiet();
    let is_ok = |operation: &str, input: &Value| world.call(operation, input).status == 200;
    let next = RefCell::new(Value::Null);
    let with_request = |number| {
        create(&world, number);
        world.ok("PutRepositoryTriggers", &json!({ "repositoryName": name(number), "triggers": trigger() }));
        let main = world.ok("PutFile", &put_file(&world, number, "main"));
        let side = json!({ "repositoryName": name(number), "branchName": "side", "commitId": main["commitId"] });
        world.ok("CreateBranch", &side);
        world.ok("PutFile", &put_file(&world, number, "side"));
        let target =
            json!({ "repositoryName": name(number), "sourceReference": "side", "destinationReference": "main" });
        world.ok("CreatePullRequest", &json!({ "title": "Mine", "targets": [target] }));
        next.replace(put_file(&world, number, "side"));
    };
    with_each_statement(&world, "PutFile", with_request, |_| is_ok("PutFile", &next.borrow()));
    let world = quiet();
    let is_ok = |operation: &str, input: &Value| world.call(operation, input).status == 200;
    let with_branch = |number| {
        create(&world, number);
        let main = world.ok("PutFile", &put_file(&world, number, "main"));
        let side = json!({ "repositoryName": name(number), "branchName": "side", "commitId": main["commitId"] });
        world.ok("CreateBranch", &side);
        world.ok("PutFile", &put_file(&world, number, "side"));
    };
    with_each_statement(&world, "CreatePullRequest", with_branch, |number| {
        let target =
            json!({ "repositoryName": name(number), "sourceReference": "side", "destinationReference": "main" });
        is_ok("CreatePullRequest", &json!({ "title": "Mine", "targets": [target] }))
    });
}

#[test]
fn trails_are_created_changed_and_deleted_atomically() {
    let world = quiet();
    let is_ok = |operation: &str, input: &Value| world.call(operation, input).status == 200;
    let input = json!({ "Name": "Mine", "S3BucketName": "my-logs", "TagsList": [{ "Key": "one", "Value": "1" }] });
    let none = |_| drop(world.call("DeleteTrail", &json!({ "Name": "Mine" })));
    with_each_statement(&world, "CreateTrail", none, |_| is_ok("CreateTrail", &input));
    let one = |_| drop(world.call("CreateTrail", &input));
    with_each_statement(&world, "DeleteTrail", one, |_| is_ok("DeleteTrail", &json!({ "Name": "Mine" })));
}

#[test]
fn sessions_and_their_records_are_stored_atomically() {
    let world = quiet();
    with_each_statement(
        &world,
        "GetSessionToken",
        |_| (),
        |_| query(&world, Some("AKIAIOSFODNN7EXAMPLE"), "GetSessionToken").status == 200,
    );
}

#[test]
fn users_keys_and_policies_change_atomically() {
    let document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22\
                    %2C%22Resource%22%3A%22%2A%22%7D%7D";
    let policy = format!("PolicyName=P&PolicyDocument={document}");
    for (operation, more) in [
        ("CreateUser", ""),
        ("CreateAccessKey", ""),
        ("CreateServiceSpecificCredential", "ServiceName=codecommit.amazonaws.com"),
        ("PutUserPolicy", &policy),
        ("DeleteUser", ""),
    ] {
        let world = quiet();
        let iam = |operation: &str, number: u64| {
            let form = format!("Version=2010-05-08&Action={operation}&UserName=user-{number}&{more}");
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            world.send("POST", "/", &headers, form.as_bytes()).status == 200
        };
        let prepare = |number| assert!(operation == "CreateUser" || iam("CreateUser", number), "{operation}");
        with_each_statement(&world, operation, prepare, |number| iam(operation, number));
    }
}

#[test]
fn a_push_updates_and_records_exactly_the_references_that_it_reports() {
    let world = quiet();
    world.git_repository("work");
    let push = |number: u64| {
        world.git_commit("work", "file", &number.to_string());
        let url = world.repository_url("repository-0");
        world.git("work", &["push", "--quiet", &url, "HEAD:refs/heads/main", "HEAD:refs/heads/side"])
    };
    create(&world, 0);
    world.ok("PutRepositoryTriggers", &json!({ "repositoryName": name(0), "triggers": trigger() }));
    push(0).ok();
    let refs = |world: &World| state(world)["refs"].clone();
    for number in 1.. {
        let before = refs(&world);
        let successes = |world: &World| {
            let is_push = |record: &&Value| record["eventName"] == "GitPush" && record["errorCode"].is_null();
            let with_data = |record: &&Value| record["additionalEventData"]["dataTransferred"] == true;
            records(world).iter().filter(is_push).filter(with_data).count()
        };
        let recorded = successes(&world);
        world.store().fail_statement(number);
        let outcome = push(number);
        let is_over = world.store().fail_statement(0) > 0;
        let is_done = outcome.success;
        assert_eq!(refs(&world) != before, is_done, "statement {number}: {outcome:?}");
        assert!(world.events() == records(&world), "statement {number}: lines and rows");
        assert_eq!(successes(&world) - recorded, usize::from(is_done), "statement {number}: records");
        if is_over {
            assert!(is_done && number > 15, "a push has {number} statements: {outcome:?}");
            return;
        }
    }
}

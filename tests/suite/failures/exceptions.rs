//! Every exception of AWS's models, produced by each operation that has it.

use serde_json::{Value, json};
use tests::{World, model};

use super::{failures, world};
use crate::table;

/// Makes an operation fail with each of its exceptions in turn; returns what is wrong.
fn wrong_exceptions(world: &World, operation: &str, is_json: bool) -> Vec<String> {
    let exceptions = model::all_exceptions(operation);
    let rules: Vec<_> = exceptions
        .iter()
        .enumerate()
        .map(|(position, exception)| {
            json!({ "operation": operation, "error": exception.name, "after": position, "times": 1 })
        })
        .collect();
    let set = failures(world, "PUT", &json!(rules));
    if set.status != 200 {
        return vec![format!("{operation}: {}", set.text())];
    }
    let wrong = exceptions.iter().filter_map(|exception| {
        let (reply, code) = if is_json {
            let reply = world.call(operation, &json!({}));
            let code = reply.json()["__type"].as_str().unwrap_or_default().to_owned();
            (reply, code)
        } else {
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let reply = world.send("POST", "/", &form, format!("Action={operation}").as_bytes());
            let code = tests::sts::element(&reply, "Code");
            (reply, code)
        };
        let record = world.last_event();
        let found = (u64::from(reply.status), code, record["errorCode"].clone(), record["eventName"].clone());
        let expected = (exception.status, exception.code.clone(), json!(exception.name), json!(operation));
        let is_empty = record["responseElements"] == Value::Null;
        (found != expected || !is_empty).then(|| format!("{found:?} instead of {expected:?}"))
    });
    wrong.collect()
}

#[test]
fn every_exception_of_the_json_services_can_be_produced() {
    let world = world(json!([]));
    let operations = [model::operations(), model::cloudtrail_operations(), model::tagging_operations()].concat();
    let wrong: Vec<_> = operations.iter().flat_map(|operation| wrong_exceptions(&world, operation, true)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_exception_of_sts_and_iam_can_be_produced() {
    let world = world(json!([]));
    let wrong: Vec<_> = table::all()
        .iter()
        .filter(|row| table::json().iter().all(|json| json.name != row.name))
        .flat_map(|row| wrong_exceptions(&world, row.name, false))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

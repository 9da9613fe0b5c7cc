//! AWS's models of the services from the SDK for Python: the exceptions of operations and the shapes of their replies.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

use crate::workspace;

static CODECOMMIT: LazyLock<Value> = LazyLock::new(|| read("codecommit/2015-04-13"));
static CLOUDTRAIL: LazyLock<Value> = LazyLock::new(|| read("cloudtrail/2013-11-01"));
static TAGGING: LazyLock<Value> = LazyLock::new(|| read("resourcegroupstaggingapi/2017-01-26"));
static STS: LazyLock<Value> = LazyLock::new(|| read("sts/2011-06-15"));
static IAM: LazyLock<Value> = LazyLock::new(|| read("iam/2010-05-08"));

fn read(version: &str) -> Value {
    let python = fs::read_dir(workspace().join(".venv/lib")).expect("scripts/clients installed the SDK for Python");
    let mut paths = python.map(|folder| {
        let packages = folder.expect("the folder can be read").path().join("site-packages");
        packages.join("botocore/data").join(version).join("service-2.json.gz")
    });
    let model = paths.find_map(|path| File::open(path).ok()).expect("the SDK has the model");
    serde_json::from_reader(GzDecoder::new(model)).expect("the model is JSON")
}

/// Returns the model of the service with an operation; no two services have operations of one name.
fn of(operation: &str) -> &'static Value {
    match operation {
        _ if is_cloudtrail(operation) => &CLOUDTRAIL,
        _ if is_tagging(operation) => &TAGGING,
        _ => &CODECOMMIT,
    }
}

/// Returns whether an operation is one of CloudTrail.
pub fn is_cloudtrail(operation: &str) -> bool {
    CLOUDTRAIL["operations"].get(operation).is_some()
}

/// Returns whether an operation is one of the Resource Groups Tagging API.
pub fn is_tagging(operation: &str) -> bool {
    TAGGING["operations"].get(operation).is_some()
}

/// Returns `X-Amz-Target` for an operation; an operation in no model counts as one of CodeCommit.
pub fn target(operation: &str) -> String {
    let prefix = of(operation)["metadata"]["targetPrefix"].as_str().expect("the services use AWS JSON");
    format!("{prefix}.{operation}")
}

/// The names of all operations of CodeCommit.
pub fn operations() -> Vec<String> {
    names(&CODECOMMIT)
}

/// The names of all operations of CloudTrail.
pub fn cloudtrail_operations() -> Vec<String> {
    names(&CLOUDTRAIL)
}

/// The names of all operations of the Resource Groups Tagging API.
pub fn tagging_operations() -> Vec<String> {
    names(&TAGGING)
}

fn names(model: &Value) -> Vec<String> {
    model["operations"].as_object().expect("a model has operations").keys().cloned().collect()
}

/// The names of the exceptions of an operation, as they are on the wire.
pub fn exceptions(operation: &str) -> BTreeSet<String> {
    let errors = of(operation)["operations"][operation]["errors"].as_array();
    let names = errors.into_iter().flatten().map(|error| error["shape"].as_str().expect("a shape has a name"));
    names.map(str::to_owned).collect()
}

/// An exception of an operation.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exception {
    /// The name in records.
    pub name: String,
    /// The name on the wire.
    pub code: String,
    /// The HTTP status.
    pub status: u64,
}

/// The exceptions of an operation of any service.
pub fn all_exceptions(operation: &str) -> BTreeSet<Exception> {
    let models = [&CODECOMMIT, &CLOUDTRAIL, &TAGGING, &STS, &IAM];
    let Some(model) = models.into_iter().find(|model| model["operations"].get(operation).is_some()) else {
        return BTreeSet::new();
    };
    let is_query = model["metadata"]["protocol"] == "query";
    let is_sts = model["metadata"]["endpointPrefix"] == "sts";
    let exception = |error: &Value| {
        let name = error["shape"].as_str().expect("a shape has a name");
        let shape = &model["shapes"][name];
        let code = shape["error"]["code"].as_str().filter(|_| is_query).unwrap_or(name);
        let status = match shape["error"]["httpStatusCode"].as_u64().filter(|_| is_query) {
            Some(status) => status,
            None if shape["fault"] == true => 500,
            None => 400,
        };
        // Records of STS have the names of the wire.
        Exception { name: if is_sts { code } else { name }.to_owned(), code: code.to_owned(), status }
    };
    model["operations"][operation]["errors"].as_array().into_iter().flatten().map(exception).collect()
}

/// Returns whether a model has an operation. Some operations of CodeCommit are known as permissions only; their shapes are our own.
pub fn has(operation: &str) -> bool {
    of(operation)["operations"].get(operation).is_some()
}

/// Checks the reply of a successful operation against the model, if there is one. Fails for a missing member, one of a wrong type,
/// and one that the model does not have.
pub fn check(operation: &str, reply: &Value) -> Result<(), String> {
    if !has(operation) {
        return Ok(());
    }
    let model = of(operation);
    let output = model["operations"][operation]["output"]["shape"].as_str();
    match (output, reply) {
        (None, Value::Null) => Ok(()),
        (None, _) => Err("the operation has no output".to_owned()),
        (Some(shape), _) => check_shape(model, shape, reply, operation),
    }
}

fn check_shape(model: &Value, name: &str, value: &Value, place: &str) -> Result<(), String> {
    let shape = &model["shapes"][name];
    let wrong = || Err(format!("{place} is no {name}: {value}"));
    match (shape["type"].as_str().expect("a shape has a type"), value) {
        ("structure", Value::Object(members)) => check_structure(model, shape, members, place),
        ("list", Value::Array(items)) => {
            let of = shape["member"]["shape"].as_str().expect("a list has a member");
            items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| check_shape(model, of, item, &format!("{place}[{index}]")))
        }
        ("map", Value::Object(entries)) => {
            let of = shape["value"]["shape"].as_str().expect("a map has values");
            entries.iter().try_for_each(|(key, item)| check_shape(model, of, item, &format!("{place}.{key}")))
        }
        // Its documentation allows every error code of every service.
        ("string", Value::String(_)) if name == "ErrorCode" => Ok(()),
        ("string", Value::String(text)) => match shape["enum"].as_array() {
            Some(known) if !known.iter().any(|known| known == text) => wrong(),
            _ => Ok(()),
        },
        ("blob", Value::String(text)) => {
            if base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).is_ok() {
                Ok(())
            } else {
                wrong()
            }
        }
        ("integer" | "long", Value::Number(number)) if number.is_i64() => Ok(()),
        ("timestamp", Value::Number(_)) | ("boolean", Value::Bool(_)) => Ok(()),
        _ => wrong(),
    }
}

fn check_structure(model: &Value, shape: &Value, members: &Map<String, Value>, place: &str) -> Result<(), String> {
    for name in shape["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a member has a name");
        if !members.contains_key(name) {
            return Err(format!("{place} has no {name}"));
        }
    }
    for (name, value) in members {
        let Some(of) = shape["members"][name]["shape"].as_str() else {
            return Err(format!("{place} has {name}, which the model does not have"));
        };
        check_shape(model, of, value, &format!("{place}.{name}"))?;
    }
    Ok(())
}

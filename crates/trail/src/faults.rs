//! Faults on demand in the way of an operation.
//!
//! Without policies a fault replaces the operation, which does not run. With policies the operation runs until its permissions are
//! decided, because a denied call stays denied; what it has changed is then rolled back.

use aws::{Call, Denial, Failure, Fault};
use serde_json::Value;

/// Notes the operation of a call; fails if a fault replaces it. [`decide`] returns the fault itself later.
pub(crate) fn begin(call: &Call, operation: &str, request_parameters: &Value) -> Result<(), Failure> {
    let Some(faults) = &call.faults else { return Ok(()) };
    faults.begin(call, operation, request_parameters);
    if call.has_policies() { Ok(()) } else { check(call, ()) }
}

/// Fails if the call has a fault, so that its changes are rolled back.
pub(crate) fn check<R>(call: &Call, result: R) -> Result<R, Failure> {
    match call.faults.as_ref().and_then(|faults| faults.decide()) {
        None => Ok(result),
        Some(_) => Err(Failure::internal()),
    }
}

/// Returns the fault that replaces the result of a call; a denial stays.
pub(crate) fn decide<R>(call: &Call, result: &Result<R, Failure>) -> Option<Fault> {
    let faults = call.faults.as_ref()?;
    match result {
        Err(failure) if failure.error_code() == Denial::CODE && !call.is_faulty() => None,
        _ => faults.decide(),
    }
}

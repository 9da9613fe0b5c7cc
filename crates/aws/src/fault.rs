//! Faults on demand: calls that fail although they could succeed, to test their clients.

use std::fmt::Debug;

use serde_json::Value;

use crate::{Call, Failure};

/// Decides about the fault of one call.
///
/// **Invariant:** a call is decided once; all later decisions about it are the same.
pub trait FaultInjector: Debug + Send + Sync {
    /// Notes the operation that the call runs, with its input in record form.
    fn begin(&self, call: &Call, operation: &str, request_parameters: &Value);

    /// Decides, which counts the call; `None` before [`begin`](Self::begin).
    fn decide(&self) -> Option<Fault>;
}

/// The fault of a call, which then changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails, and this is recorded.
    Failure(Failure),
    /// The call never arrived, so it is not recorded.
    NeverArrived,
}

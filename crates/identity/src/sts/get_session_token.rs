//! `GetSessionToken`: temporary credentials of a user or the root, usually with a second factor.

use std::sync::Arc;

use aws::caller::{Kind, Session};
use aws::operation::Change;
use aws::{Call, Caller, query};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::session::SessionPolicies;
use crate::sts::input;
use crate::sts::output::Output;
use crate::{Exception, Sts};

/// Range of the duration of a session of a user or federated user, in seconds; the maximum for the root is an hour.
pub(crate) const DURATIONS: std::ops::RangeInclusive<i64> = 900..=129_600;
pub(crate) const DURATION_SECONDS: i64 = 43_200;
pub(crate) const ROOT_DURATION_SECONDS_MAX: i64 = 3600;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    serial_number: String,
    #[serde(skip_serializing)]
    token_code: String,
    #[serde(deserialize_with = "query::integer")]
    minimum_session_token_size: Option<i64>,
}

#[expect(clippy::needless_pass_by_value, reason = "handlers take their input by value")]
pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    // The operation needs no permission.
    call.mark_decided();
    let seconds = seconds(&call.caller, input.duration_seconds)?;
    let packed = input::packed(call, "", &[], &[], input.minimum_session_token_size)?;
    let mfa_authenticated = input::mfa(&input.serial_number, &input.token_code)?;
    if call.caller.session.is_some() {
        return Err(Exception::CalledWithSession("GetSessionToken"));
    }
    let session = Session { mfa_authenticated, ..Session::new(call.time) };
    let caller = Caller { session: Some(session), ..call.caller.clone() };
    let session = sts.issue(call, caller, seconds, packed.token_bytes, SessionPolicies::default());
    Ok(Box::new(move |transaction| Ok(Output::of(session.store(transaction)?))))
}

/// Returns the duration of a session of a caller, in seconds.
pub(crate) fn seconds(caller: &Caller, requested: Option<i64>) -> Result<i64, Exception> {
    let seconds = input::seconds(requested, DURATIONS, DURATION_SECONDS)?;
    Ok(if caller.kind == Kind::Root { seconds.min(ROOT_DURATION_SECONDS_MAX) } else { seconds })
}

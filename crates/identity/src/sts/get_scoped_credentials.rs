//! `GetScopedCredentials`: new credentials for the caller's session, with fewer permissions or a shorter duration.

use std::sync::Arc;

use aws::caller::Session;
use aws::operation::Change;
use aws::{Call, Caller, Timestamp, query};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::session::{self, SessionPolicies};
use crate::sts::input;
use crate::sts::output::{Output, ScopedSession};
use crate::{Exception, Sts};

/// Maximum number of scope-down policies of a session.
const SCOPED_POLICIES_MAX: usize = 3;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    policy: String,
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    #[serde(deserialize_with = "query::integer")]
    minimum_session_token_size: Option<i64>,
    scoped_session_description: String,
}

pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    // A session needs no permission to restrict itself.
    call.mark_decided();
    let requested = input::number("durationSeconds", input.duration_seconds, 1..=129_600)?;
    description(&input.scoped_session_description)?;
    let packed = input::packed(call, &input.policy, &[], &[], input.minimum_session_token_size)?;
    if input.policy.is_empty() && requested.is_none() {
        return Err(Exception::Parameters("At least one of Policy and DurationSeconds must be specified."));
    }
    let caller = &call.caller;
    let without_session = || Exception::CalledWithoutSession("GetScopedCredentials");
    let session = caller.session.clone().ok_or_else(without_session)?;
    let key = caller.access_key_id.as_deref().ok_or_else(without_session)?;
    let ends = sts.session(key)?.ok_or_else(without_session)?.expires;
    let expires = requested.map_or(ends, |seconds| Timestamp::from_millis(call.time.millis() + seconds * 1000));
    if expires > ends {
        return Err(Exception::InsufficientSessionLifetime);
    }
    let scoped_policies = session.scoped_policies + usize::from(!input.policy.is_empty());
    if scoped_policies > SCOPED_POLICIES_MAX {
        return Err(Exception::TooManyScopedPolicies(SCOPED_POLICIES_MAX));
    }
    let source_identity = session.source_identity.clone();
    let info = ScopedSession { scoped_session_id: caller.principal_id.clone(), arn: caller.arn.clone() };
    let mut policies = session::policies(sts.store(), key)?.unwrap_or_else(SessionPolicies::nothing);
    policies.scopes.extend(Some(input.policy).filter(|policy| !policy.is_empty()));
    let session = Session { created: call.time, scoped_policies, ..session };
    let new_session = sts.issue_until(
        call,
        Caller { session: Some(session), ..caller.clone() },
        expires,
        packed.token_bytes,
        policies,
    );
    Ok(Box::new(move |transaction| {
        Ok(Output {
            session_info: Some(info),
            scoped_policies_count: Some(scoped_policies),
            source_identity,
            ..Output::of(new_session.store(transaction)?)
        })
    }))
}

/// Refuses an invalid description of a session; a missing one is accepted.
fn description(text: &str) -> Result<(), Exception> {
    input::length("scopedSessionDescription", text, 2..=256)?;
    let allowed = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(input::pattern("scopedSessionDescription", text, r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*"))
}

//! Switching to a role: `AssumeRole` by the identity that signed in, as AWS's console does it.

use std::sync::Arc;

use aws::operation::Change;
use aws::{AccountId, Call, Caller, GlobalArn};
use store::Transaction;

use super::ConsoleSession;
use crate::sts::assume_role::{self, Input};
use crate::sts::output::Output;
use crate::{Exception, Sts, session};

/// Maximum duration of the session of a role, in seconds.
const SECONDS_MAX: i64 = 3600;

/// Minimum duration of the session of a role, in seconds; the session that signed in may end before.
const SECONDS_MIN: i64 = 900;

/// The role to which a session switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName {
    /// The account of the role.
    pub account: AccountId,
    /// The name, with the path before it if the role has one.
    pub name: String,
    /// The name that the console shows; empty for the usual one.
    pub display_name: String,
}

/// A session of a role that is not stored yet.
pub struct RoleSwitch {
    change: Change<Transaction, Output, Exception>,
    from: ConsoleSession,
    display_name: String,
}

impl Sts {
    /// Lets a session assume a role, by the rules and with the exceptions of `AssumeRole`; the call must be that of the identity that
    /// signed in, also while the session has another role.
    ///
    /// The name of the role's session is that of the user or session that signed in. It lasts an hour at most.
    pub fn switch_role(
        &self,
        call: &Arc<Call>,
        from: &ConsoleSession,
        role: RoleName,
    ) -> Result<RoleSwitch, Exception> {
        let RoleName { account, name, display_name } = role;
        let partition = call.region.partition();
        let resource = format!("role/{}", name.trim_start_matches('/'));
        let arn = GlobalArn::iam(partition, &account, resource).to_string();
        let longest = self.identities().role(&arn, partition)?.map_or(SECONDS_MAX, |role| role.duration_seconds_max);
        let remaining = (from.expires.millis() - call.time.millis()) / 1000;
        let seconds = longest.min(SECONDS_MAX).min(remaining).max(SECONDS_MIN);
        let session_name = from.signed_in.name().unwrap_or_default().to_owned();
        let change = assume_role::run(self, call, Input::new(arn, session_name, seconds))?;
        let display_name = if display_name.is_empty() { format!("{name} @ {account}") } else { display_name };
        Ok(RoleSwitch { change, from: from.clone(), display_name })
    }
}

impl RoleSwitch {
    /// Stores the session of the role in place of a former one, and returns its caller.
    pub fn store(self, transaction: &Transaction) -> Result<Caller, Exception> {
        let Self { change, from, display_name } = self;
        from.end_role(transaction)?;
        let key = change(transaction)?.credentials.access_key_id;
        transaction.execute(
            "UPDATE console_sessions SET role_key = ?2, role_display_name = ?3 WHERE access_key_id = ?1",
            &[(&from.key).into(), (&key).into(), (&display_name).into()],
        )?;
        let caller = session::caller(transaction, &key)?;
        Ok(caller.ok_or(store::Error::Damaged("the session of a role"))?)
    }
}

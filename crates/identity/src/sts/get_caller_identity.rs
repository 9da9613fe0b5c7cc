//! `GetCallerIdentity`: the identity of the caller.

use std::sync::Arc;

use aws::Call;
use aws::operation::Change;
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::{Exception, Sts};

#[derive(Deserialize, Serialize)]
pub(crate) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_id: String,
    account: String,
    arn: String,
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers have one signature")]
pub(crate) fn run(_: &Sts, call: &Arc<Call>, _: Input) -> Result<Change<Transaction, Output, Exception>, Exception> {
    // The operation needs no permission, and no policy can deny it.
    call.mark_decided();
    let caller = &call.caller;
    let (user_id, account, arn) = (caller.principal_id.clone(), caller.account_id.to_string(), caller.arn.clone());
    Ok(Box::new(|_transaction| Ok(Output { user_id, account, arn })))
}

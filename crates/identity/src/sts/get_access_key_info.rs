//! `GetAccessKeyInfo`: the account of an access key.

use std::sync::Arc;

use aws::operation::Change;
use aws::{Call, Facts};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::sts::input;
use crate::{Exception, Sts};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    access_key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    account: String,
}

/// Returns the account of keys of sessions, expired or not, and of the identities file. Any other key belongs to the default account,
/// as its caller does.
#[expect(clippy::needless_pass_by_value, reason = "handlers take their input by value")]
pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    let key = &input.access_key_id;
    input::required("accessKeyId", key)?;
    input::length("accessKeyId", key, 16..=128)?;
    input::letters("accessKeyId", key, "", r"[\w]*")?;
    call.allow_action("sts:GetAccessKeyInfo", "*", &Facts::default())?;
    let account = match sts.session(key)? {
        Some(session) => session.caller.account_id,
        None => sts.identities().account_of_access_key(key).clone(),
    };
    Ok(Box::new(move |_transaction| Ok(Output { account: account.to_string() })))
}

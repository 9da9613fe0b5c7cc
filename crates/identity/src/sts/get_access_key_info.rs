//! `GetAccessKeyInfo`: which account an access key is of.

use std::sync::Arc;

use aws::Call;
use aws::operation::Change;
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

/// Answers for keys of sessions, ended or not, and for those of the identities file; any other key is of the default account, as whoever
/// calls with it is.
#[expect(clippy::needless_pass_by_value, reason = "handlers are given their input")]
pub(crate) fn run(sts: &Sts, _: &Arc<Call>, input: Input) -> Result<Change<Transaction, Output, Exception>, Exception> {
    let key = &input.access_key_id;
    input::required("accessKeyId", key)?;
    input::length("accessKeyId", key, 16..=128)?;
    input::letters("accessKeyId", key, "", r"[\w]*")?;
    let account = match sts.session(key)? {
        Some(session) => session.caller.account_id,
        None => sts.identities().account_of_access_key(key).clone(),
    };
    Ok(Box::new(move |_transaction| Ok(Output { account: account.to_string() })))
}

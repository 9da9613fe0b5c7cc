//! `GetDelegatedAccessToken`: credentials in exchange for a trade-in token.

use std::sync::Arc;

use aws::operation::Change;
use aws::{Call, Facts};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::sts::input;
use crate::sts::output::Output;
use crate::{Exception, Sts};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    #[serde(skip_serializing)]
    trade_in_token: String,
}

/// Refuses every token as expired, as nothing here issues one.
#[expect(clippy::needless_pass_by_value, reason = "handlers take their input by value")]
pub(crate) fn run(
    _: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::required("tradeInToken", &input.trade_in_token)?;
    call.allow_action("sts:GetDelegatedAccessToken", "*", &Facts::default())?;
    Err(Exception::ExpiredTradeInToken)
}

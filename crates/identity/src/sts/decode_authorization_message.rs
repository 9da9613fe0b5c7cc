//! `DecodeAuthorizationMessage`: decodes the message of a refused request.

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
    encoded_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    decoded_message: String,
}

/// Refuses every message, as no operation here issues one.
#[expect(clippy::needless_pass_by_value, reason = "handlers take their input by value")]
pub(crate) fn run(
    _: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::required("encodedMessage", &input.encoded_message)?;
    input::secret("encodedMessage", &input.encoded_message, 1..=10_240)?;
    call.allow_action("sts:DecodeAuthorizationMessage", "*", &Facts::default())?;
    Err(Exception::InvalidAuthorizationMessage)
}

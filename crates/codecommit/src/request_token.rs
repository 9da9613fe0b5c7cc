//! Client request tokens, which make a repeated request idempotent.

use aws::Call;
use sha2::{Digest, Sha256};
use store::Transaction;

use crate::Exception;

/// Maximum length of a token, in characters.
const LENGTH_MAX: usize = 64;

/// Token of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestToken(String);

impl RequestToken {
    /// Parses an optional token; the SDKs always send one.
    pub(crate) fn parse(token: Option<String>) -> Result<Option<Self>, Exception> {
        match token {
            Some(token) if !(1..=LENGTH_MAX).contains(&token.chars().count()) => {
                Err(Exception::InvalidClientRequestToken { limit: LENGTH_MAX })
            }
            token => Ok(token.map(Self)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the id that `create` returned, now or when the caller first sent the token to this operation.
///
/// Fails if the earlier request had other parameters. Tokens are stored as long as their repository exists.
pub(crate) fn once(
    transaction: &Transaction,
    call: &Call,
    (repository_id, operation, token, parameters): (&str, &str, Option<&RequestToken>, &[&str]),
    create: impl FnOnce() -> Result<String, Exception>,
) -> Result<String, Exception> {
    let Some(RequestToken(token)) = token else { return create() };
    let mut digest = Sha256::new();
    for parameter in parameters {
        digest.update(parameter.len().to_be_bytes());
        digest.update(parameter);
    }
    let digest = digest.finalize();
    let key = [call.account.as_str(), call.region.as_str(), &call.caller.arn, operation, token].map(store::Value::from);
    let known = transaction.query_one(
        "SELECT parameters, made FROM request_tokens \
         WHERE account = ?1 AND region = ?2 AND caller = ?3 AND operation = ?4 AND token = ?5",
        &key,
        |row| Ok((row.blob(0)?, row.text(1)?)),
    )?;
    if let Some((parameters, id)) = known {
        return if parameters == digest.as_slice() { Ok(id) } else { Err(Exception::IdempotencyParameterMismatch) };
    }
    let id = create()?;
    let [account, region, caller, operation, token] = key;
    transaction.execute(
        "INSERT INTO request_tokens (account, region, caller, operation, token, repository_id, parameters, made) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[account, region, caller, operation, token, repository_id.into(), digest.as_slice().into(), (&id).into()],
    )?;
    Ok(id)
}

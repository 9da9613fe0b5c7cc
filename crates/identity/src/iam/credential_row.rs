//! Rows of access keys, service-specific credentials and SSH public keys: each belongs to a user, and has an id and a status.

use serde_json::Value;

use super::IamError;
use super::call::IamCall;
use super::entity::Entity;
use crate::Exception;

/// Refuses a key or credential of a table that is not an issued one of the user.
pub(crate) fn check_own(
    iam: &IamCall<'_>,
    user: &Entity,
    table: &str,
    id: &str,
    missing: String,
) -> Result<(), Exception> {
    let found = format!("SELECT declared FROM {table} WHERE id = ?1 AND principal = ?2");
    match iam.transaction.query_one(&found, &[id.into(), user.number.into()], |row| row.integer(0))? {
        None => Err(IamError::no_such_entity(missing)),
        Some(0) => Ok(()),
        Some(_) => Err(IamError::unmodifiable(&format!("credential {id}"))),
    }
}

/// Sets the status of a row of a table.
pub(crate) fn set_status(iam: &IamCall<'_>, table: &str, id: &str, status: &str) -> Result<Value, Exception> {
    iam.transaction.execute(&format!("UPDATE {table} SET status = ?2 WHERE id = ?1"), &[id.into(), status.into()])?;
    Ok(Value::Null)
}

/// Deletes a row of a table.
pub(crate) fn delete(iam: &IamCall<'_>, table: &str, id: &str) -> Result<Value, Exception> {
    iam.transaction.execute(&format!("DELETE FROM {table} WHERE id = ?1"), &[id.into()])?;
    Ok(Value::Null)
}

//! The exceptions that the service models, with their messages.
//!
//! A variant's name with `Exception` after it is the name on the wire. AWS's words are known of ARNs alone.

use std::fmt::Display;

use aws::Failure;
use strum::IntoStaticStr;

/// Why an operation failed: a variant for each exception that can be reached.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
pub enum Exception {
    /// A parameter is missing, malformed or out of range.
    #[error("{0}")]
    InvalidParameter(String),
    /// A token is older than its life.
    #[error("The pagination token has expired: it is valid for 15 minutes.")]
    PaginationTokenExpired,
    /// An operation is for organizations, of which there are none.
    #[error("{operation} needs an organization with tag policies, and the account is in none.")]
    ConstraintViolation {
        /// The operation.
        operation: &'static str,
    },
    /// A service that owns resources cannot list them.
    #[error("The request failed because of an internal error. The server's log says what went wrong.")]
    InternalService,
}

impl Exception {
    /// Logs what went wrong in another service, and makes the exception for it.
    pub(crate) fn internal(error: &dyn Display) -> Self {
        tracing::error!(%error, "tags cannot be read");
        Self::InternalService
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidParameter(reason.into())
    }

    fn name(&self) -> String {
        let variant: &'static str = self.into();
        format!("{variant}Exception")
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        let status = if matches!(exception, Exception::InternalService) { 500 } else { 400 };
        Self { name: exception.name(), message: exception.to_string(), status }
    }
}

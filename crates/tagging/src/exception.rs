//! Exceptions of the service's model, with their messages.
//!
//! The name on the wire is the variant's name followed by `Exception`. AWS's message is known for invalid ARNs only.

use std::fmt::Display;

use aws::{Denial, Failure};
use strum::IntoStaticStr;

/// Failure of an operation: a variant for each exception that can occur.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
pub enum Exception {
    /// The caller may not perform the action.
    #[error("{0}")]
    AccessDenied(#[from] Denial),
    /// A parameter is missing, malformed or out of range.
    #[error("{0}")]
    InvalidParameter(String),
    /// A token is no longer valid.
    #[error("The pagination token has expired: it is valid for 15 minutes.")]
    PaginationTokenExpired,
    /// The operation requires an organization, and there is none.
    #[error("{operation} needs an organization with tag policies, and the account is in none.")]
    ConstraintViolation {
        /// Name of the operation.
        operation: &'static str,
    },
    /// An owning service cannot list its resources.
    #[error("The request failed because of an internal error. The server's log says what went wrong.")]
    InternalService,
}

impl Exception {
    /// Logs the error of an owning service, and returns the exception for it.
    pub(crate) fn internal(error: &dyn Display) -> Self {
        tracing::error!(%error, "cannot read tags");
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
        let status = match &exception {
            Exception::AccessDenied(denial) => return denial.clone().json(),
            Exception::InternalService => 500,
            _ => 400,
        };
        Self::new(exception.name(), exception.to_string(), status)
    }
}

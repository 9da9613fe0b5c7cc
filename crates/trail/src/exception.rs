//! The exceptions that CloudTrail models, with their messages.
//!
//! A variant's name with `Exception` after it is the name on the wire. Where AWS's words are known they are used.

use aws::Failure;
use strum::IntoStaticStr;

/// Why an operation failed: a variant for each exception that can be reached, and two for what is our own fault.
#[expect(missing_docs, reason = "each variant's message says what it means")]
#[derive(Debug, thiserror::Error, IntoStaticStr)]
pub enum Exception {
    #[error("{operation} is not supported: this server has trails and event history, and nothing else of CloudTrail.")]
    UnsupportedOperation { operation: &'static str },

    // What is our fault and modelled nowhere.
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Exception {
    /// Returns the name on the wire.
    pub fn name(&self) -> String {
        let variant: &'static str = self.into();
        format!("{variant}Exception")
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        if matches!(exception, Exception::Store(_) | Exception::Io(_)) {
            tracing::error!(error = %exception, "an operation failed");
            return Self::internal();
        }
        Self::client(exception.name(), exception.to_string())
    }
}

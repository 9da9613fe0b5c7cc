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

    // Event history.
    #[error("{0}")]
    InvalidLookupAttributes(String),
    #[error("The start time must not be after the end time.")]
    InvalidTimeRange,
    #[error("{category:?} is not an event category; leave it out for management events, or write insight.")]
    InvalidEventCategory { category: String },
    #[error("A max results value of {size} is invalid. Specify max results between 1 and 50.")]
    InvalidMaxResults { size: i32 },
    #[error("The token is not one that this lookup gave; a token goes with the same parameters only.")]
    InvalidNextToken,
    #[error("Rate exceeded")]
    Throttling,

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

//! The exceptions of STS and IAM, with AWS's messages where they are known.

use aws::{Denial, Failure};

use crate::iam::IamError;

/// Why an operation of STS or IAM failed.
#[derive(Debug, thiserror::Error)]
pub enum Exception {
    /// A member of the input violates a constraint of the model.
    #[error("1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: {constraint}")]
    Constraint {
        /// A space and the value in quotes, or a space and `null`; empty for a secret.
        value: String,
        /// The name of the member in record form.
        member: &'static str,
        /// The constraint of the model.
        constraint: String,
    },
    /// An ARN does not name a resource of the required kind.
    #[error("{0} is invalid")]
    InvalidArn(String),
    /// The session would be longer than the maximum of the role.
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    LongerThanTheRole,
    /// The session of a role assumes a role for more than an hour.
    #[error("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")]
    LongerThanAChain,
    /// The caller is not authorized.
    #[error("User: {caller} is not authorized to perform: {action} on resource: {resource}")]
    NotAuthorized {
        /// The ARN of the caller.
        caller: String,
        /// The action, such as `sts:AssumeRole`.
        action: &'static str,
        /// The ARN of the resource.
        resource: String,
    },
    /// The policies of the caller do not allow the operation.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The bearer of a token or assertion may not assume the role.
    #[error("Not authorized to perform {0}")]
    TokenNotAuthorized(&'static str),
    /// The root of an account may not assume a role.
    #[error("Roles may not be assumed by root accounts.")]
    AssumedByRoot,
    /// The operation requires access keys of a user or the root.
    #[error("Cannot call {0} with session credentials")]
    CalledWithSession(&'static str),
    /// The operation requires temporary credentials.
    #[error("{0} must be called with temporary security credentials")]
    CalledWithoutSession(&'static str),
    /// The session has the maximum number of scope-down policies.
    #[error("A session can have at most {0} scope-down policies.")]
    TooManyScopedPolicies(usize),
    /// The scoped credentials would outlive their session.
    #[error("The requested DurationSeconds is greater than the remaining lifetime of the calling session.")]
    InsufficientSessionLifetime,
    /// The web identity token would outlive the session of the caller.
    #[error("The requested token duration would extend the session beyond its original expiration time.")]
    SessionDurationEscalation,
    /// The web identity token would be too large.
    #[error("The token payload has {size} bytes; at most {limit} are allowed. Send fewer or shorter tags.")]
    JwtPayloadSizeExceeded {
        /// The size in bytes.
        size: usize,
        /// The maximum size in bytes.
        limit: usize,
    },
    /// The parameters contradict one another.
    #[error("{0}")]
    Parameters(&'static str),
    /// A context assertion is not valid.
    #[error("{0}")]
    InvalidContextAssertion(String),
    /// The encoded authorization message is not valid.
    #[error("The authorization message is not valid.")]
    InvalidAuthorizationMessage,
    /// The trade-in token was not issued here.
    #[error("The trade-in token is not valid, or has expired.")]
    ExpiredTradeInToken,
    /// A key that signs web identity tokens cannot be created or read.
    #[error("cannot create or read the key that signs web identity tokens: {0}")]
    TokenKey(String),
    /// The serial number or the code of a second factor is missing.
    #[error("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")]
    IncompleteFactor,
    /// Two tags have the same key.
    #[error("Duplicate tag keys found. Please note that Tag keys are case insensitive.")]
    DuplicateTags,
    /// A transitive tag key has no tag.
    #[error("The specified transitive tag key must be included in the requested tags.")]
    TransitiveTag,
    /// A tag has the key of a transitive tag of the caller's session.
    #[error(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
    )]
    InheritedTag,
    /// A session policy is malformed.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// The policies and tags of a session are too long.
    #[error("The session token would have {size} bytes, and at most {limit} are allowed; please use smaller policy.")]
    PackedPolicyTooLarge {
        /// The size in bytes.
        size: usize,
        /// The maximum size in bytes.
        limit: usize,
    },
    /// A token or assertion cannot be read, or is for another provider or audience.
    #[error("{0}")]
    InvalidIdentityToken(String),
    /// A token or assertion has expired.
    #[error("{0}")]
    ExpiredToken(String),
    /// An error of IAM.
    #[error(transparent)]
    Iam(IamError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        let (name, status) = match exception {
            Exception::Iam(_) => return IamError::failure(exception),
            Exception::Constraint { .. }
            | Exception::InvalidArn(_)
            | Exception::LongerThanTheRole
            | Exception::LongerThanAChain
            | Exception::Parameters(_) => ("ValidationError", 400),
            Exception::NotAuthorized { .. }
            | Exception::Denied(_)
            | Exception::TokenNotAuthorized(_)
            | Exception::AssumedByRoot
            | Exception::CalledWithSession(_)
            | Exception::TooManyScopedPolicies(_)
            | Exception::IncompleteFactor => ("AccessDenied", 403),
            Exception::CalledWithoutSession(_) => ("InvalidSubjectCredentials", 400),
            Exception::InsufficientSessionLifetime => ("InsufficientSessionLifetime", 400),
            Exception::SessionDurationEscalation => ("SessionDurationEscalationException", 403),
            Exception::JwtPayloadSizeExceeded { .. } => ("JWTPayloadSizeExceededException", 400),
            Exception::InvalidContextAssertion(_) => ("InvalidContextAssertion", 400),
            Exception::InvalidAuthorizationMessage => ("InvalidAuthorizationMessageException", 400),
            Exception::ExpiredTradeInToken => ("ExpiredTradeInTokenException", 400),
            Exception::DuplicateTags | Exception::TransitiveTag | Exception::InheritedTag => {
                ("InvalidParameterValue", 400)
            }
            Exception::MalformedPolicyDocument(_) => ("MalformedPolicyDocument", 400),
            Exception::PackedPolicyTooLarge { .. } => ("PackedPolicyTooLarge", 400),
            Exception::InvalidIdentityToken(_) => ("InvalidIdentityToken", 400),
            Exception::ExpiredToken(_) => ("ExpiredTokenException", 400),
            Exception::Store(_) | Exception::TokenKey(_) => {
                tracing::error!(error = %exception, "cannot complete an operation");
                return Self::internal();
            }
        };
        Self::new(name, exception.to_string(), status)
    }
}

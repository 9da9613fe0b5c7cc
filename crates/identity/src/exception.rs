//! The ways in which STS refuses, with AWS's words where they are known.

use aws::Failure;

/// Why an operation of STS failed.
#[derive(Debug, thiserror::Error)]
pub enum Exception {
    /// A member of the input is not as the model wants it.
    #[error("1 validation error detected: Value{value} at '{member}' failed to satisfy constraint: {constraint}")]
    Constraint {
        /// A space and what was given, in quotes, or `null`; nothing where it is a secret.
        value: String,
        /// The member, as a record writes it.
        member: &'static str,
        /// What the model wants.
        constraint: String,
    },
    /// An ARN does not name what it should.
    #[error("{0} is invalid")]
    InvalidArn(String),
    /// The session would be longer than the role lets it be.
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    LongerThanTheRole,
    /// A role was assumed by a role's session, for more than an hour.
    #[error("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")]
    LongerThanAChain,
    /// The caller may not do this.
    #[error("User: {caller} is not authorized to perform: {action} on resource: {resource}")]
    NotAuthorized {
        /// The ARN of who called.
        caller: String,
        /// The action, such as `sts:AssumeRole`.
        action: &'static str,
        /// The ARN of the resource.
        resource: String,
    },
    /// Somebody with a token may not have the role.
    #[error("Not authorized to perform {0}")]
    TokenNotAuthorized(&'static str),
    /// The root of an account asked for a role.
    #[error("Roles may not be assumed by root accounts.")]
    AssumedByRoot,
    /// The operation wants the keys of a user or the root.
    #[error("Cannot call {0} with session credentials")]
    CalledWithSession(&'static str),
    /// Temporary credentials are wanted, and the caller has none.
    #[error("{0} must be called with temporary security credentials")]
    CalledWithoutSession(&'static str),
    /// The scope-down policies of a session are as many as can be.
    #[error("A session can have at most {0} scope-down policies.")]
    TooManyScopedPolicies(usize),
    /// Scoped credentials would outlive the session that they are of.
    #[error("The requested DurationSeconds is greater than the remaining lifetime of the calling session.")]
    InsufficientSessionLifetime,
    /// A web identity token would outlive the session that it is for.
    #[error("The requested token duration would extend the session beyond its original expiration time.")]
    SessionDurationEscalation,
    /// A web identity token would be too large.
    #[error("The token payload has {size} bytes; at most {limit} are allowed. Send fewer or shorter tags.")]
    JwtPayloadSizeExceeded {
        /// How many bytes it would have.
        size: usize,
        /// How many it can have.
        limit: usize,
    },
    /// A parameter does not go with the others.
    #[error("{0}")]
    Parameters(&'static str),
    /// A context assertion is not one of a context provider.
    #[error("{0}")]
    InvalidContextAssertion(String),
    /// An encoded authorization message is none.
    #[error("The authorization message is not valid.")]
    InvalidAuthorizationMessage,
    /// A trade-in token is none that was issued here.
    #[error("The trade-in token is not valid, or has expired.")]
    ExpiredTradeInToken,
    /// A key cannot be made or read.
    #[error("the key of web identity tokens: {0}")]
    TokenKey(String),
    /// One of the two that show a second factor is missing.
    #[error("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")]
    HalfAFactor,
    /// Two tags have one key.
    #[error("Duplicate tag keys found. Please note that Tag keys are case insensitive.")]
    DuplicateTags,
    /// A transitive key is no key of a tag.
    #[error("The specified transitive tag key must be included in the requested tags.")]
    TransitiveTag,
    /// A tag has the key of one that the caller's session hands on.
    #[error(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
    )]
    InheritedTag,
    /// A session policy is none.
    #[error("{0}")]
    MalformedPolicyDocument(&'static str),
    /// Policies and tags of a session are too long together.
    #[error("The session token would have {size} bytes, and at most {limit} are allowed; please use smaller policy.")]
    PackedPolicyTooLarge {
        /// How many bytes it would have.
        size: usize,
        /// How many it can have.
        limit: usize,
    },
    /// A token or assertion cannot be read or is not meant for this.
    #[error("{0}")]
    InvalidIdentityToken(String),
    /// A token or assertion is too old.
    #[error("{0}")]
    ExpiredToken(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        let (name, status) = match exception {
            Exception::Constraint { .. }
            | Exception::InvalidArn(_)
            | Exception::LongerThanTheRole
            | Exception::LongerThanAChain
            | Exception::Parameters(_) => ("ValidationError", 400),
            Exception::NotAuthorized { .. }
            | Exception::TokenNotAuthorized(_)
            | Exception::AssumedByRoot
            | Exception::CalledWithSession(_)
            | Exception::TooManyScopedPolicies(_)
            | Exception::HalfAFactor => ("AccessDenied", 403),
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
                tracing::error!(error = %exception, "an operation of STS failed");
                return Self::internal();
            }
        };
        Self { name: name.to_owned(), message: exception.to_string(), status }
    }
}

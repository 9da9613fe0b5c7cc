//! Why a document is malformed, in the words of AWS IAM.

use crate::position::Position;

/// The fault that makes a document malformed. Displays the message of AWS's `MalformedPolicyDocument`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Malformed {
    /// The fault.
    pub fault: Fault,
    /// Where it is in the text.
    pub position: Position,
}

/// A fault of a document.
///
/// The texts are AWS's. Those of identity policies are asserted by the tests of moto, those of trust policies by the tests of versitygw,
/// which both record the replies of AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is no JSON, or has unknown, repeated, contradictory or wrongly typed elements.
    #[error("Syntax errors in policy.")]
    Syntax,
    /// The text of a trust policy is no JSON.
    #[error("This policy contains invalid Json")]
    InvalidJson,
    /// An effect in the wrong case, an invalid date, or a resource without a service.
    #[error("The policy failed legacy parsing")]
    LegacyParsing,
    /// A managed policy of the version 2008-10-17, or without a version.
    #[error("Policy document must be version 2012-10-17 or greater.")]
    OldVersion,
    /// The version of a trust policy is unknown.
    #[error("The policy must contain a valid version string")]
    InvalidVersion,
    /// A trust policy has no statements.
    #[error("Could not parse the policy: Statement is empty!")]
    EmptyStatement,
    /// A Sid has other characters than letters and digits.
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    InvalidSid,
    /// Two statements of an identity policy have the same Sid.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    RepeatedSid,
    /// Two statements of a trust policy have the same Sid.
    #[error("The Statement Ids in the policy are not unique")]
    RepeatedTrustSid,
    /// An identity policy has a principal.
    #[error("Policy document should not specify a principal.")]
    ProhibitedPrincipal,
    /// A trust policy has an element that it must not have.
    #[error("Has prohibited field {0}")]
    ProhibitedField(&'static str),
    /// A trust policy has `NotResource`.
    #[error("AssumeRole policy must not contain resources.")]
    ProhibitedResources,
    /// A trust policy lacks an element.
    #[error("Missing required field {0}")]
    MissingField(&'static str),
    /// A trust policy names no principal.
    #[error("Missing required field Principal cannot be empty!")]
    EmptyPrincipal,
    /// A principal cannot exist.
    #[error("Invalid principal in policy: {0}")]
    InvalidPrincipal(String),
    /// A statement allows everything but some principals.
    #[error("Allow with NotPrincipal is not allowed.")]
    AllowedNotPrincipal,
    /// A statement has neither `Action` nor `NotAction`, or an empty list.
    #[error("Policy statement must contain actions.")]
    MissingActions,
    /// A statement has neither `Resource` nor `NotResource`, or an empty list.
    #[error("Policy statement must contain resources.")]
    MissingResources,
    /// An action has no service.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    MissingVendor,
    /// An action has two colons.
    #[error("Actions/Condition can contain only one colon.")]
    SeveralColons,
    /// The service of an action has invalid characters.
    #[error("Vendor {0} is not valid")]
    InvalidVendor(String),
    /// A trust policy has an action of another service than AWS STS.
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAssumeRole,
    /// A resource is neither an ARN nor `*`.
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NotArn(String),
    /// The partition of a resource does not exist.
    #[error("Partition \"{partition}\" is not valid for resource \"{resource}\".")]
    InvalidPartition {
        /// The partition.
        partition: String,
        /// The resource, with `*` for parts that are missing.
        resource: String,
    },
    /// The service of a resource is missing or has a wildcard.
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    InvalidResourceVendor,
    /// A resource of IAM has a region.
    #[error("IAM resource {0} cannot contain region information.")]
    IamRegion(String),
    /// A resource of Amazon S3 has a region.
    #[error("Resource {0} can not contain region information.")]
    S3Region(String),
    /// A resource of IAM is of an unknown type.
    #[error("IAM resource path must either be \"*\" or start with {0}.")]
    InvalidIamPath(String),
}

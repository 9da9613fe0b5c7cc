//! The exceptions of CloudTrail's model, with their messages.
//!
//! The name on the wire is the variant's name with `Exception` appended. Messages are AWS's own where they are known.

use aws::{AccountId, Denial, Failure, Region};
use strum::IntoStaticStr;

/// The failure of an operation: a variant for each exception that can occur, and two for internal failures.
#[expect(missing_docs, reason = "the message of each variant describes it")]
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
    #[error(
        "The token is not one that this lookup gave; a token goes with the same arguments only, but for MaxResults."
    )]
    InvalidNextToken,
    #[error("Rate exceeded")]
    Throttling,
    // Trails.
    #[error("A trail name or ARN is required.")]
    TrailNotProvided,
    #[error("{reason}")]
    InvalidTrailName { reason: String },
    #[error("The trail ARN {arn} is not valid.")]
    CloudTrailARNInvalid { arn: String },
    #[error("Unknown trail: {name} for the user: {account}")]
    TrailNotFound { name: String, account: AccountId },
    #[error("Trail {name} already exists for customer: {account}")]
    TrailAlreadyExists { name: String, account: AccountId },
    #[error("Another region has a trail {name}, so this one cannot be of all regions.")]
    Conflict { name: String },
    #[error("User: {account} already has {limit} trails in {region}.")]
    MaximumNumberOfTrailsExceeded { account: AccountId, limit: usize, region: Region },
    #[error(
        "The trail {arn} can be changed in its home region {home_region} only, and the request was sent to {region}."
    )]
    InvalidHomeRegion { arn: String, home_region: Region, region: Region },
    #[error("{reason}")]
    InvalidParameterCombination { reason: String },
    #[error("{reason}")]
    InvalidEventSelectors { reason: String },
    #[error("{reason}")]
    InvalidInsightSelectors { reason: String },
    #[error(
        "Trail {arn} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again."
    )]
    InsightNotEnabled { arn: String },
    #[error("{reason}")]
    InvalidParameter { reason: String },

    // Permissions.
    #[error("{0}")]
    AccessDenied(#[from] Denial),

    // Destinations of trails.
    #[error("{reason}")]
    InvalidS3BucketName { reason: String },
    #[error("S3 bucket {bucket} does not exist!")]
    S3BucketDoesNotExist { bucket: String },
    #[error("Incorrect S3 bucket policy is detected for bucket: {bucket}")]
    InsufficientS3BucketPolicy { bucket: String },
    #[error("SNS Topic does not exist or the topic policy is incorrect!")]
    InsufficientSnsTopicPolicy,
    #[error("The S3 key prefix '{prefix}' is not valid: write at most 200 letters that begin and end with no slash.")]
    InvalidS3Prefix { prefix: String },
    #[error("The SNS topic '{name}' is not valid: write the name or the ARN of a topic that is not FIFO.")]
    InvalidSnsTopicName { name: String },
    #[error("The KMS key '{id}' is not valid: write an ID, an alias or an ARN of one.")]
    InvalidKmsKeyId { id: String },
    #[error("A CloudWatch Logs role needs the ARN of a log group, and it is not valid or missing.")]
    InvalidCloudWatchLogsLogGroupArn,
    #[error("A CloudWatch Logs log group needs the ARN of a role, and it is not valid or missing.")]
    InvalidCloudWatchLogsRoleArn,
    #[error("The account is not in an organization.")]
    OrganizationsNotInUse,

    // Tags.
    #[error("Resource not found: {resource}")]
    ResourceNotFound { resource: String },
    #[error("Resource type of {arn} is not supported: tags are for trails.")]
    ResourceTypeNotSupported { arn: String },
    #[error("{reason}")]
    InvalidTagParameter { reason: String },
    #[error("A trail has {limit} tags at most.")]
    TagsLimitExceeded { limit: usize },
    #[error("The token is not valid.")]
    InvalidToken,

    // Internal failures, which the model does not have.
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A file could not be read or written.
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
        if let Exception::AccessDenied(denial) = exception {
            return denial.json();
        }
        if matches!(exception, Exception::Store(_) | Exception::Io(_)) {
            tracing::error!(error = %exception, "an operation of CloudTrail failed");
            return Self::internal();
        }
        Self::client(exception.name(), exception.to_string())
    }
}

//! The exceptions that CodeCommit models, with their messages.
//!
//! A variant's name with `Exception` after it is the name on the wire. Where AWS's words are known they are used.

use aws::Failure;
use strum::IntoStaticStr;

/// Why an operation failed.
#[derive(Debug, thiserror::Error, IntoStaticStr)]
pub enum Exception {
    // Repositories.
    /// No repository name was given.
    #[error("A repository name is required, but was not specified.")]
    RepositoryNameRequired,
    /// No list of repository names was given.
    #[error("At least one repository name is required, but was not specified.")]
    RepositoryNamesRequired,
    /// The name breaks the rules.
    // The blank at the end is AWS's.
    #[error(
        "The repository name is not valid. Repository names can be any valid combination of letters, numbers, periods, \
         underscores, and dashes between 1 and 100 characters in length. Names are case sensitive. For more information, see \
         Limits in the AWS CodeCommit User Guide. "
    )]
    InvalidRepositoryName,
    /// More than 100 names were given.
    #[error("At most {limit} repository names can be specified.")]
    MaximumRepositoryNamesExceeded {
        /// The limit.
        limit: usize,
    },
    /// There is no such repository.
    #[error("{name} does not exist")]
    RepositoryDoesNotExist {
        /// The name.
        name: String,
    },
    /// The name is taken.
    #[error("Repository named {name} already exists")]
    RepositoryNameExists {
        /// The name.
        name: String,
    },
    /// The account has as many as it can have.
    #[error("The limit of {limit} repositories in this AWS account and Region is reached.")]
    RepositoryLimitExceeded {
        /// The limit.
        limit: u64,
    },
    /// The description is too long.
    #[error("The repository description is not valid. Descriptions can be at most 1,000 characters long.")]
    InvalidRepositoryDescription,
    /// The account may not create repositories.
    #[error(
        "CreateRepository request is not allowed because there is no existing repository in this AWS account or AWS Organization"
    )]
    OperationNotAllowed,

    // Listings.
    /// The token is not one of this listing's.
    #[error("The continuation token is not valid for this request.")]
    InvalidContinuationToken,
    /// The order is none.
    #[error("The sort order is not valid. Valid values are ascending and descending.")]
    InvalidOrder,
    /// The sort criterion is none.
    #[error("The sort criterion is not valid. Valid values are repositoryName and lastModifiedDate.")]
    InvalidSortBy,

    // Branches and commits.
    /// No branch name was given.
    #[error("A branch name is required, but was not specified.")]
    BranchNameRequired,
    /// The name breaks Git's or CodeCommit's rules.
    #[error("The branch name {name} is not valid.")]
    InvalidBranchName {
        /// The name.
        name: String,
    },
    /// The branch is there already.
    #[error("A branch named {name} already exists.")]
    BranchNameExists {
        /// The name.
        name: String,
    },
    /// There is no such branch.
    #[error("{reference} does not exist")]
    BranchDoesNotExist {
        /// The full name.
        reference: String,
    },
    /// It is the default branch.
    #[error("{name} is the default branch of the repository and cannot be deleted.")]
    DefaultBranchCannotBeDeleted {
        /// The name.
        name: String,
    },
    /// No commit id was given.
    #[error("A commit ID is required, but no commit ID was specified.")]
    CommitIdRequired,
    /// The id is not forty hexadecimal digits.
    #[error("{id} is not a valid commit ID. Commit IDs are 40 hexadecimal characters long.")]
    InvalidCommitId {
        /// The text.
        id: String,
    },
    /// There is no such commit.
    #[error("Commit {id} does not exist.")]
    CommitDoesNotExist {
        /// The id.
        id: String,
    },
    /// Another change to the same reference came first.
    #[error("{reference} was changed at the same time. Try again.")]
    ConcurrentReferenceUpdate {
        /// The full name.
        reference: String,
    },

    // Tags of resources.
    /// No ARN was given.
    #[error("A resource ARN is required, but was not specified.")]
    ResourceArnRequired,
    /// The ARN is none of a repository in this region.
    #[error("{arn} is not the ARN of a CodeCommit resource in this AWS Region.")]
    InvalidResourceArn {
        /// The text.
        arn: String,
    },
    /// No tags were given.
    #[error("A map of tags is required, but was not specified.")]
    TagsMapRequired,
    /// A key or value breaks the rules.
    #[error(
        "The tag {key} is not valid. Keys have 1 to 128 and values up to 256 letters, digits, spaces and characters of + - = . _ : / @."
    )]
    InvalidTagsMap {
        /// The key.
        key: String,
    },
    /// No tag keys were given.
    #[error("A list of tag keys is required, but was not specified.")]
    TagKeysListRequired,
    /// A key breaks the rules.
    #[error("The tag key {key} is not valid.")]
    InvalidTagKeysList {
        /// The key.
        key: String,
    },
    /// The key is one of AWS's own.
    #[error("The tag key {key} is not valid. Tag keys cannot begin with aws:.")]
    InvalidSystemTagUsage {
        /// The key.
        key: String,
    },
    /// More than 50 tags.
    #[error("A resource can have at most {limit} tags.")]
    TooManyTags {
        /// The limit.
        limit: usize,
    },
    /// The organization does not want the value.
    #[error("The tag policy does not allow the specified value for the following tag key: '{key}'.")]
    TagPolicy {
        /// The key.
        key: String,
    },

    // Encryption.
    /// No key was given.
    #[error("An encryption key ID is required, but was not specified.")]
    EncryptionKeyRequired,
    /// The text is no id of a key.
    #[error("{key} is not a valid ID of an AWS KMS key in this AWS Region.")]
    EncryptionKeyInvalidId {
        /// The text.
        key: String,
    },
    /// The key is one that CodeCommit cannot use.
    #[error("{key} is managed by AWS for another service and cannot be used by CodeCommit.")]
    EncryptionKeyInvalidUsage {
        /// The key.
        key: String,
    },
    /// The data does not fit the key.
    #[error("The encryption integrity checks failed for the key {key}.")]
    EncryptionIntegrityChecksFailed {
        /// The key.
        key: String,
    },
    /// The caller may not use the key.
    #[error("User is not authorized for the KMS key '{key}'")]
    EncryptionKeyAccessDenied {
        /// The key.
        key: String,
    },
    /// The key is disabled.
    #[error("The encryption key {key} is disabled.")]
    EncryptionKeyDisabled {
        /// The key.
        key: String,
    },
    /// The key does not exist.
    #[error("The encryption key {key} was not found.")]
    EncryptionKeyNotFound {
        /// The key.
        key: String,
    },
    /// The key service cannot be reached.
    #[error("The encryption key {key} is not available.")]
    EncryptionKeyUnavailable {
        /// The key.
        key: String,
    },

    // What is our fault and modelled nowhere.
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The objects cannot be read or written.
    #[error(transparent)]
    Objects(#[from] git::Error),
    /// The folder of the objects cannot be read or written.
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
        let status = match &exception {
            Exception::Store(_) | Exception::Objects(_) | Exception::Io(_) => {
                tracing::error!(error = %exception, "an operation failed");
                return Self::internal();
            }
            Exception::EncryptionIntegrityChecksFailed { .. } => 500,
            _ => 400,
        };
        Self { name: exception.name(), message: exception.to_string(), status }
    }
}

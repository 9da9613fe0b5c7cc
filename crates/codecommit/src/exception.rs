//! Exceptions of `CodeCommit`'s model, with their messages.
//!
//! The name on the wire is the variant's name followed by `Exception`. Messages are AWS's where they are known.

use aws::{Denial, Failure};
use strum::IntoStaticStr;

/// Failure of an operation: a variant for each exception that AWS models, and three for internal errors.
#[expect(missing_docs, reason = "the message of each variant explains it")]
#[derive(Debug, thiserror::Error, IntoStaticStr)]
pub enum Exception {
    // Repositories.
    #[error("A repository name is required, but was not specified.")]
    RepositoryNameRequired,
    #[error("At least one repository name is required, but was not specified.")]
    RepositoryNamesRequired,
    // The space at the end is AWS's.
    #[error(
        "The repository name is not valid. Repository names can be any valid combination of letters, numbers, periods, \
         underscores, and dashes between 1 and 100 characters in length. Names are case sensitive. For more information, see \
         Limits in the AWS CodeCommit User Guide. "
    )]
    InvalidRepositoryName,
    // The two spaces are AWS's.
    #[error("repositoryNames has too many repository names.  Maximum allowed is {limit}")]
    MaximumRepositoryNamesExceeded { limit: usize },
    #[error("{name} does not exist")]
    RepositoryDoesNotExist { name: String },
    #[error("Repository named {name} already exists")]
    RepositoryNameExists { name: String },
    #[error("The limit of {limit} repositories in this AWS account and Region is reached.")]
    RepositoryLimitExceeded { limit: u64 },
    #[error("The repository description is not valid. Descriptions can be at most 1,000 characters long.")]
    InvalidRepositoryDescription,
    #[error(
        "CreateRepository request is not allowed because there is no existing repository in this AWS account or AWS Organization"
    )]
    OperationNotAllowed,

    // Permissions.
    #[error("{0}")]
    AccessDenied(#[from] Denial),

    // Listings.
    #[error("The continuation token is not valid for this request.")]
    InvalidContinuationToken,
    #[error("The maximum number of results is not valid. Valid values are 1 to {max}.")]
    InvalidMaxResults { max: usize },
    #[error("The sort order is not valid. Valid values are ascending and descending.")]
    InvalidOrder,
    #[error("The sort criterion is not valid. Valid values are repositoryName and lastModifiedDate.")]
    InvalidSortBy,
    #[error("{reason}")]
    Validation { reason: String },

    // Branches.
    #[error("A branch name is required, but was not specified.")]
    BranchNameRequired,
    #[error("The branch name {name} is not valid.")]
    InvalidBranchName { name: String },
    #[error("A branch named {name} already exists.")]
    BranchNameExists { name: String },
    #[error("{name} is the name of a tag. Specify the name of a branch.")]
    BranchNameIsTagName { name: String },
    #[error("{reference} does not exist")]
    BranchDoesNotExist { reference: String },
    #[error("{name} is the default branch of the repository and cannot be deleted.")]
    DefaultBranchCannotBeDeleted { name: String },
    #[error("{reference} was changed at the same time. Try again.")]
    ConcurrentReferenceUpdate { reference: String },

    // Commits and blobs.
    #[error("A commit ID is required, but no commit ID was specified.")]
    CommitIdRequired,
    #[error("At least one commit ID is required, but was not specified.")]
    CommitIdsListRequired,
    #[error("At most {limit} commit IDs can be specified.")]
    CommitIdsLimitExceeded { limit: usize },
    #[error("{id} is not a valid commit ID. Commit IDs are 40 hexadecimal characters long.")]
    InvalidCommitId { id: String },
    #[error("Could not retrieve {id}")]
    CommitIdDoesNotExist { id: String },
    #[error("Commit {id} does not exist.")]
    CommitDoesNotExist { id: String },
    #[error("A commit specifier is required, but was not specified.")]
    CommitRequired,
    #[error("{specifier} is not a valid branch name, tag name, reference, or full commit ID.")]
    InvalidCommit { specifier: String },
    #[error("A blob ID is required, but was not specified.")]
    BlobIdRequired,
    #[error("{id} is not a valid blob ID. Blob IDs are 40 hexadecimal characters long.")]
    InvalidBlobId { id: String },
    #[error("Blob {id} does not exist.")]
    BlobIdDoesNotExist { id: String },

    // Paths and files.
    #[error("A path is required, but was not specified.")]
    PathRequired,
    #[error("The path {path} is not valid.")]
    InvalidPath { path: String },
    // Of the exceptions that all operations which write files have in common, this one is the closest.
    #[error("The files are not valid. Git would refuse them: {fault}")]
    #[strum(serialize = "InvalidPath")]
    UnsoundObject { fault: String },
    #[error("The path {path} does not exist.")]
    PathDoesNotExist { path: String },
    #[error("Could not find path {path}")]
    FileDoesNotExist { path: String },
    #[error("Could not find folder {path}")]
    FolderDoesNotExist { path: String },
    #[error("The file is larger than {limit} bytes. Use a Git client to view its content.")]
    FileTooLarge { limit: u64 },

    // Writing files.
    #[error("The ID of the parent commit is required, but was not specified. The branch has commits.")]
    ParentCommitIdRequired,
    #[error("{id} is not a valid parent commit ID. Commit IDs are 40 hexadecimal characters long.")]
    InvalidParentCommitId { id: String },
    #[error("The parent commit {id} does not exist.")]
    ParentCommitDoesNotExist { id: String },
    #[error("{id} is not the tip of the branch, which is {tip}.")]
    ParentCommitIdOutdated { id: String, tip: String },
    #[error("The file is empty. Empty files cannot be added to a repository.")]
    FileContentRequired,
    #[error("The file is larger than {limit} bytes. Use a Git client to commit larger files.")]
    FileContentSizeLimitExceeded { limit: u64 },
    #[error("The files of one folder are larger than {limit} bytes together.")]
    FolderContentSizeLimitExceeded { limit: u64 },
    #[error("The content and mode of {path} are the same as before.")]
    SameFileContent { path: String },
    #[error("{path} is a directory. A file cannot have its name.")]
    FileNameConflictsWithDirectoryName { path: String },
    #[error("{path} is a file. A directory cannot have its name.")]
    DirectoryNameConflictsWithFileName { path: String },
    #[error("{path} is a submodule. A file cannot be put there.")]
    FilePathConflictsWithSubmodulePath { path: String },
    #[error("{mode} is not a valid file mode. Valid values are EXECUTABLE, NORMAL, and SYMLINK.")]
    InvalidFileMode { mode: String },
    #[error("A file mode is required, but was not specified.")]
    FileModeRequired,
    #[error("At least one file to put, to delete, or to change the mode of is required, but was not specified.")]
    FileEntryRequired,
    #[error("At most {limit} files can be changed by one commit.")]
    MaximumFileEntriesExceeded { limit: usize },
    #[error("{path} is put more than once, or as a file and as a directory.")]
    PutFileEntryConflict { path: String },
    #[error("{path} is specified more than once. Specify each path once.")]
    SamePathRequest { path: String },
    #[error("Either the content or a source file is required for {path}, but neither was specified.")]
    SourceFileOrContentRequired { path: String },
    #[error("Both the content and a source file are specified for {path}. Specify one of them.")]
    FileContentAndSourceFileSpecified { path: String },
    #[error("{path} cannot be a source file: it only keeps a folder that is empty.")]
    RestrictedSourceFile { path: String },
    #[error("The setting for folders that become empty is not valid.")]
    InvalidDeletionParameter,
    #[error("The commit would change nothing.")]
    NoChange,
    #[error("The commit message is longer than {limit} bytes.")]
    CommitMessageLengthExceeded { limit: usize },
    #[error("The name is longer than {limit} characters.")]
    NameLengthExceeded { limit: usize },
    #[error("The email address is not valid. It can be at most 256 characters long, without <, > and line breaks.")]
    InvalidEmail,

    // Merges.
    #[error("A merge option is required, but was not specified.")]
    MergeOptionRequired,
    #[error("{option} is not a valid merge option for this operation.")]
    InvalidMergeOption { option: String },
    #[error("{level} is not a valid conflict detail level. Valid values are FILE_LEVEL and LINE_LEVEL.")]
    InvalidConflictDetailLevel { level: String },
    #[error("{strategy} is not a valid conflict resolution strategy.")]
    InvalidConflictResolutionStrategy { strategy: String },
    #[error("The conflict resolution is not valid: {reason}")]
    InvalidConflictResolution { reason: String },
    #[error("At most {limit} conflicts can be resolved by one merge.")]
    MaximumConflictResolutionEntriesExceeded { limit: usize },
    #[error("{path} has more than one conflict resolution.")]
    MultipleConflictResolutionEntries { path: String },
    #[error("A replacement type is required, but was not specified.")]
    ReplacementTypeRequired,
    #[error("{kind} is not a valid replacement type.")]
    InvalidReplacementType { kind: String },
    #[error("New content is required for {path}, but was not specified.")]
    ReplacementContentRequired { path: String },
    #[error("The replacement type of {path} does not allow new content.")]
    InvalidReplacementContent { path: String },
    #[error("The maximum number of merge hunks is not valid. Valid values are 1 to {max}.")]
    InvalidMaxMergeHunks { max: usize },
    #[error("The maximum number of files is not valid. Valid values are 1 to {max}.")]
    InvalidMaxConflictFiles { max: usize },
    #[error("{specifier} is not a valid source commit specifier.")]
    InvalidSourceCommitSpecifier { specifier: String },
    #[error("{specifier} is not a valid destination commit specifier.")]
    InvalidDestinationCommitSpecifier { specifier: String },
    #[error("{name} is not a valid target branch.")]
    InvalidTargetBranch { name: String },
    #[error("The merge cannot be done automatically: there are conflicts, or the branches have diverged.")]
    ManualMergeRequired,
    #[error("The two commits have diverged too far. Use a Git client to merge them.")]
    TipsDivergenceExceeded,
    #[error("The files to merge are larger than {limit} bytes. Use a Git client.")]
    MaximumFileContentToLoadExceeded { limit: u64 },
    #[error("More than {limit} files would have to be compared. Use a Git client.")]
    MaximumItemsToCompareExceeded { limit: usize },

    // Pull requests.
    #[error("A pull request ID is required, but was not specified.")]
    PullRequestIdRequired,
    #[error("{id} is not a valid pull request ID.")]
    InvalidPullRequestId { id: String },
    #[error("Pull request {id} does not exist.")]
    PullRequestDoesNotExist { id: String },
    #[error("Pull request {id} is closed.")]
    PullRequestAlreadyClosed { id: String },
    #[error("A title is required, but was not specified.")]
    TitleRequired,
    #[error("The title is not valid. Titles can be at most {limit} characters long.")]
    InvalidTitle { limit: usize },
    #[error("The description is not valid. Descriptions can be at most {limit} characters long.")]
    InvalidDescription { limit: usize },
    #[error("A list of targets is required, but was not specified.")]
    TargetsRequired,
    #[error("A target is required, but was not specified.")]
    TargetRequired,
    #[error("The list of targets is not valid. A pull request has one target.")]
    InvalidTargets,
    #[error("The target is not valid. It has a repository name, a source reference, and a destination reference.")]
    InvalidTarget,
    #[error("The targets are in more than one repository. A pull request has one target.")]
    MultipleRepositoriesInPullRequest,
    #[error("A reference name is required, but was not specified.")]
    ReferenceNameRequired,
    #[error("{name} is not a valid reference name.")]
    InvalidReferenceName { name: String },
    #[error("{name} is not a branch. Pull requests are between branches.")]
    ReferenceTypeNotSupported { name: String },
    #[error("{name} does not exist.")]
    ReferenceDoesNotExist { name: String },
    #[error("The source and the destination of the pull request are the same.")]
    SourceAndDestinationAreSame,
    #[error("The limit of {limit} open pull requests is reached.")]
    MaximumOpenPullRequestsExceeded { limit: u64 },
    #[error("A pull request status is required, but was not specified.")]
    PullRequestStatusRequired,
    #[error("{status} is not a valid pull request status. Valid values are OPEN and CLOSED.")]
    InvalidPullRequestStatus { status: String },
    #[error("A closed pull request cannot be opened again.")]
    InvalidPullRequestStatusUpdate,
    #[error("{kind} is not a valid pull request event type.")]
    InvalidPullRequestEventType { kind: String },
    #[error("{arn} is not a valid ARN of an actor.")]
    InvalidActorArn { arn: String },
    #[error("{arn} is not the actor of any pull request event in this AWS account.")]
    ActorDoesNotExist { arn: String },
    #[error("{arn} is not a valid ARN of an author.")]
    InvalidAuthorArn { arn: String },
    #[error("{arn} is not the author of any pull request in this AWS account.")]
    AuthorDoesNotExist { arn: String },
    #[error("{name} is not the repository of pull request {id}.")]
    RepositoryNotAssociatedWithPullRequest { name: String, id: String },
    #[error("The tip of the source reference is different: {tip}.")]
    TipOfSourceReferenceIsDifferent { tip: String },
    #[error("The approval rules of pull request {id} are not satisfied.")]
    PullRequestApprovalRulesNotSatisfied { id: String },
    #[error("A client request token is required, but was not specified.")]
    ClientRequestTokenRequired,
    #[error("The client request token is not valid. It has 1 to {limit} characters.")]
    InvalidClientRequestToken { limit: usize },
    #[error("The client request token was used before, with other parameters.")]
    IdempotencyParameterMismatch,

    // Approvals.
    #[error("A revision ID is required, but was not specified.")]
    RevisionIdRequired,
    #[error("{id} is not a valid revision ID.")]
    InvalidRevisionId { id: String },
    #[error("{id} is not the current revision of the pull request.")]
    RevisionNotCurrent { id: String },
    #[error("An approval state is required, but was not specified.")]
    ApprovalStateRequired,
    #[error("{state} is not a valid approval state. Valid values are APPROVE and REVOKE.")]
    InvalidApprovalState { state: String },
    #[error("A pull request cannot be approved by its author.")]
    PullRequestCannotBeApprovedByAuthor,
    #[error("The limit of {limit} approvals is reached.")]
    MaximumNumberOfApprovalsExceeded { limit: usize },
    #[error("An override status is required, but was not specified.")]
    OverrideStatusRequired,
    #[error("{status} is not a valid override status. Valid values are OVERRIDE and REVOKE.")]
    InvalidOverrideStatus { status: String },
    #[error("The approval rules are already overridden.")]
    OverrideAlreadySet,
    #[error("An approval rule name is required, but was not specified.")]
    ApprovalRuleNameRequired,
    #[error(
        "The approval rule name is not valid. It has 1 to {limit} letters, digits, periods, spaces, underscores and dashes."
    )]
    InvalidApprovalRuleName { limit: usize },
    #[error("The pull request already has an approval rule named {name}.")]
    ApprovalRuleNameAlreadyExists { name: String },
    #[error("The pull request has no approval rule named {name}.")]
    ApprovalRuleDoesNotExist { name: String },
    #[error("The content of an approval rule is required, but was not specified.")]
    ApprovalRuleContentRequired,
    #[error("The content of the approval rule is not valid: {reason}")]
    InvalidApprovalRuleContent { reason: String },
    #[error("The SHA-256 hash does not match the content of the rule.")]
    InvalidRuleContentSha256,
    #[error("The limit of {limit} approval rules is reached.")]
    NumberOfRulesExceeded { limit: usize },
    #[error("{name} was created from a template and cannot be changed.")]
    CannotModifyApprovalRuleFromTemplate { name: String },
    #[error("{name} was created from a template and cannot be deleted.")]
    CannotDeleteApprovalRuleFromTemplate { name: String },
    #[error("An approval rule template name is required, but was not specified.")]
    ApprovalRuleTemplateNameRequired,
    #[error(
        "The approval rule template name is not valid. It has 1 to {limit} letters, digits, periods, spaces, underscores and \
         dashes."
    )]
    InvalidApprovalRuleTemplateName { limit: usize },
    #[error("An approval rule template named {name} already exists.")]
    ApprovalRuleTemplateNameAlreadyExists { name: String },
    #[error("The approval rule template {name} does not exist.")]
    ApprovalRuleTemplateDoesNotExist { name: String },
    #[error("The approval rule template {name} is associated with a repository.")]
    ApprovalRuleTemplateInUse { name: String },
    #[error("The content of an approval rule template is required, but was not specified.")]
    ApprovalRuleTemplateContentRequired,
    #[error("The content of the approval rule template is not valid: {reason}")]
    InvalidApprovalRuleTemplateContent { reason: String },
    #[error("The description can be at most {limit} characters long.")]
    InvalidApprovalRuleTemplateDescription { limit: usize },
    #[error("The limit of {limit} approval rule templates is reached.")]
    NumberOfRuleTemplatesExceeded { limit: u64 },
    #[error("The limit of {limit} templates of one repository is reached.")]
    MaximumRuleTemplatesAssociatedWithRepository { limit: usize },

    // Comments.
    #[error("A comment ID is required, but was not specified.")]
    CommentIdRequired,
    #[error("{id} is not a valid comment ID.")]
    InvalidCommentId { id: String },
    #[error("Comment {id} does not exist.")]
    CommentDoesNotExist { id: String },
    #[error("Comment {id} was deleted.")]
    CommentDeleted { id: String },
    #[error("A comment can be changed only by its author.")]
    CommentNotCreatedByCaller,
    #[error("The content of a comment is required, but was not specified.")]
    CommentContentRequired,
    #[error("The comment is longer than {limit} characters.")]
    CommentContentSizeLimitExceeded { limit: usize },
    #[error("The commit before and the commit after are the same.")]
    BeforeCommitIdAndAfterCommitIdAreSame,
    #[error("The location is not valid. It has a file path, a file position, and a relative file version.")]
    InvalidFileLocation,
    #[error("{position} is not a position in the file.")]
    InvalidFilePosition { position: i64 },
    #[error("{version} is not valid. Valid values are BEFORE and AFTER.")]
    InvalidRelativeFileVersionEnum { version: String },
    #[error("A reaction value is required, but was not specified.")]
    ReactionValueRequired,
    #[error("{value} is not a valid reaction.")]
    InvalidReactionValue { value: String },
    #[error("{arn} is not a valid ARN of a user.")]
    InvalidReactionUserArn { arn: String },
    #[error("The limit of {limit} reactions to one comment is reached.")]
    ReactionLimitExceeded { limit: usize },

    // Triggers.
    #[error("A list of triggers is required, but was not specified.")]
    RepositoryTriggersListRequired,
    #[error("A repository can have at most {limit} triggers.")]
    MaximumRepositoryTriggersExceeded { limit: usize },
    #[error("A trigger name is required, but was not specified.")]
    RepositoryTriggerNameRequired,
    #[error("{name} is not a valid trigger name.")]
    InvalidRepositoryTriggerName { name: String },
    #[error("A destination ARN is required, but was not specified.")]
    RepositoryTriggerDestinationArnRequired,
    #[error("{arn} is not the ARN of an SNS topic or a Lambda function.")]
    InvalidRepositoryTriggerDestinationArn { arn: String },
    #[error("{arn} is not in the AWS Region of the repository.")]
    InvalidRepositoryTriggerRegion { arn: String },
    #[error("The custom data can be at most {limit} characters long.")]
    InvalidRepositoryTriggerCustomData { limit: usize },
    #[error("Repository trigger branch name list cannot be null")]
    RepositoryTriggerBranchNameListRequired,
    #[error("The branch name {name} of a trigger is not valid.")]
    InvalidRepositoryTriggerBranchName { name: String },
    #[error("A trigger can have at most {limit} branches.")]
    MaximumBranchesExceeded { limit: usize },
    #[error("A list of events is required, but was not specified.")]
    RepositoryTriggerEventsListRequired,
    #[error("{reason}")]
    InvalidRepositoryTriggerEvents { reason: &'static str },

    // Tags of resources.
    #[error("A resource ARN is required, but was not specified.")]
    ResourceArnRequired,
    #[error("{arn} is not the ARN of a CodeCommit resource in this AWS Region.")]
    InvalidResourceArn { arn: String },
    #[error("A map of tags is required, but was not specified.")]
    TagsMapRequired,
    #[error(
        "The tag {key} is not valid. Keys have 1 to 128 and values up to 256 letters, digits, spaces and characters of + - = . _ : / @."
    )]
    InvalidTagsMap { key: String },
    #[error("A list of tag keys is required, but was not specified.")]
    TagKeysListRequired,
    #[error("The tag key {key} is not valid.")]
    InvalidTagKeysList { key: String },
    #[error("The tag key {key} is not valid. Tag keys cannot begin with aws:.")]
    InvalidSystemTagUsage { key: String },
    #[error("A resource can have at most {limit} tags.")]
    TooManyTags { limit: usize },
    #[error("The tag policy does not allow the specified value for the following tag key: '{key}'.")]
    TagPolicy { key: String },

    // Encryption.
    #[error("An encryption key ID is required, but was not specified.")]
    EncryptionKeyRequired,
    #[error("{key} is not a valid ID of an AWS KMS key in this AWS Region.")]
    EncryptionKeyInvalidId { key: String },
    #[error("{key} is managed by AWS for another service and cannot be used by CodeCommit.")]
    EncryptionKeyInvalidUsage { key: String },
    #[error("The encryption integrity checks failed for the key {key}.")]
    EncryptionIntegrityChecksFailed { key: String },
    #[error("User is not authorized for the KMS {key}")]
    EncryptionKeyAccessDenied { key: String },
    #[error("The encryption key {key} is disabled.")]
    EncryptionKeyDisabled { key: String },
    #[error("The encryption key {key} was not found.")]
    EncryptionKeyNotFound { key: String },
    #[error("The encryption key {key} is not available.")]
    EncryptionKeyUnavailable { key: String },

    // Internal errors, which AWS does not model.
    /// Failure of the database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Failure to read or write Git objects.
    #[error(transparent)]
    Objects(git::Error),
    /// Failure to read or write the folder of the objects.
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

impl From<git::Error> for Exception {
    fn from(error: git::Error) -> Self {
        match error {
            git::Error::Time => Self::TipsDivergenceExceeded,
            error => Self::Objects(error),
        }
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        let status = match &exception {
            Exception::Objects(git::Error::Interrupted) => {
                let message =
                    "The request was aborted because its client disconnected or the server is stopping.".to_owned();
                return Self::new("ServiceUnavailable", message, 503);
            }
            Exception::AccessDenied(denial) => return denial.clone().json(),
            Exception::Store(_) | Exception::Objects(_) | Exception::Io(_) => {
                tracing::error!(error = %exception, "cannot complete an operation");
                return Self::internal();
            }
            Exception::EncryptionIntegrityChecksFailed { .. } => 500,
            _ => 400,
        };
        Self::new(exception.name(), exception.to_string(), status)
    }
}

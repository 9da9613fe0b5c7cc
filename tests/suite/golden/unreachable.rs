//! Exceptions of the models that no case can cause, each with the reason.

/// Exceptions of operations of CodeCommit that cannot occur here, each with the reason.
pub const UNREACHABLE: &[(&[&str], &str, &str)] = &[
    (&["CreateCommit"], "InvalidDeletionParameterException", "keepEmptyFolders is either true or false"),
    (
        &["CreatePullRequest", "PostCommentForComparedCommit", "PostCommentForPullRequest", "PostCommentReply"],
        "ClientRequestTokenRequiredException",
        "the token may be left out",
    ),
    (&["GetDifferences"], "InvalidCommitIdException", "what is no id is the name of a reference"),
    (&["GetFolder"], "PathRequiredException", "a path that is not there reads as an empty one, and that is the root"),
    (
        &["ListFileCommitHistory"],
        "TipsDivergenceExceededException",
        "there is one tip, and a history of any length is read",
    ),
    (
        &["PutCommentReaction"],
        "ReactionLimitExceededException",
        "a user's other reaction takes the place of the one before",
    ),
    (&["GetMergeConflicts"], "InvalidCommitException", "it is told which of the two commits is meant"),
    (&["CreateUnreferencedMergeCommit"], "ConcurrentReferenceUpdateException", "no reference moves"),
    (
        &["MergePullRequestByFastForward", "MergePullRequestBySquash", "MergePullRequestByThreeWay"],
        "ConcurrentReferenceUpdateException",
        "only a race brings it, and has a test",
    ),
    (
        &["MergePullRequestByFastForward"],
        "ReferenceDoesNotExistException",
        "the deletion of a branch closes its pull requests",
    ),
    (&["PutFile"], "FolderContentSizeLimitExceededException", "one file is too large before its folder is"),
    (&["PutFile"], "InvalidDeletionParameterException", "nothing is deleted"),
    (
        &["CreateTrail", "UpdateTrail"],
        "S3BucketDoesNotExistException",
        "only a bucket at another endpoint brings it, and has a test",
    ),
    (
        &["CreateTrail", "UpdateTrail"],
        "InsufficientS3BucketPolicyException",
        "only a folder that cannot be written brings it, and has a test",
    ),
    (&["CreateTrail", "UpdateTrail"], "InsufficientSnsTopicPolicyException", "topics are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "InsufficientEncryptionPolicyException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "KmsKeyNotFoundException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "KmsKeyDisabledException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "KmsException", "keys are not looked for"),
    (&["CreateTrail", "UpdateTrail"], "InvalidParameterException", "each parameter has an exception of its own"),
    (&["UpdateTrail"], "InvalidEventSelectorsException", "PutEventSelectors alone puts them"),
    (&["PutInsightSelectors"], "S3BucketDoesNotExistException", "no bucket is looked for"),
    (&["PutInsightSelectors"], "InsufficientS3BucketPolicyException", "no bucket is looked for"),
    (&["PutInsightSelectors"], "InsufficientEncryptionPolicyException", "keys are not looked for"),
    (&["PutInsightSelectors"], "KmsException", "keys are not looked for"),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "EventDataStoreARNInvalidException",
        "there are no event data stores or channels",
    ),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "InactiveEventDataStoreException",
        "there are no event data stores or channels",
    ),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "EventDataStoreNotFoundException",
        "there are no event data stores or channels",
    ),
    (
        &["AddTags", "RemoveTags", "ListTags"],
        "ChannelARNInvalidException",
        "there are no event data stores or channels",
    ),
    (&["AddTags", "RemoveTags"], "ChannelNotFoundException", "there are no event data stores or channels"),
    (&["ListRequiredTags"], "PaginationTokenExpiredException", "there is one page"),
];

/// Exceptions of operations of CloudTrail that cannot occur here or in a golden, each with the reason.
pub const NOT_HERE: &[(&str, &str)] = &[
    ("OperationNotPermittedException", "everyone is let in"),
    ("UnsupportedOperationException", "what is there is supported"),
    ("CloudTrailAccessNotEnabledException", "there are no organizations"),
    ("InsufficientDependencyServiceAccessPermissionException", "there are no organizations"),
    ("NoManagementAccountSLRExistsException", "there are no organizations"),
    ("NotOrganizationMasterAccountException", "there are no organizations"),
    ("NotOrganizationManagementAccountException", "there are no organizations"),
    ("OrganizationsNotInUseException", "there are no organizations"),
    ("OrganizationNotInAllFeaturesModeException", "there are no organizations"),
    ("CloudTrailInvalidClientTokenIdException", "there are no organizations"),
    ("InvalidCloudWatchLogsLogGroupArnException", "log groups are names"),
    ("InvalidCloudWatchLogsRoleArnException", "log groups are names"),
    ("CloudWatchLogsDeliveryUnavailableException", "log groups are names"),
    ("ConflictException", "only trails of one name in two regions bring it, and there is a test"),
    ("ThrottlingException", "nothing but LookupEvents is throttled, and its model does not have it"),
];

/// Exceptions of operations of the Resource Groups Tagging API that cannot occur here, each with the reason.
pub const NOT_IN_TAGGING: &[(&str, &str)] = &[
    ("ThrottledException", "nothing is throttled"),
    ("InternalServiceException", "only a store that fails brings it for the whole request"),
];

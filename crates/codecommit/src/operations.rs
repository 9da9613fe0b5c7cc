//! Table of the service's operations. Nothing else lists them.

use std::sync::LazyLock;

use aws::Operation;
use aws_sdk_codecommit::operation::associate_approval_rule_template_with_repository::AssociateApprovalRuleTemplateWithRepositoryInput;
use aws_sdk_codecommit::operation::batch_associate_approval_rule_template_with_repositories::BatchAssociateApprovalRuleTemplateWithRepositoriesInput;
use aws_sdk_codecommit::operation::batch_describe_merge_conflicts::BatchDescribeMergeConflictsInput;
use aws_sdk_codecommit::operation::batch_disassociate_approval_rule_template_from_repositories::BatchDisassociateApprovalRuleTemplateFromRepositoriesInput;
use aws_sdk_codecommit::operation::batch_get_commits::BatchGetCommitsInput;
use aws_sdk_codecommit::operation::batch_get_repositories::BatchGetRepositoriesInput;
use aws_sdk_codecommit::operation::create_approval_rule_template::CreateApprovalRuleTemplateInput;
use aws_sdk_codecommit::operation::create_branch::CreateBranchInput;
use aws_sdk_codecommit::operation::create_commit::CreateCommitInput;
use aws_sdk_codecommit::operation::create_pull_request::CreatePullRequestInput;
use aws_sdk_codecommit::operation::create_pull_request_approval_rule::CreatePullRequestApprovalRuleInput;
use aws_sdk_codecommit::operation::create_repository::CreateRepositoryInput;
use aws_sdk_codecommit::operation::create_unreferenced_merge_commit::CreateUnreferencedMergeCommitInput;
use aws_sdk_codecommit::operation::delete_approval_rule_template::DeleteApprovalRuleTemplateInput;
use aws_sdk_codecommit::operation::delete_branch::DeleteBranchInput;
use aws_sdk_codecommit::operation::delete_comment_content::DeleteCommentContentInput;
use aws_sdk_codecommit::operation::delete_file::DeleteFileInput;
use aws_sdk_codecommit::operation::delete_pull_request_approval_rule::DeletePullRequestApprovalRuleInput;
use aws_sdk_codecommit::operation::delete_repository::DeleteRepositoryInput;
use aws_sdk_codecommit::operation::describe_merge_conflicts::DescribeMergeConflictsInput;
use aws_sdk_codecommit::operation::describe_pull_request_events::DescribePullRequestEventsInput;
use aws_sdk_codecommit::operation::disassociate_approval_rule_template_from_repository::DisassociateApprovalRuleTemplateFromRepositoryInput;
use aws_sdk_codecommit::operation::evaluate_pull_request_approval_rules::EvaluatePullRequestApprovalRulesInput;
use aws_sdk_codecommit::operation::get_approval_rule_template::GetApprovalRuleTemplateInput;
use aws_sdk_codecommit::operation::get_blob::GetBlobInput;
use aws_sdk_codecommit::operation::get_blob_differences::GetBlobDifferencesInput;
use aws_sdk_codecommit::operation::get_branch::GetBranchInput;
use aws_sdk_codecommit::operation::get_comment::GetCommentInput;
use aws_sdk_codecommit::operation::get_comment_reactions::GetCommentReactionsInput;
use aws_sdk_codecommit::operation::get_comments_for_compared_commit::GetCommentsForComparedCommitInput;
use aws_sdk_codecommit::operation::get_comments_for_pull_request::GetCommentsForPullRequestInput;
use aws_sdk_codecommit::operation::get_commit::GetCommitInput;
use aws_sdk_codecommit::operation::get_differences::GetDifferencesInput;
use aws_sdk_codecommit::operation::get_file::GetFileInput;
use aws_sdk_codecommit::operation::get_folder::GetFolderInput;
use aws_sdk_codecommit::operation::get_merge_commit::GetMergeCommitInput;
use aws_sdk_codecommit::operation::get_merge_conflicts::GetMergeConflictsInput;
use aws_sdk_codecommit::operation::get_merge_options::GetMergeOptionsInput;
use aws_sdk_codecommit::operation::get_pull_request::GetPullRequestInput;
use aws_sdk_codecommit::operation::get_pull_request_approval_states::GetPullRequestApprovalStatesInput;
use aws_sdk_codecommit::operation::get_pull_request_override_state::GetPullRequestOverrideStateInput;
use aws_sdk_codecommit::operation::get_repository::GetRepositoryInput;
use aws_sdk_codecommit::operation::get_repository_triggers::GetRepositoryTriggersInput;
use aws_sdk_codecommit::operation::list_approval_rule_templates::ListApprovalRuleTemplatesInput;
use aws_sdk_codecommit::operation::list_associated_approval_rule_templates_for_repository::ListAssociatedApprovalRuleTemplatesForRepositoryInput;
use aws_sdk_codecommit::operation::list_branches::ListBranchesInput;
use aws_sdk_codecommit::operation::list_file_commit_history::ListFileCommitHistoryInput;
use aws_sdk_codecommit::operation::list_pull_requests::ListPullRequestsInput;
use aws_sdk_codecommit::operation::list_repositories::ListRepositoriesInput;
use aws_sdk_codecommit::operation::list_repositories_for_approval_rule_template::ListRepositoriesForApprovalRuleTemplateInput;
use aws_sdk_codecommit::operation::list_tags_for_resource::ListTagsForResourceInput;
use aws_sdk_codecommit::operation::merge_branches_by_fast_forward::MergeBranchesByFastForwardInput;
use aws_sdk_codecommit::operation::merge_branches_by_squash::MergeBranchesBySquashInput;
use aws_sdk_codecommit::operation::merge_branches_by_three_way::MergeBranchesByThreeWayInput;
use aws_sdk_codecommit::operation::merge_pull_request_by_fast_forward::MergePullRequestByFastForwardInput;
use aws_sdk_codecommit::operation::merge_pull_request_by_squash::MergePullRequestBySquashInput;
use aws_sdk_codecommit::operation::merge_pull_request_by_three_way::MergePullRequestByThreeWayInput;
use aws_sdk_codecommit::operation::override_pull_request_approval_rules::OverridePullRequestApprovalRulesInput;
use aws_sdk_codecommit::operation::post_comment_for_compared_commit::PostCommentForComparedCommitInput;
use aws_sdk_codecommit::operation::post_comment_for_pull_request::PostCommentForPullRequestInput;
use aws_sdk_codecommit::operation::post_comment_reply::PostCommentReplyInput;
use aws_sdk_codecommit::operation::put_file::PutFileInput;
use aws_sdk_codecommit::operation::tag_resource::TagResourceInput;
use aws_sdk_codecommit::operation::test_repository_triggers::TestRepositoryTriggersInput;
use aws_sdk_codecommit::operation::untag_resource::UntagResourceInput;
use aws_sdk_codecommit::operation::update_approval_rule_template_content::UpdateApprovalRuleTemplateContentInput;
use aws_sdk_codecommit::operation::update_approval_rule_template_description::UpdateApprovalRuleTemplateDescriptionInput;
use aws_sdk_codecommit::operation::update_approval_rule_template_name::UpdateApprovalRuleTemplateNameInput;
use aws_sdk_codecommit::operation::update_comment::UpdateCommentInput;
use aws_sdk_codecommit::operation::update_default_branch::UpdateDefaultBranchInput;
use aws_sdk_codecommit::operation::update_pull_request_approval_rule_content::UpdatePullRequestApprovalRuleContentInput;
use aws_sdk_codecommit::operation::update_pull_request_approval_state::UpdatePullRequestApprovalStateInput;
use aws_sdk_codecommit::operation::update_pull_request_description::UpdatePullRequestDescriptionInput;
use aws_sdk_codecommit::operation::update_pull_request_status::UpdatePullRequestStatusInput;
use aws_sdk_codecommit::operation::update_pull_request_title::UpdatePullRequestTitleInput;
use aws_sdk_codecommit::operation::update_repository_description::UpdateRepositoryDescriptionInput;
use aws_sdk_codecommit::operation::update_repository_encryption_key::UpdateRepositoryEncryptionKeyInput;
use aws_sdk_codecommit::operation::update_repository_name::UpdateRepositoryNameInput;
use store::Transaction;

use crate::{
    CodeCommit, approval, approval_rule, approval_rule_template, archive, branch, comment, commit, file, merge,
    pull_request, reference, repository, tag, tree, trigger,
};

type Row = Operation<CodeCommit, Transaction>;

/// Rows of all operations.
///
/// The AWS KMS actions of an operation are an attribute of its row. AWS documents these actions, but not which operation calls
/// which; the assignment is ours.
#[rustfmt::skip]
pub(crate) static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| vec![
    // Repositories.
    Row::write("CreateRepository", CreateRepositoryInput::deserialize, repository::create).makes_data_key().of_rows(),
    Row::read("GetRepository", GetRepositoryInput::deserialize, repository::get).of_rows(),
    Row::read("BatchGetRepositories", BatchGetRepositoriesInput::deserialize, repository::batch_get).of_rows(),
    Row::read("ListRepositories", ListRepositoriesInput::deserialize, repository::list).of_rows(),
    Row::write("DeleteRepository", DeleteRepositoryInput::deserialize, repository::delete),
    Row::write_without_output("UpdateRepositoryName", UpdateRepositoryNameInput::deserialize, repository::update_name).of_rows(),
    Row::write_without_output("UpdateRepositoryDescription", UpdateRepositoryDescriptionInput::deserialize, repository::update_description).of_rows(),
    Row::write("UpdateRepositoryEncryptionKey", UpdateRepositoryEncryptionKeyInput::deserialize, repository::update_encryption_key).of_rows(),
    // Branches.
    Row::write_without_output("CreateBranch", CreateBranchInput::deserialize, branch::create),
    Row::read("GetBranch", GetBranchInput::deserialize, branch::get).of_rows(),
    Row::read("ListBranches", ListBranchesInput::deserialize, branch::list).of_rows(),
    Row::write("DeleteBranch", DeleteBranchInput::deserialize, branch::delete),
    Row::write_without_output("UpdateDefaultBranch", UpdateDefaultBranchInput::deserialize, branch::update_default).of_rows(),
    // Tags.
    Row::write_without_output("TagResource", TagResourceInput::deserialize, tag::tag_resource).of_rows(),
    Row::write_without_output("UntagResource", UntagResourceInput::deserialize, tag::untag_resource).of_rows(),
    Row::read("ListTagsForResource", ListTagsForResourceInput::deserialize, tag::list_tags_for_resource).of_rows(),
    // Commits and files.
    Row::read("BatchGetCommits", BatchGetCommitsInput::deserialize, commit::batch_get).decrypts(),
    Row::write("CreateCommit", CreateCommitInput::deserialize, commit::create).encrypts(),
    Row::write("DeleteFile", DeleteFileInput::deserialize, file::delete).encrypts(),
    Row::read("GetBlob", GetBlobInput::deserialize, file::get_blob).decrypts(),
    Row::read("GetBlobDifferences", GetBlobDifferencesInput::deserialize, file::get_blob_differences).decrypts().long(),
    Row::read("GetCommit", GetCommitInput::deserialize, commit::get).decrypts(),
    Row::read("GetDifferences", GetDifferencesInput::deserialize, commit::get_differences).decrypts().long(),
    Row::read("GetFile", GetFileInput::deserialize, file::get).decrypts(),
    Row::read("GetFolder", GetFolderInput::deserialize, file::get_folder).decrypts(),
    Row::read("ListFileCommitHistory", ListFileCommitHistoryInput::deserialize, file::list_commit_history).decrypts().long(),
    Row::write("PutFile", PutFileInput::deserialize, file::put).encrypts(),
    // Merges.
    Row::read("BatchDescribeMergeConflicts", BatchDescribeMergeConflictsInput::deserialize, merge::batch_describe_conflicts).decrypts().long(),
    Row::write("CreateUnreferencedMergeCommit", CreateUnreferencedMergeCommitInput::deserialize, merge::create_unreferenced).encrypts().long(),
    Row::read("DescribeMergeConflicts", DescribeMergeConflictsInput::deserialize, merge::describe_conflicts).decrypts().long(),
    Row::read("GetMergeCommit", GetMergeCommitInput::deserialize, merge::get_commit).decrypts().long(),
    Row::read("GetMergeConflicts", GetMergeConflictsInput::deserialize, merge::get_conflicts).decrypts().long(),
    Row::read("GetMergeOptions", GetMergeOptionsInput::deserialize, merge::get_options).decrypts().long(),
    Row::write("MergeBranchesByFastForward", MergeBranchesByFastForwardInput::deserialize, merge::branches_by_fast_forward).encrypts().long(),
    Row::write("MergeBranchesBySquash", MergeBranchesBySquashInput::deserialize, merge::branches_by_squash).encrypts().long(),
    Row::write("MergeBranchesByThreeWay", MergeBranchesByThreeWayInput::deserialize, merge::branches_by_three_way).encrypts().long(),
    // Pull requests and their approvals.
    Row::write("CreatePullRequest", CreatePullRequestInput::deserialize, pull_request::create).long(),
    Row::write("CreatePullRequestApprovalRule", CreatePullRequestApprovalRuleInput::deserialize, approval_rule::create),
    Row::write("DeletePullRequestApprovalRule", DeletePullRequestApprovalRuleInput::deserialize, approval_rule::delete),
    Row::read("DescribePullRequestEvents", DescribePullRequestEventsInput::deserialize, pull_request::event::describe_all).of_rows(),
    Row::read("EvaluatePullRequestApprovalRules", EvaluatePullRequestApprovalRulesInput::deserialize, approval_rule::evaluate),
    Row::read("GetPullRequest", GetPullRequestInput::deserialize, pull_request::get_one),
    Row::read("GetPullRequestApprovalStates", GetPullRequestApprovalStatesInput::deserialize, approval::get_states).of_rows(),
    Row::read("GetPullRequestOverrideState", GetPullRequestOverrideStateInput::deserialize, approval::get_override_state).of_rows(),
    Row::read("ListPullRequests", ListPullRequestsInput::deserialize, pull_request::list).of_rows(),
    Row::write_without_output("OverridePullRequestApprovalRules", OverridePullRequestApprovalRulesInput::deserialize, approval::override_rules),
    Row::write("UpdatePullRequestApprovalRuleContent", UpdatePullRequestApprovalRuleContentInput::deserialize, approval_rule::update_content),
    Row::write_without_output("UpdatePullRequestApprovalState", UpdatePullRequestApprovalStateInput::deserialize, approval::update_state),
    Row::write("MergePullRequestByFastForward", MergePullRequestByFastForwardInput::deserialize, pull_request::merge::by_fast_forward).encrypts().long(),
    Row::write("MergePullRequestBySquash", MergePullRequestBySquashInput::deserialize, pull_request::merge::by_squash).encrypts().long(),
    Row::write("MergePullRequestByThreeWay", MergePullRequestByThreeWayInput::deserialize, pull_request::merge::by_three_way).encrypts().long(),
    Row::write("UpdatePullRequestDescription", UpdatePullRequestDescriptionInput::deserialize, pull_request::update_description),
    Row::write("UpdatePullRequestStatus", UpdatePullRequestStatusInput::deserialize, pull_request::update_status),
    Row::write("UpdatePullRequestTitle", UpdatePullRequestTitleInput::deserialize, pull_request::update_title),
    // Approval rule templates.
    Row::write_without_output("AssociateApprovalRuleTemplateWithRepository", AssociateApprovalRuleTemplateWithRepositoryInput::deserialize, approval_rule_template::associate_with_repository),
    Row::write("BatchAssociateApprovalRuleTemplateWithRepositories", BatchAssociateApprovalRuleTemplateWithRepositoriesInput::deserialize, approval_rule_template::batch_associate_with_repositories),
    Row::write("BatchDisassociateApprovalRuleTemplateFromRepositories", BatchDisassociateApprovalRuleTemplateFromRepositoriesInput::deserialize, approval_rule_template::batch_disassociate_from_repositories),
    Row::write("CreateApprovalRuleTemplate", CreateApprovalRuleTemplateInput::deserialize, approval_rule_template::create).of_rows(),
    Row::write("DeleteApprovalRuleTemplate", DeleteApprovalRuleTemplateInput::deserialize, approval_rule_template::delete),
    Row::write_without_output("DisassociateApprovalRuleTemplateFromRepository", DisassociateApprovalRuleTemplateFromRepositoryInput::deserialize, approval_rule_template::disassociate_from_repository),
    Row::read("GetApprovalRuleTemplate", GetApprovalRuleTemplateInput::deserialize, approval_rule_template::get).of_rows(),
    Row::read("ListApprovalRuleTemplates", ListApprovalRuleTemplatesInput::deserialize, approval_rule_template::list).of_rows(),
    Row::read("ListAssociatedApprovalRuleTemplatesForRepository", ListAssociatedApprovalRuleTemplatesForRepositoryInput::deserialize, approval_rule_template::list_associated_for_repository).of_rows(),
    Row::read("ListRepositoriesForApprovalRuleTemplate", ListRepositoriesForApprovalRuleTemplateInput::deserialize, approval_rule_template::list_repositories).of_rows(),
    Row::write("UpdateApprovalRuleTemplateContent", UpdateApprovalRuleTemplateContentInput::deserialize, approval_rule_template::update_content),
    Row::write("UpdateApprovalRuleTemplateDescription", UpdateApprovalRuleTemplateDescriptionInput::deserialize, approval_rule_template::update_description),
    Row::write("UpdateApprovalRuleTemplateName", UpdateApprovalRuleTemplateNameInput::deserialize, approval_rule_template::update_name),
    // Comments.
    Row::write("DeleteCommentContent", DeleteCommentContentInput::deserialize, comment::delete_content),
    Row::read("GetComment", GetCommentInput::deserialize, comment::get).of_rows(),
    Row::read("GetCommentReactions", GetCommentReactionsInput::deserialize, comment::get_reactions).of_rows(),
    Row::read("GetCommentsForComparedCommit", GetCommentsForComparedCommitInput::deserialize, comment::for_compared_commit),
    Row::read("GetCommentsForPullRequest", GetCommentsForPullRequestInput::deserialize, comment::for_pull_request),
    Row::write("PostCommentForComparedCommit", PostCommentForComparedCommitInput::deserialize, comment::post_for_compared_commit),
    Row::write("PostCommentForPullRequest", PostCommentForPullRequestInput::deserialize, comment::post_for_pull_request),
    Row::write("PostCommentReply", PostCommentReplyInput::deserialize, comment::post_reply),
    Row::write_without_output("PutCommentReaction", comment::READ_PUT_REACTION, comment::put_reaction).of_rows(),
    Row::write("UpdateComment", UpdateCommentInput::deserialize, comment::update),
    // Triggers.
    Row::read("GetRepositoryTriggers", GetRepositoryTriggersInput::deserialize, trigger::get).of_rows(),
    Row::write("PutRepositoryTriggers", trigger::READ_PUT, trigger::put).of_rows(),
    Row::write("TestRepositoryTriggers", TestRepositoryTriggersInput::deserialize, trigger::test),
    // Permission-only actions, whose shapes are ours.
    Row::read_serde("BatchGetPullRequests", pull_request::batch_get),
    Row::write_serde("CancelUploadArchive", archive::cancel),
    Row::read_serde("GetCommitHistory", commit::get_history).decrypts().long(),
    Row::read_serde("GetCommitsFromMergeBase", commit::get_from_merge_base).decrypts().long(),
    Row::read_serde("GetObjectIdentifier", reference::get_object_identifier).decrypts(),
    Row::read_serde("GetReferences", reference::get_references),
    Row::read_serde("GetTree", tree::get).decrypts().long(),
    Row::read_serde("GetUploadArchiveStatus", archive::get_status),
    Row::write_serde("UploadArchive", archive::upload).decrypts(),
]);

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn no_operation_is_listed_twice() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }
}

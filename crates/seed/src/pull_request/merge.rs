//! Merges of seeded pull requests.

use serde_json::json;

use super::{Created, SeededPullRequest, message};
use crate::document::MergeOption;
use crate::runner::Runner;

impl SeededPullRequest<'_> {
    /// Merges the pull request, or records the merge that the history of its destination has.
    pub(super) fn merge(&self, runner: &Runner<'_>, created: &Created) -> Result<(), String> {
        let entry = self.entry;
        if let Some(commit) = entry.merge_commit {
            let call = runner.call(&self.end(), "PastMerge")?;
            let option = entry.merge_option.map(MergeOption::wire);
            let change = runner.services.codecommit.record_past_merge(&call, &created.id, option, commit);
            return runner.write(change.map_err(message)?);
        }
        let operation = match entry.merge_option.unwrap_or(MergeOption::ThreeWay) {
            MergeOption::FastForward => "MergePullRequestByFastForward",
            MergeOption::Squash => "MergePullRequestBySquash",
            MergeOption::ThreeWay => "MergePullRequestByThreeWay",
        };
        let input = json!({ "pullRequestId": created.id, "repositoryName": entry.repository.get_ref() });
        runner.codecommit(&self.end(), operation, &input).map(|_| ())
    }
}

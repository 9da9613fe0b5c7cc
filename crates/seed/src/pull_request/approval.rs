//! Approval rules of seeded pull requests, approvals and overrides.

use serde_json::json;

use super::{Created, SeededPullRequest};
use crate::runner::Runner;

impl SeededPullRequest<'_> {
    pub(super) fn add_approval_rules(&self, runner: &Runner<'_>, created: &Created) -> Result<(), String> {
        for rule in &self.entry.approval_rules {
            let input = json!({
                "pullRequestId": created.id,
                "approvalRuleName": rule.name,
                "approvalRuleContent": rule.content,
            });
            let added = runner.codecommit(&self.beginning(), "CreatePullRequestApprovalRule", &input);
            added.map_err(|reason| format!("approval rule '{}': {reason}", rule.name))?;
        }
        Ok(())
    }

    /// Approves the pull request, and overrides its rules, each by the users of the entry.
    pub(super) fn approve(&self, runner: &Runner<'_>, created: &Created) -> Result<(), String> {
        for approver in &self.entry.approvals {
            let circumstances = self.circumstances(Some(approver), self.entry.ended);
            let input = json!({
                "pullRequestId": created.id,
                "revisionId": created.revision_id,
                "approvalState": "APPROVE",
            });
            let approved = runner.codecommit(&circumstances, "UpdatePullRequestApprovalState", &input);
            approved.map_err(|reason| format!("approval of '{approver}': {reason}"))?;
        }
        let Some(overrider) = &self.entry.overridden_by else { return Ok(()) };
        let circumstances = self.circumstances(Some(overrider), self.entry.ended);
        let input = json!({
            "pullRequestId": created.id,
            "revisionId": created.revision_id,
            "overrideStatus": "OVERRIDE",
        });
        let overridden = runner.codecommit(&circumstances, "OverridePullRequestApprovalRules", &input);
        overridden.map(|_| ()).map_err(|reason| format!("override of '{overrider}': {reason}"))
    }
}

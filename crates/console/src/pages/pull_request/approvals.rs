//! Approvals of a pull request: who approved, which rules are satisfied, and whether they are overridden.

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::PullRequestHead;
use crate::approval_rule::RuleFields;
use crate::form::Form;
use crate::frame::Frame;
use crate::pull_request::{self, PullRequest};
use crate::reply;
use crate::text;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_approvals.html")]
struct ApprovalsPage<'p> {
    frame: Frame,
    head: PullRequestHead,
    approvers: Vec<Approver>,
    has_approved: bool,
    /// The ARN of the one who overrode the rules.
    overrider: Option<String>,
    evaluation: Option<Evaluation>,
    failure: Option<Failure>,
    form: &'p Form,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Approver {
    user_arn: String,
    approval_state: String,
}

impl Approver {
    fn name(&self) -> &str {
        text::name_of_arn(&self.user_arn)
    }
}

/// Which rules of a revision are satisfied.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evaluation {
    pub(super) approved: bool,
    pub(super) overridden: bool,
    #[serde(default)]
    pub(super) approval_rules_satisfied: Vec<String>,
}

impl Evaluation {
    /// Evaluates the rules of the current revision.
    pub(super) fn read(visit: &Visit<'_>, pull_request: &PullRequest) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct EvaluationReply {
            evaluation: Evaluation,
        }
        let input = revision(pull_request);
        let reply: EvaluationReply = visit.run("EvaluatePullRequestApprovalRules", &input)?;
        Ok(reply.evaluation)
    }

    fn satisfies(&self, rule: &str) -> bool {
        self.approval_rules_satisfied.iter().any(|name| name == rule)
    }
}

/// Shows the approvals.
pub(crate) fn approvals(visit: &Visit<'_>, id: &str) -> Page {
    show(visit, id, None)
}

/// Approves a revision, or revokes the approval.
pub(crate) fn approve(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let state = visit.form.get("state");
    let input = json!({ "pullRequestId": id, "revisionId": visit.form.get("revision"), "approvalState": state });
    let done = if state == "REVOKE" { "Your approval was revoked." } else { "You approved the pull request." };
    change(visit, repository, id, "UpdatePullRequestApprovalState", &input, done)
}

/// Overrides the rules of a revision, or revokes that.
pub(crate) fn override_rules(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let status = visit.form.get("status");
    let input = json!({ "pullRequestId": id, "revisionId": visit.form.get("revision"), "overrideStatus": status });
    let done = if status == "REVOKE" { "The rules apply again." } else { "The approval rules are overridden." };
    change(visit, repository, id, "OverridePullRequestApprovalRules", &input, done)
}

/// Runs an operation of a form of this page, and returns to the page.
pub(super) fn change(
    visit: &Visit<'_>,
    repository: &str,
    id: &str,
    operation: &str,
    input: &Value,
    done: &str,
) -> Page {
    match visit.run::<Value>(operation, input) {
        Ok(_) => Ok(reply::done(&pull_request::url_of(repository, id, "approvals"), done)),
        Err(failure) => show(visit, id, Some(failure)),
    }
}

fn show(visit: &Visit<'_>, id: &str, failure: Option<Failure>) -> Page {
    #[derive(Deserialize)]
    struct ApproverList {
        approvals: Vec<Approver>,
    }
    #[derive(Deserialize)]
    struct Override {
        overrider: Option<String>,
    }
    let head = PullRequestHead::read(visit, id, "approvals")?;
    let pull_request = &head.pull_request;
    let input = revision(pull_request);
    let ApproverList { approvals: mut approvers } = visit.run("GetPullRequestApprovalStates", &input)?;
    approvers.retain(|approval| approval.approval_state == "APPROVE");
    let has_rules = !pull_request.approval_rules.is_empty();
    let (mut overrider, mut evaluation) = (None, None);
    if has_rules {
        overrider = visit.run::<Override>("GetPullRequestOverrideState", &input)?.overrider;
        evaluation = Some(Evaluation::read(visit, pull_request)?);
    }
    let has_approved = approvers.iter().any(|approval| approval.user_arn == visit.reader.caller.arn);
    let frame = head.frame(visit);
    let form = &visit.form;
    let page = ApprovalsPage { frame, head, approvers, has_approved, overrider, evaluation, failure, form };
    visit.form_page(&page, page.failure.as_ref())
}

/// Returns the members that name the current revision.
fn revision(pull_request: &PullRequest) -> Value {
    json!({ "pullRequestId": pull_request.id, "revisionId": pull_request.revision_id })
}

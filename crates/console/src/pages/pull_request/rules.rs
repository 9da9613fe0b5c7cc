//! Approval rules of a pull request: create, change, delete.

use askama::Template;
use aws::Failure;
use serde_json::{Value, json};

use super::{PullRequestHead, approvals};
use crate::approval_rule::RuleFields;
use crate::frame::Frame;
use crate::pull_request::{self, ApprovalRule};
use crate::reply;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_rule.html")]
struct RulePage {
    frame: Frame,
    head: PullRequestHead,
    name: String,
    /// The hash of the content that the form was filled from, so that no other change gets lost.
    sha256: String,
    fields: RuleFields,
    failure: Option<Failure>,
}

/// Creates a rule.
pub(crate) fn create(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let name = visit.form.get("name");
    let content = RuleFields::of_form(&visit.form).content();
    let input = json!({ "pullRequestId": id, "approvalRuleName": name, "approvalRuleContent": content });
    let done = format!("The approval rule {name} was created.");
    approvals::change(visit, repository, id, "CreatePullRequestApprovalRule", &input, &done)
}

/// Deletes a rule.
pub(crate) fn delete(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let name = visit.form.raw("name");
    let input = json!({ "pullRequestId": id, "approvalRuleName": name });
    let done = format!("The approval rule {name} was deleted.");
    approvals::change(visit, repository, id, "DeletePullRequestApprovalRule", &input, &done)
}

/// Shows the form with the content of a rule.
pub(crate) fn form(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "approvals")?;
    let name = visit.query.raw("name");
    let Some(rule) = head.pull_request.approval_rules.iter().find(|rule| rule.name == name) else {
        return Ok(reply::redirect(&head.pull_request.url("approvals")));
    };
    let ApprovalRule { name, content, content_sha256: sha256, .. } = rule.clone();
    let fields = RuleFields::parse(&content).unwrap_or_default();
    let frame = head.frame(visit);
    visit.page(&RulePage { frame, head, name, sha256, fields, failure: None })
}

/// Changes the content of a rule.
pub(crate) fn update(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let (name, sha256) = (visit.form.raw("name"), visit.form.get("sha256"));
    let fields = RuleFields::of_form(&visit.form);
    let input = json!({
        "pullRequestId": id,
        "approvalRuleName": name,
        "existingRuleContentSha256": sha256,
        "newRuleContent": fields.content(),
    });
    match visit.run::<Value>("UpdatePullRequestApprovalRuleContent", &input) {
        Ok(_) => {
            let notice = format!("The approval rule {name} was changed.");
            Ok(reply::done(&pull_request::url_of(repository, id, "approvals"), &notice))
        }
        Err(failure) => {
            let head = PullRequestHead::read(visit, id, "approvals")?;
            let (name, sha256) = (name.to_owned(), sha256.to_owned());
            let page = RulePage { frame: head.frame(visit), head, name, sha256, fields, failure: Some(failure) };
            visit.form_page(&page, page.failure.as_ref())
        }
    }
}

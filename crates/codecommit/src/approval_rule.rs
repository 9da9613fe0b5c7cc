//! Approval rules of pull requests: create, update, delete, evaluate.

pub(crate) mod content;
mod evaluation;
mod member;
mod name;
mod row;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::create_pull_request_approval_rule::{
    CreatePullRequestApprovalRuleInput, CreatePullRequestApprovalRuleOutput,
};
use aws_sdk_codecommit::operation::delete_pull_request_approval_rule::{
    DeletePullRequestApprovalRuleInput, DeletePullRequestApprovalRuleOutput,
};
use aws_sdk_codecommit::operation::update_pull_request_approval_rule_content::{
    UpdatePullRequestApprovalRuleContentInput, UpdatePullRequestApprovalRuleContentOutput,
};
use aws_sdk_codecommit::types::{ApprovalRule, PullRequestEvent, PullRequestEventType};
use store::Transaction;

pub(crate) use content::Content;
pub(crate) use evaluation::{check_satisfied, evaluate};
pub(crate) use name::RuleName;
pub(crate) use row::Rule;

use crate::pull_request::{self, PullRequest, PullRequestId, event};
use crate::{Change, CodeCommit, Exception};

/// Maximum number of rules of a pull request, including those of templates.
const RULES_MAX: usize = 30;

pub(crate) fn create(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreatePullRequestApprovalRuleInput,
) -> Result<Change<CreatePullRequestApprovalRuleOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let name = RuleName::of_rule(input.approval_rule_name)?;
    let content = Content::of_rule(input.approval_rule_content)?;
    pull_request::find(service, call, id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = pull_request::get_open(transaction, &call, id)?;
        let rules = row::of_pull_request(transaction, &pull_request)?;
        if rules.iter().any(|rule| rule.name == name.as_str()) {
            return Err(Exception::ApprovalRuleNameAlreadyExists { name: name.to_string() });
        }
        if rules.len() >= RULES_MAX {
            return Err(Exception::NumberOfRulesExceeded { limit: RULES_MAX });
        }
        let rule = Rule::new(&call, name.to_string(), content.text);
        add(transaction, &call, &mut pull_request, &rule)?;
        Ok(CreatePullRequestApprovalRuleOutput::builder().approval_rule(rule.describe()).build())
    }))
}

pub(crate) fn update_content(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdatePullRequestApprovalRuleContentInput,
) -> Result<Change<UpdatePullRequestApprovalRuleContentOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let name = RuleName::of_rule(input.approval_rule_name)?;
    let new = Content::of_rule(input.new_rule_content)?;
    let expected = input.existing_rule_content_sha256;
    pull_request::find(service, call, id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = pull_request::get_open(transaction, &call, id)?;
        let found = row::find(transaction, &pull_request, name.as_str())?;
        let mut rule = found.ok_or_else(|| Exception::ApprovalRuleDoesNotExist { name: name.to_string() })?;
        if rule.template.is_some() {
            return Err(Exception::CannotModifyApprovalRuleFromTemplate { name: name.to_string() });
        }
        content::check_sha256(&rule.content, expected.as_deref())?;
        (rule.content, rule.modified, rule.modified_by) = (new.text, call.time, call.caller.arn.clone());
        row::save(transaction, &rule)?;
        let kind = &PullRequestEventType::PullRequestApprovalRuleUpdated;
        add_event(transaction, &call, &mut pull_request, kind, &rule)?;
        Ok(UpdatePullRequestApprovalRuleContentOutput::builder().approval_rule(rule.describe()).build())
    }))
}

/// Deletes a rule; for a missing one the call succeeds with an empty id.
pub(crate) fn delete(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DeletePullRequestApprovalRuleInput,
) -> Result<Change<DeletePullRequestApprovalRuleOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let name = RuleName::of_rule(input.approval_rule_name)?;
    pull_request::find(service, call, id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = pull_request::get_open(transaction, &call, id)?;
        let mut deleted = String::new();
        if let Some(rule) = row::find(transaction, &pull_request, name.as_str())? {
            if rule.template.is_some() {
                return Err(Exception::CannotDeleteApprovalRuleFromTemplate { name: name.to_string() });
            }
            row::delete(transaction, &rule)?;
            let kind = &PullRequestEventType::PullRequestApprovalRuleDeleted;
            add_event(transaction, &call, &mut pull_request, kind, &rule)?;
            deleted = rule.id;
        }
        let output = DeletePullRequestApprovalRuleOutput::builder().approval_rule_id(deleted).build();
        Ok(output.expect("the id is set"))
    }))
}

/// Returns the wire shapes of a pull request's rules.
pub(crate) fn describe_all(
    transaction: &Transaction,
    pull_request: &PullRequest,
) -> Result<Vec<ApprovalRule>, Exception> {
    Ok(row::of_pull_request(transaction, pull_request)?.into_iter().map(Rule::describe).collect())
}

/// Adds a rule to a pull request, with an event.
pub(crate) fn add(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
    rule: &Rule,
) -> Result<(), Exception> {
    row::insert(transaction, pull_request, rule)?;
    add_event(transaction, call, pull_request, &PullRequestEventType::PullRequestApprovalRuleCreated, rule)
}

fn add_event(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
    kind: &PullRequestEventType,
    rule: &Rule,
) -> Result<(), Exception> {
    let metadata = PullRequestEvent::builder().approval_rule_event_metadata(rule.metadata());
    event::add(transaction, call, pull_request, kind, metadata)
}

//! Approval rule templates: create, get, list, update, delete, and associate with repositories.

mod association;
mod bus_event;
mod list;
mod row;
mod rules;

use std::sync::Arc;

use aws::{Call, Facts};
use aws_sdk_codecommit::operation::create_approval_rule_template::{
    CreateApprovalRuleTemplateInput, CreateApprovalRuleTemplateOutput,
};
use aws_sdk_codecommit::operation::delete_approval_rule_template::{
    DeleteApprovalRuleTemplateInput, DeleteApprovalRuleTemplateOutput,
};
use aws_sdk_codecommit::operation::get_approval_rule_template::{
    GetApprovalRuleTemplateInput, GetApprovalRuleTemplateOutput,
};
use aws_sdk_codecommit::operation::update_approval_rule_template_content::{
    UpdateApprovalRuleTemplateContentInput, UpdateApprovalRuleTemplateContentOutput,
};
use aws_sdk_codecommit::operation::update_approval_rule_template_description::{
    UpdateApprovalRuleTemplateDescriptionInput, UpdateApprovalRuleTemplateDescriptionOutput,
};
use aws_sdk_codecommit::operation::update_approval_rule_template_name::{
    UpdateApprovalRuleTemplateNameInput, UpdateApprovalRuleTemplateNameOutput,
};
use store::Transaction;

pub(crate) use association::{
    associate_with_repository, batch_associate_with_repositories, batch_disassociate_from_repositories,
    disassociate_from_repository,
};
pub(crate) use list::{list, list_associated_for_repository, list_repositories};
pub(crate) use rules::add_rules;

use crate::approval_rule::{Content, RuleName, content};
use crate::{Change, CodeCommit, Exception, name};
use bus_event::TemplateChange;
use row::Template;

/// Maximum number of templates of an account in a region.
const TEMPLATES_MAX: u64 = 1_000;

/// Maximum length of a description, in characters.
const DESCRIPTION_MAX: usize = 1_000;

pub(crate) fn create(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: CreateApprovalRuleTemplateInput,
) -> Result<Change<CreateApprovalRuleTemplateOutput>, Exception> {
    call.allow("*", &Facts::default())?;
    let name = RuleName::of_template(input.approval_rule_template_name)?;
    let content = Content::of_template(input.approval_rule_template_content)?;
    let description = description(input.approval_rule_template_description)?;
    let template = Template {
        id: call.new_id(),
        name: name.to_string(),
        description,
        content: content.text,
        created: call.time,
        modified: call.time,
        modified_by: call.caller.arn.clone(),
    };
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        check_free(transaction, &call, &name)?;
        if count(transaction, &call)? >= TEMPLATES_MAX {
            return Err(Exception::NumberOfRuleTemplatesExceeded { limit: TEMPLATES_MAX });
        }
        row::insert(transaction, &call, &template)?;
        bus_event::emit(transaction, &call, &template, TemplateChange::Created)?;
        Ok(CreateApprovalRuleTemplateOutput::builder().approval_rule_template(template.describe()).build())
    }))
}

pub(crate) fn get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetApprovalRuleTemplateInput,
) -> Result<GetApprovalRuleTemplateOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let name = RuleName::of_template(input.approval_rule_template_name)?;
    let template = service.store.read(|transaction| row::get(transaction, call, &name))?;
    Ok(GetApprovalRuleTemplateOutput::builder().approval_rule_template(template.describe()).build())
}

/// Deletes a template without associated repositories; for a missing one the call succeeds with an empty id.
pub(crate) fn delete(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: DeleteApprovalRuleTemplateInput,
) -> Result<Change<DeleteApprovalRuleTemplateOutput>, Exception> {
    call.allow("*", &Facts::default())?;
    let name = RuleName::of_template(input.approval_rule_template_name)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut deleted = String::new();
        if let Some(template) = row::find(transaction, &call, &name)? {
            if association::is_in_use(transaction, &template)? {
                return Err(Exception::ApprovalRuleTemplateInUse { name: name.to_string() });
            }
            transaction.execute("DELETE FROM approval_rule_templates WHERE id = ?1", &[(&template.id).into()])?;
            bus_event::emit(transaction, &call, &template, TemplateChange::Deleted)?;
            deleted = template.id;
        }
        let output = DeleteApprovalRuleTemplateOutput::builder().approval_rule_template_id(deleted).build();
        Ok(output.expect("the id is set"))
    }))
}

/// Renames a template; a name in use is refused, including its own. Rules that it created keep the old name.
pub(crate) fn update_name(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateApprovalRuleTemplateNameInput,
) -> Result<Change<UpdateApprovalRuleTemplateNameOutput>, Exception> {
    call.allow("*", &Facts::default())?;
    let old = RuleName::of_template(input.old_approval_rule_template_name)?;
    let new = RuleName::of_template(input.new_approval_rule_template_name)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let template = row::get(transaction, &call, &old)?;
        check_free(transaction, &call, &new)?;
        let template = row::set(transaction, &call, &template, "name", new.as_str().into())?;
        bus_event::emit(transaction, &call, &template, TemplateChange::Updated)?;
        Ok(UpdateApprovalRuleTemplateNameOutput::builder().approval_rule_template(template.describe()).build())
    }))
}

/// Sets or clears the description; a missing one counts as empty.
pub(crate) fn update_description(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateApprovalRuleTemplateDescriptionInput,
) -> Result<Change<UpdateApprovalRuleTemplateDescriptionOutput>, Exception> {
    call.allow("*", &Facts::default())?;
    let name = RuleName::of_template(input.approval_rule_template_name)?;
    let description = description(input.approval_rule_template_description)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let template = row::get(transaction, &call, &name)?;
        let template = row::set(transaction, &call, &template, "description", description.as_ref().into())?;
        bus_event::emit(transaction, &call, &template, TemplateChange::Updated)?;
        Ok(UpdateApprovalRuleTemplateDescriptionOutput::builder().approval_rule_template(template.describe()).build())
    }))
}

/// Changes the content of future rules; rules that the template created stay as they are.
pub(crate) fn update_content(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateApprovalRuleTemplateContentInput,
) -> Result<Change<UpdateApprovalRuleTemplateContentOutput>, Exception> {
    call.allow("*", &Facts::default())?;
    let name = RuleName::of_template(input.approval_rule_template_name)?;
    let new = Content::of_template(input.new_rule_content)?;
    let expected = input.existing_rule_content_sha256;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let template = row::get(transaction, &call, &name)?;
        content::check_sha256(&template.content, expected.as_deref())?;
        let template = row::set(transaction, &call, &template, "content", (&new.text).into())?;
        bus_event::emit(transaction, &call, &template, TemplateChange::Updated)?;
        Ok(UpdateApprovalRuleTemplateContentOutput::builder().approval_rule_template(template.describe()).build())
    }))
}

/// Parses a description.
fn description(text: Option<String>) -> Result<Option<String>, Exception> {
    let too_long = Exception::InvalidApprovalRuleTemplateDescription { limit: DESCRIPTION_MAX };
    name::optional(text, DESCRIPTION_MAX, too_long)
}

/// Fails if a template of the call's account and region has the name.
fn check_free(transaction: &Transaction, call: &Call, name: &RuleName) -> Result<(), Exception> {
    match row::find(transaction, call, name)? {
        Some(_) => Err(Exception::ApprovalRuleTemplateNameAlreadyExists { name: name.to_string() }),
        None => Ok(()),
    }
}

/// Counts the templates of the call's account and region.
fn count(transaction: &Transaction, call: &Call) -> Result<u64, store::Error> {
    let count = transaction.query_one(
        "SELECT COUNT(*) FROM approval_rule_templates WHERE account = ?1 AND region = ?2",
        &[call.account.as_str().into(), call.region.as_str().into()],
        |row| row.integer(0),
    )?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

//! Associations of templates with repositories: a template creates a rule for each new pull request of its repositories.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::associate_approval_rule_template_with_repository::AssociateApprovalRuleTemplateWithRepositoryInput;
use aws_sdk_codecommit::operation::batch_associate_approval_rule_template_with_repositories::{
    BatchAssociateApprovalRuleTemplateWithRepositoriesInput, BatchAssociateApprovalRuleTemplateWithRepositoriesOutput,
};
use aws_sdk_codecommit::operation::batch_disassociate_approval_rule_template_from_repositories::{
    BatchDisassociateApprovalRuleTemplateFromRepositoriesInput,
    BatchDisassociateApprovalRuleTemplateFromRepositoriesOutput,
};
use aws_sdk_codecommit::operation::disassociate_approval_rule_template_from_repository::DisassociateApprovalRuleTemplateFromRepositoryInput;
use aws_sdk_codecommit::types::{
    BatchAssociateApprovalRuleTemplateWithRepositoriesError, BatchDisassociateApprovalRuleTemplateFromRepositoriesError,
};
use store::Transaction;

use crate::approval_rule::RuleName;
use crate::approval_rule_template::bus_event::{self, TemplateChange};
use crate::approval_rule_template::row::{self, Template};
use crate::name::{BATCH_MAX, RepositoryName};
use crate::repository::{self, Repository};
use crate::settings::Simulate;
use crate::{Change, CodeCommit, Exception};

/// Maximum number of templates that are associated with a repository.
const TEMPLATES_MAX: usize = 25;

/// Associates a template with a repository; an existing association stays.
pub(crate) fn associate_with_repository(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: AssociateApprovalRuleTemplateWithRepositoryInput,
) -> Result<Change<()>, Exception> {
    change_one(service, call, input.approval_rule_template_name, input.repository_name, ASSOCIATE)
}

/// Removes an association; a missing one is not an error.
pub(crate) fn disassociate_from_repository(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DisassociateApprovalRuleTemplateFromRepositoryInput,
) -> Result<Change<()>, Exception> {
    change_one(service, call, input.approval_rule_template_name, input.repository_name, DISASSOCIATE)
}

pub(crate) fn batch_associate_with_repositories(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchAssociateApprovalRuleTemplateWithRepositoriesInput,
) -> Result<Change<BatchAssociateApprovalRuleTemplateWithRepositoriesOutput>, Exception> {
    let change = change_all(service, call, input.approval_rule_template_name, input.repository_names, ASSOCIATE)?;
    Ok(Box::new(move |transaction| {
        let (changed, failed) = change(transaction)?;
        let error = |(name, exception): (String, Exception)| {
            BatchAssociateApprovalRuleTemplateWithRepositoriesError::builder()
                .repository_name(name)
                .error_code(exception.name())
                .error_message(exception.to_string())
                .build()
        };
        let output = BatchAssociateApprovalRuleTemplateWithRepositoriesOutput::builder()
            .set_associated_repository_names(Some(changed))
            .set_errors(Some(failed.into_iter().map(error).collect()));
        Ok(output.build().expect("both lists are set"))
    }))
}

pub(crate) fn batch_disassociate_from_repositories(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchDisassociateApprovalRuleTemplateFromRepositoriesInput,
) -> Result<Change<BatchDisassociateApprovalRuleTemplateFromRepositoriesOutput>, Exception> {
    let change = change_all(service, call, input.approval_rule_template_name, input.repository_names, DISASSOCIATE)?;
    Ok(Box::new(move |transaction| {
        let (changed, failed) = change(transaction)?;
        let error = |(name, exception): (String, Exception)| {
            BatchDisassociateApprovalRuleTemplateFromRepositoriesError::builder()
                .repository_name(name)
                .error_code(exception.name())
                .error_message(exception.to_string())
                .build()
        };
        let output = BatchDisassociateApprovalRuleTemplateFromRepositoriesOutput::builder()
            .set_disassociated_repository_names(Some(changed))
            .set_errors(Some(failed.into_iter().map(error).collect()));
        Ok(output.build().expect("both lists are set"))
    }))
}

/// Returns whether a template is associated with any repository.
pub(super) fn is_in_use(transaction: &Transaction, template: &Template) -> Result<bool, store::Error> {
    let used = transaction.query_one(
        "SELECT 1 FROM approval_rule_template_associations WHERE template_id = ?1 LIMIT 1",
        &[(&template.id).into()],
        |row| row.integer(0),
    )?;
    Ok(used.is_some())
}

/// Change of the association of a template with a repository.
#[derive(Clone, Copy)]
struct Action {
    /// Makes the change; returns whether there was anything to change.
    apply: fn(&Transaction, &Template, &Repository) -> Result<bool, Exception>,
    /// What the event of one repository reports, and that of a batch.
    events: [TemplateChange; 2],
}

const ASSOCIATE: Action =
    Action { apply: associate, events: [TemplateChange::Associated, TemplateChange::BatchAssociated] };

const DISASSOCIATE: Action =
    Action { apply: disassociate, events: [TemplateChange::Disassociated, TemplateChange::BatchDisassociated] };

fn change_one(
    service: &CodeCommit,
    call: &Arc<Call>,
    template: Option<String>,
    repository: Option<String>,
    action: Action,
) -> Result<Change<()>, Exception> {
    let template = RuleName::of_template(template)?;
    let name = RepositoryName::parse(repository)?;
    let (call, simulate) = (Arc::clone(call), service.settings.simulate.clone());
    Ok(Box::new(move |transaction| {
        let repository = usable(transaction, &call, &simulate, &name)?;
        let template = row::get(transaction, &call, &template)?;
        let changed: Vec<_> =
            if (action.apply)(transaction, &template, &repository)? { vec![repository] } else { Vec::new() };
        Ok(bus_event::emit_associations(transaction, &call, &template, action.events[0], &changed)?)
    }))
}

/// Names of the changed repositories, and the exceptions of the others.
type BatchOutcome = (Vec<String>, Vec<(String, Exception)>);

/// Changes the association with each repository independently; a name given twice is answered once.
fn change_all(
    service: &CodeCommit,
    call: &Arc<Call>,
    template: Option<String>,
    repositories: Option<Vec<String>>,
    action: Action,
) -> Result<Change<BatchOutcome>, Exception> {
    let template = RuleName::of_template(template)?;
    let mut names = repositories.unwrap_or_default();
    if names.is_empty() {
        return Err(Exception::RepositoryNamesRequired);
    }
    if names.len() > BATCH_MAX {
        return Err(Exception::MaximumRepositoryNamesExceeded { limit: BATCH_MAX });
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let (call, simulate) = (Arc::clone(call), service.settings.simulate.clone());
    Ok(Box::new(move |transaction| {
        let mut repositories = Vec::new();
        for name in names {
            let parsed = RepositoryName::parse(Some(name.clone())).map_err(|_| Exception::InvalidRepositoryName);
            match parsed.and_then(|name| usable(transaction, &call, &simulate, &name)) {
                // The caller needs the permission for each repository.
                Err(denied @ Exception::AccessDenied(_)) => return Err(denied),
                repository => repositories.push((name, repository)),
            }
        }
        let template = row::get(transaction, &call, &template)?;
        let (mut done, mut changed, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (name, repository) in repositories {
            let applied = repository
                .and_then(|repository| Ok((action.apply)(transaction, &template, &repository)?.then_some(repository)));
            match applied {
                Ok(repository) => {
                    done.push(name);
                    changed.extend(repository);
                }
                Err(Exception::Store(error)) => return Err(error.into()),
                Err(exception) => failed.push((name, exception)),
            }
        }
        bus_event::emit_associations(transaction, &call, &template, action.events[1], &changed)?;
        Ok((done, failed))
    }))
}

/// Returns a repository whose encryption key can be used.
fn usable(
    transaction: &Transaction,
    call: &Call,
    simulate: &Simulate,
    name: &RepositoryName,
) -> Result<Repository, Exception> {
    let repository = repository::get_row(transaction, call, name)?;
    simulate.check_key(call, &repository.kms_key_id)?;
    Ok(repository)
}

fn associate(transaction: &Transaction, template: &Template, repository: &Repository) -> Result<bool, Exception> {
    let associated = transaction.query(
        "SELECT template_id FROM approval_rule_template_associations WHERE repository_id = ?1",
        &[(&repository.id).into()],
        |row| row.text(0),
    )?;
    if associated.contains(&template.id) {
        return Ok(false);
    }
    if associated.len() >= TEMPLATES_MAX {
        return Err(Exception::MaximumRuleTemplatesAssociatedWithRepository { limit: TEMPLATES_MAX });
    }
    transaction.execute(
        "INSERT INTO approval_rule_template_associations (repository_id, template_id) VALUES (?1, ?2)",
        &[(&repository.id).into(), (&template.id).into()],
    )?;
    Ok(true)
}

fn disassociate(transaction: &Transaction, template: &Template, repository: &Repository) -> Result<bool, Exception> {
    let removed = transaction.execute(
        "DELETE FROM approval_rule_template_associations WHERE repository_id = ?1 AND template_id = ?2",
        &[(&repository.id).into(), (&template.id).into()],
    )?;
    Ok(removed > 0)
}

//! Listings of templates and of their associations, in the order of names.

use std::sync::Arc;

use aws::{Call, Facts};
use aws_sdk_codecommit::operation::list_approval_rule_templates::{
    ListApprovalRuleTemplatesInput, ListApprovalRuleTemplatesOutput,
};
use aws_sdk_codecommit::operation::list_associated_approval_rule_templates_for_repository::{
    ListAssociatedApprovalRuleTemplatesForRepositoryInput, ListAssociatedApprovalRuleTemplatesForRepositoryOutput,
};
use aws_sdk_codecommit::operation::list_repositories_for_approval_rule_template::{
    ListRepositoriesForApprovalRuleTemplateInput, ListRepositoriesForApprovalRuleTemplateOutput,
};

use crate::approval_rule::RuleName;
use crate::approval_rule_template::row;
use crate::name::RepositoryName;
use crate::page::{Page, Sizes};
use crate::{CodeCommit, Exception};

const fn sizes(operation: &'static str) -> Sizes {
    Sizes { operation, default: 100, max: 1_000 }
}

pub(crate) fn list(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListApprovalRuleTemplatesInput,
) -> Result<ListApprovalRuleTemplatesOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let sizes = sizes("ListApprovalRuleTemplates");
    let scope = [call.account.as_str(), call.region.as_str()];
    let page = Page::parse(sizes, &service.settings, &scope, input.next_token, input.max_results)?;
    let after = page.after_text()?.unwrap_or_default();
    let mut names = service.store.read(|transaction| {
        transaction.query(
            "SELECT name FROM approval_rule_templates WHERE account = ?1 AND region = ?2 AND name > ?3 ORDER BY name LIMIT ?4",
            &[call.account.as_str().into(), call.region.as_str().into(), (&after).into(), page.limit().into()],
            |row| row.text(0),
        )
    })?;
    let next_token = page.cut(&mut names, |last| last.clone().into_bytes());
    let output = ListApprovalRuleTemplatesOutput::builder().set_approval_rule_template_names(Some(names));
    Ok(output.set_next_token(next_token).build())
}

pub(crate) fn list_associated_for_repository(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListAssociatedApprovalRuleTemplatesForRepositoryInput,
) -> Result<ListAssociatedApprovalRuleTemplatesForRepositoryOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let sizes = sizes("ListAssociatedApprovalRuleTemplatesForRepository");
    let scope = [call.account.as_str(), call.region.as_str(), name.as_str()];
    let page = Page::parse(sizes, &service.settings, &scope, input.next_token, input.max_results)?;
    let after = page.after_text()?.unwrap_or_default();
    let repository = service.find(call, &name)?;
    let mut names = service.store.read(|transaction| {
        transaction.query(
            "SELECT template.name FROM approval_rule_template_associations association \
             JOIN approval_rule_templates template ON template.id = association.template_id \
             WHERE association.repository_id = ?1 AND template.name > ?2 ORDER BY template.name LIMIT ?3",
            &[(&repository.id).into(), (&after).into(), page.limit().into()],
            |row| row.text(0),
        )
    })?;
    let next_token = page.cut(&mut names, |last| last.clone().into_bytes());
    let output =
        ListAssociatedApprovalRuleTemplatesForRepositoryOutput::builder().set_approval_rule_template_names(Some(names));
    Ok(output.set_next_token(next_token).build())
}

/// Lists the repositories of a template; the encryption keys of those on the page must be usable.
pub(crate) fn list_repositories(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListRepositoriesForApprovalRuleTemplateInput,
) -> Result<ListRepositoriesForApprovalRuleTemplateOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let name = RuleName::of_template(input.approval_rule_template_name)?;
    let sizes = sizes("ListRepositoriesForApprovalRuleTemplate");
    let scope = [call.account.as_str(), call.region.as_str(), name.as_str()];
    let page = Page::parse(sizes, &service.settings, &scope, input.next_token, input.max_results)?;
    let after = page.after_text()?.unwrap_or_default();
    let mut repositories = service.store.read(|transaction| {
        let template = row::get(transaction, call, &name)?;
        Ok::<_, Exception>(transaction.query(
            "SELECT repository.name, repository.kms_key_id FROM approval_rule_template_associations association \
             JOIN repositories repository ON repository.id = association.repository_id \
             WHERE association.template_id = ?1 AND repository.name > ?2 ORDER BY repository.name LIMIT ?3",
            &[(&template.id).into(), (&after).into(), page.limit().into()],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )?)
    })?;
    let next_token = page.cut(&mut repositories, |(last, _)| last.clone().into_bytes());
    for (_, key) in &repositories {
        service.settings.simulate.check_key(call, key)?;
    }
    let names = repositories.into_iter().map(|(name, _)| name).collect();
    let output = ListRepositoriesForApprovalRuleTemplateOutput::builder().set_repository_names(Some(names));
    Ok(output.set_next_token(next_token).build())
}

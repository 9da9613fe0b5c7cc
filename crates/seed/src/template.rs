//! Approval rule templates of a seed.

use serde_json::json;

use crate::document::TemplateEntry;
use crate::repository::EntryDefaults;
use crate::runner::Runner;
use crate::{Error, Location};

/// Creates an approval rule template, and associates it with its repositories.
pub(crate) fn create(
    runner: &Runner<'_>,
    entry: &TemplateEntry,
    location: &Location,
    defaults: EntryDefaults<'_>,
) -> Result<(), Error> {
    let (file, name) = (defaults.file, entry.name.get_ref());
    let circumstances = defaults.circumstances(location, entry.author.as_deref(), entry.created, name);
    let fault = |reason: String| file.fault(entry.name.span(), format!("approval rule template '{name}': {reason}"));
    let mut input = json!({ "approvalRuleTemplateName": name, "approvalRuleTemplateContent": entry.content });
    if let Some(description) = &entry.description {
        input["approvalRuleTemplateDescription"] = description.as_str().into();
    }
    runner.codecommit(&circumstances, "CreateApprovalRuleTemplate", &input).map_err(fault)?;
    for repository in &entry.repositories {
        let input = json!({ "approvalRuleTemplateName": name, "repositoryName": repository });
        let operation = "AssociateApprovalRuleTemplateWithRepository";
        runner.codecommit(&circumstances, operation, &input).map_err(fault)?;
    }
    Ok(())
}

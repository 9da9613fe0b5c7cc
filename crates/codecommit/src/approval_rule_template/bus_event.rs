//! Events of the type `CodeCommit Approval Rule Template Change`, in the form of the guide's examples.

use std::collections::BTreeMap;

use aws::Call;
use serde::Serialize;
use store::{Error, Transaction};

use crate::approval_rule::content;
use crate::approval_rule_template::row::Template;
use crate::event_bridge;
use crate::repository::{self, Repository};

const DETAIL_TYPE: &str = "CodeCommit Approval Rule Template Change";

/// Change of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplateChange {
    Created,
    Updated,
    Deleted,
    Associated,
    Disassociated,
    BatchAssociated,
    BatchDisassociated,
}

/// The detail, with its members in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    approval_rule_template_content_sha256: String,
    approval_rule_template_id: &'a str,
    approval_rule_template_name: &'a str,
    caller_user_arn: &'a str,
    creation_date: String,
    event: &'static str,
    last_modified_date: String,
    notification_body: String,
    /// Ids by names.
    repositories: BTreeMap<&'a str, &'a str>,
}

impl TemplateChange {
    const fn event(self) -> &'static str {
        match self {
            Self::Created => "approvalRuleTemplateCreated",
            Self::Updated => "approvalRuleTemplateUpdated",
            Self::Deleted => "approvalRuleTemplateDeleted",
            Self::Associated => "approvalRuleTemplateAssociatedWithRepository",
            Self::Disassociated => "approvalRuleTemplateDisassociatedFromRepository",
            Self::BatchAssociated => "batchAssociateApprovalRuleTemplateWithRepositories",
            Self::BatchDisassociated => "batchDisassociateApprovalRuleTemplateFromRepositories",
        }
    }

    /// Returns the sentences of the notification that tell what changed.
    fn text(self, template: &Template, content_sha256: &str, repositories: &str) -> String {
        let Template { id, name, .. } = template;
        let changed =
            |verb: &str| format!("An approval rule template with the following name has been {verb}: {name}.");
        let associated = |what: &str| format!("An approval rule template has been {what}: [{repositories}].");
        match self {
            Self::Created => format!("{} The ID of the created template is: {id}.", changed("created")),
            Self::Updated => format!(
                "{} The ID of the updated template is: {id}. The after rule template content SHA256 is {content_sha256}.",
                changed("updated")
            ),
            Self::Deleted => format!("{} The ID of the updated template is: {id}.", changed("deleted")),
            Self::Associated => associated("associated with the following repository"),
            Self::Disassociated => associated("disassociated from the following repository"),
            Self::BatchAssociated => associated("batch associated with the following repository names"),
            Self::BatchDisassociated => associated("batch disassociated from the following repository names"),
        }
    }
}

/// Emits the event of a change of a template itself; it names the associated repositories.
pub(super) fn emit(
    transaction: &Transaction,
    call: &Call,
    template: &Template,
    change: TemplateChange,
) -> Result<(), Error> {
    if call.event_sink.is_none() {
        return Ok(());
    }
    let associated = transaction.query(
        "SELECT id, name FROM repositories JOIN approval_rule_template_associations ON repository_id = id \
         WHERE template_id = ?1 ORDER BY name",
        &[(&template.id).into()],
        |row| Ok((row.text(0)?, row.text(1)?)),
    )?;
    store(transaction, call, template, change, &associated)
}

/// Emits the event of changed associations with repositories; there is none if no association changed.
pub(super) fn emit_associations(
    transaction: &Transaction,
    call: &Call,
    template: &Template,
    change: TemplateChange,
    repositories: &[Repository],
) -> Result<(), Error> {
    if repositories.is_empty() {
        return Ok(());
    }
    let changed: Vec<_> = repositories.iter().map(|changed| (changed.id.clone(), changed.name.clone())).collect();
    store(transaction, call, template, change, &changed)
}

fn store(
    transaction: &Transaction,
    call: &Call,
    template: &Template,
    change: TemplateChange,
    repositories: &[(String, String)],
) -> Result<(), Error> {
    let names: Vec<_> = repositories.iter().map(|(_, name)| name.as_str()).collect();
    let arn =
        |name: &&str| repository::arn_of(call.region.clone(), call.account.clone(), (*name).to_owned()).to_string();
    let resources: Vec<_> = names.iter().map(arn).collect();
    let content_sha256 = content::sha256(&template.content);
    let (account, caller) = (&call.account, &call.caller.arn);
    let text = change.text(template, &content_sha256, &names.join(", "));
    let detail = Detail {
        approval_rule_template_content_sha256: content_sha256,
        approval_rule_template_id: &template.id,
        approval_rule_template_name: &template.name,
        caller_user_arn: caller,
        creation_date: template.created.java(),
        event: change.event(),
        last_modified_date: template.modified.java(),
        notification_body: format!(
            "A approval rule template event occurred in the following AWS CodeCommit account: {account}. \
             User: {caller}. Additional information: {text} For more information, go to the AWS CodeCommit console."
        ),
        repositories: repositories.iter().map(|(id, name)| (name.as_str(), id.as_str())).collect(),
    };
    event_bridge::emit(transaction, call, DETAIL_TYPE, &resources, [detail])
}

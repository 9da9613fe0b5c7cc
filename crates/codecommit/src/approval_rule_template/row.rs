//! Approval rule templates in the database.

use aws::{Call, Timestamp};
use aws_sdk_codecommit::types::ApprovalRuleTemplate;
use store::{Error, Row, Transaction, Value};

use crate::Exception;
use crate::approval_rule::{RuleName, content};

/// Approval rule template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// UUID; it stays the same when the name changes.
    pub(crate) id: String,
    /// Name, unique in the account and region.
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) content: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// ARN of the caller who last changed it.
    pub(crate) modified_by: String,
}

const COLUMNS: &str = "id, name, description, content, created, modified, modified_by";

impl Template {
    /// Returns the wire shape.
    pub(crate) fn describe(self) -> ApprovalRuleTemplate {
        ApprovalRuleTemplate::builder()
            .approval_rule_template_id(self.id)
            .approval_rule_template_name(self.name)
            .set_approval_rule_template_description(self.description)
            .rule_content_sha256(content::sha256(&self.content))
            .approval_rule_template_content(self.content)
            .last_modified_date(self.modified.to_wire())
            .creation_date(self.created.to_wire())
            .last_modified_user(self.modified_by)
            .build()
    }

    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            name: row.text(1)?,
            description: row.optional_text(2)?,
            content: row.text(3)?,
            created: Timestamp::from_millis(row.integer(4)?),
            modified: Timestamp::from_millis(row.integer(5)?),
            modified_by: row.text(6)?,
        })
    }
}

/// Finds a template of the call's account and region.
pub(super) fn find(transaction: &Transaction, call: &Call, name: &RuleName) -> Result<Option<Template>, Error> {
    transaction.query_one(
        &format!("SELECT {COLUMNS} FROM approval_rule_templates WHERE account = ?1 AND region = ?2 AND name = ?3"),
        &[call.account.as_str().into(), call.region.as_str().into(), name.as_str().into()],
        Template::read,
    )
}

/// Returns a template, which must exist.
pub(super) fn get(transaction: &Transaction, call: &Call, name: &RuleName) -> Result<Template, Exception> {
    let found = find(transaction, call, name)?;
    found.ok_or_else(|| Exception::ApprovalRuleTemplateDoesNotExist { name: name.to_string() })
}

/// Lists the templates that are associated with a repository, in the order of their names.
pub(super) fn associated_with(transaction: &Transaction, repository_id: &str) -> Result<Vec<Template>, Error> {
    transaction.query(
        &format!(
            "SELECT {COLUMNS} FROM approval_rule_templates WHERE id IN \
             (SELECT template_id FROM approval_rule_template_associations WHERE repository_id = ?1) ORDER BY name"
        ),
        &[repository_id.into()],
        Template::read,
    )
}

pub(super) fn insert(transaction: &Transaction, call: &Call, template: &Template) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO approval_rule_templates \
         (id, account, region, name, description, content, created, modified, modified_by) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            (&template.id).into(),
            call.account.as_str().into(),
            call.region.as_str().into(),
            (&template.name).into(),
            template.description.as_ref().into(),
            (&template.content).into(),
            template.created.millis().into(),
            template.modified.millis().into(),
            (&template.modified_by).into(),
        ],
    )?;
    Ok(())
}

/// Sets one column of a template, with the time and author of the change; returns the changed template.
pub(super) fn set(
    transaction: &Transaction,
    call: &Call,
    template: &Template,
    column: &'static str,
    value: Value<'_>,
) -> Result<Template, Exception> {
    let changed = transaction.query_one(
        &format!(
            "UPDATE approval_rule_templates SET {column} = ?1, modified = ?2, modified_by = ?3 WHERE id = ?4 \
             RETURNING {COLUMNS}"
        ),
        &[value, call.time.millis().into(), (&call.caller.arn).into(), (&template.id).into()],
        Template::read,
    )?;
    Ok(changed.ok_or(Error::Damaged("an approval rule template"))?)
}

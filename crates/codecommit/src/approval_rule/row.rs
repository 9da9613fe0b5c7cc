//! Approval rules in the database.

use aws::{Call, Timestamp};
use aws_sdk_codecommit::types::{ApprovalRule, ApprovalRuleEventMetadata, OriginApprovalRuleTemplate};
use store::{Error, Row, Transaction};

use crate::approval_rule::content;
use crate::pull_request::PullRequest;

/// Approval rule of one pull request.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// Name, unique in the pull request.
    pub(crate) name: String,
    pub(crate) content: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// ARN of the caller who last changed it.
    pub(crate) modified_by: String,
    /// Id and name of the template that created it.
    pub(crate) template: Option<(String, String)>,
}

const COLUMNS: &str = "id, name, content, created, modified, modified_by, template_id, template_name";

impl Rule {
    pub(crate) fn new(call: &Call, name: String, content: String) -> Self {
        let (id, modified_by) = (call.new_id(), call.caller.arn.clone());
        Self { id, name, content, created: call.time, modified: call.time, modified_by, template: None }
    }

    /// Returns the wire shape.
    pub(crate) fn describe(self) -> ApprovalRule {
        let origin = self.template.map(|(id, name)| {
            OriginApprovalRuleTemplate::builder()
                .approval_rule_template_id(id)
                .approval_rule_template_name(name)
                .build()
        });
        ApprovalRule::builder()
            .approval_rule_id(self.id)
            .approval_rule_name(self.name)
            .rule_content_sha256(content::sha256(&self.content))
            .approval_rule_content(self.content)
            .last_modified_date(self.modified.to_wire())
            .creation_date(self.created.to_wire())
            .last_modified_user(self.modified_by)
            .set_origin_approval_rule_template(origin)
            .build()
    }

    /// Returns the metadata of an event of the rule.
    pub(super) fn metadata(&self) -> ApprovalRuleEventMetadata {
        ApprovalRuleEventMetadata::builder()
            .approval_rule_name(&self.name)
            .approval_rule_id(&self.id)
            .approval_rule_content(&self.content)
            .build()
    }

    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?,
            name: row.text(1)?,
            content: row.text(2)?,
            created: Timestamp::from_millis(row.integer(3)?),
            modified: Timestamp::from_millis(row.integer(4)?),
            modified_by: row.text(5)?,
            template: row.optional_text(6)?.zip(row.optional_text(7)?),
        })
    }
}

/// Lists the rules of a pull request, oldest first.
pub(crate) fn of_pull_request(transaction: &Transaction, pull_request: &PullRequest) -> Result<Vec<Rule>, Error> {
    transaction.query(
        &format!(
            "SELECT {COLUMNS} FROM approval_rules WHERE account = ?1 AND region = ?2 AND pull_request = ?3 \
             ORDER BY created, name"
        ),
        &pull_request.key(),
        Rule::read,
    )
}

pub(super) fn find(transaction: &Transaction, pull_request: &PullRequest, name: &str) -> Result<Option<Rule>, Error> {
    let [account, region, number] = pull_request.key();
    transaction.query_one(
        &format!(
            "SELECT {COLUMNS} FROM approval_rules \
             WHERE account = ?1 AND region = ?2 AND pull_request = ?3 AND name = ?4"
        ),
        &[account, region, number, name.into()],
        Rule::read,
    )
}

pub(super) fn insert(transaction: &Transaction, pull_request: &PullRequest, rule: &Rule) -> Result<(), Error> {
    let [account, region, number] = pull_request.key();
    transaction.execute(
        "INSERT INTO approval_rules (id, account, region, pull_request, name, content, created, modified, modified_by, \
         template_id, template_name) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            (&rule.id).into(),
            account,
            region,
            number,
            (&rule.name).into(),
            (&rule.content).into(),
            rule.created.millis().into(),
            rule.modified.millis().into(),
            (&rule.modified_by).into(),
            rule.template.as_ref().map(|(id, _)| id).into(),
            rule.template.as_ref().map(|(_, name)| name).into(),
        ],
    )?;
    Ok(())
}

/// Writes the content of a rule, with the time and author of the change.
pub(super) fn save(transaction: &Transaction, rule: &Rule) -> Result<(), Error> {
    transaction.execute(
        "UPDATE approval_rules SET content = ?2, modified = ?3, modified_by = ?4 WHERE id = ?1",
        &[(&rule.id).into(), (&rule.content).into(), rule.modified.millis().into(), (&rule.modified_by).into()],
    )?;
    Ok(())
}

pub(super) fn delete(transaction: &Transaction, rule: &Rule) -> Result<(), Error> {
    transaction.execute("DELETE FROM approval_rules WHERE id = ?1", &[(&rule.id).into()])?;
    Ok(())
}

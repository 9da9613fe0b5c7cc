//! Content of approval rules and their templates, as fields of a form.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::form::Form;

/// The only version of the rule language.
const VERSION: &str = "2018-11-08";

/// The fields of a rule; lists have one item a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleFields {
    /// The number of approvals needed.
    pub(crate) approvals: String,
    /// Members whose approvals count; empty for everyone.
    pub(crate) members: String,
    /// Full names of destination branches for which a template creates a rule; empty for all.
    pub(crate) destinations: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleContent {
    #[serde(default)]
    destination_references: Vec<String>,
    statements: [RuleStatement; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleStatement {
    number_of_approvals_needed: u64,
    #[serde(default)]
    approval_pool_members: Vec<String>,
}

impl RuleFields {
    /// Reads a rule's content, which can lack members but is valid otherwise.
    pub(crate) fn parse(content: &str) -> Option<Self> {
        let content: RuleContent = serde_json::from_str(content).ok()?;
        let [statement] = content.statements;
        Some(Self {
            approvals: statement.number_of_approvals_needed.to_string(),
            members: statement.approval_pool_members.join("\n"),
            destinations: content.destination_references.join("\n"),
        })
    }

    /// Reads the fields `approvals`, `members` and `destinations` of a form.
    pub(crate) fn of_form(form: &Form) -> Self {
        Self {
            approvals: form.get("approvals").to_owned(),
            members: form.text("members"),
            destinations: form.text("destinations"),
        }
    }

    /// Writes the content. A number that is none stays a text, so that AWS's exception says what is wrong.
    pub(crate) fn content(&self) -> String {
        let number = self.approvals.parse::<u64>().map_or_else(|_| Value::from(self.approvals.as_str()), Value::from);
        let mut statement = json!({ "Type": "Approvers", "NumberOfApprovalsNeeded": number });
        let members = lines(&self.members);
        if !members.is_empty() {
            statement["ApprovalPoolMembers"] = members.into();
        }
        let mut content = json!({ "Version": VERSION, "Statements": [statement] });
        let destinations = lines(&self.destinations);
        if !destinations.is_empty() {
            content["DestinationReferences"] = destinations.into();
        }
        content.to_string()
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_and_its_fields_are_the_same() {
        let fields = RuleFields {
            approvals: "2".to_owned(),
            members: "CodeCommitApprovers:111122223333:Mary_Major\narn:aws:iam::111122223333:user/Li_Juan".to_owned(),
            destinations: "refs/heads/main".to_owned(),
        };
        assert_eq!(RuleFields::parse(&fields.content()), Some(fields));
        let everyone = RuleFields { approvals: "1".to_owned(), ..RuleFields::default() };
        assert_eq!(RuleFields::parse(&everyone.content()), Some(everyone));
        assert_eq!(RuleFields::parse("{}"), None);
    }

    #[test]
    fn a_number_that_is_none_is_left_to_the_service() {
        let fields = RuleFields { approvals: "two".to_owned(), ..RuleFields::default() };
        assert!(fields.content().contains("\"NumberOfApprovalsNeeded\":\"two\""));
    }
}

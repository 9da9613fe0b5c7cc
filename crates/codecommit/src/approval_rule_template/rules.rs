//! Approval rules that templates create for new pull requests.

use aws::Call;
use store::Transaction;

use crate::Exception;
use crate::approval_rule::{self, Content, Rule};
use crate::approval_rule_template::row::{self, Template};
use crate::pull_request::PullRequest;

/// Adds the rules of the templates that are associated with the repository of a new pull request.
pub(crate) fn add_rules(
    transaction: &Transaction,
    call: &Call,
    pull_request: &mut PullRequest,
) -> Result<(), Exception> {
    let destination = pull_request.destination.to_string();
    for template in row::associated_with(transaction, &pull_request.repository.id)? {
        if Content::from_stored(template.content.clone())?.applies_to(&destination) {
            approval_rule::add(transaction, call, pull_request, &rule(call, template))?;
        }
    }
    Ok(())
}

/// Creates the rule of a template, with the template's name and content.
fn rule(call: &Call, template: Template) -> Rule {
    let origin = Some((template.id, template.name.clone()));
    Rule { template: origin, ..Rule::new(call, template.name, template.content) }
}

//! Names of approval rules and of approval rule templates.

use std::fmt;

use crate::{Exception, name};

/// Maximum length of a name, in characters.
const LENGTH_MAX: usize = 100;

/// Name of a rule or a template: letters, digits, periods, spaces, underscores and dashes, not ending in `.git`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleName(String);

impl RuleName {
    pub(crate) fn of_rule(name: Option<String>) -> Result<Self, Exception> {
        let name = name::required(name, Exception::ApprovalRuleNameRequired)?;
        Self::parse(name).ok_or(Exception::InvalidApprovalRuleName { limit: LENGTH_MAX })
    }

    pub(crate) fn of_template(name: Option<String>) -> Result<Self, Exception> {
        let name = name::required(name, Exception::ApprovalRuleTemplateNameRequired)?;
        Self::parse(name).ok_or(Exception::InvalidApprovalRuleTemplateName { limit: LENGTH_MAX })
    }

    fn parse(name: String) -> Option<Self> {
        let allowed = |letter: char| letter.is_alphanumeric() || ". _-".contains(letter);
        let is_clone_url_form = name.as_bytes().ends_with(b".git");
        let fits = name.chars().count() <= LENGTH_MAX && name.chars().all(allowed) && !is_clone_url_form;
        fits.then_some(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_letters_digits_and_a_few_signs() {
        for name in ["Two eyes", "2_approvers - v1.0", "Überprüfung", &"x".repeat(LENGTH_MAX)] {
            assert_eq!(RuleName::of_rule(Some(name.to_owned())).expect("the name is valid").as_str(), name);
        }
        for name in ["a/b", "a:b", "a\tb", "(a)", "a.git", &"x".repeat(LENGTH_MAX + 1)] {
            let (rule, template) =
                (RuleName::of_rule(Some(name.to_owned())), RuleName::of_template(Some(name.to_owned())));
            assert!(matches!(rule, Err(Exception::InvalidApprovalRuleName { .. })), "{name}");
            assert!(matches!(template, Err(Exception::InvalidApprovalRuleTemplateName { .. })), "{name}");
        }
    }
}

//! Rules that the same action and the same beginning of a resource lead to, by the values that their conditions require.

use std::collections::HashMap;

use crate::facts::Facts;
use crate::statement::Rule;

/// The place of a rule in the documents of a set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleId {
    pub(crate) document: usize,
    pub(crate) statement: usize,
}

/// Rules by the value that they require of one context key.
type RulesByValue = HashMap<Box<str>, Vec<RuleId>>;

/// A group of rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket {
    /// The rules that require no particular value.
    unconditional: Vec<RuleId>,
    /// For each context key, the rules that require a value of it.
    by_key: Vec<(Box<str>, RulesByValue)>,
}

impl Bucket {
    pub(crate) fn add(&mut self, rule: &Rule, id: RuleId) {
        let Some((key, required)) = rule.conditions.iter().find_map(|condition| condition.required_values()) else {
            self.unconditional.push(id);
            return;
        };
        let at = self.by_key.iter().position(|(known, _)| **known == *key).unwrap_or(self.by_key.len());
        if at == self.by_key.len() {
            self.by_key.push((key.into(), HashMap::new()));
        }
        let (_, by_value) = &mut self.by_key[at];
        for value in required {
            by_value.entry(value.into()).or_default().push(id);
        }
    }

    /// Returns whether one of the rules that can match a request does.
    pub(crate) fn any(&self, facts: &dyn Facts, matches: impl Fn(RuleId) -> bool) -> bool {
        self.unconditional.iter().any(|id| matches(*id))
            || self.by_key.iter().any(|(key, by_value)| {
                let Some(values) = facts.values(key) else { return false };
                values.iter().filter_map(|value| by_value.get(value)).flatten().any(|id| matches(*id))
            })
    }
}

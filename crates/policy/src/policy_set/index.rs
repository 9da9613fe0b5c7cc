//! The statements of one effect, by action, then by resource, then by required values of conditions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::document::Document;
use crate::glob::Glob;
use crate::policy_set::bucket::{Bucket, RuleId};
use crate::policy_set::prefix_index::PrefixIndex;
use crate::request::Request;
use crate::statement::{Effect, Rule};

/// Maximum number of entries of a rule with several actions and several resources. A rule with more has one for each action, so that the
/// index does not grow with the product of both.
const PAIRS_MAX: usize = 64;

/// An index of rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    actions: PrefixIndex<ActionEntry>,
}

/// The rules with one pattern of actions, by the beginnings of their resources.
#[derive(Debug, Clone)]
struct ActionEntry {
    /// `None` for `NotAction`.
    pattern: Option<Glob>,
    rules: PrefixIndex<Bucket>,
}

impl Index {
    /// Indexes the rules of an effect; equal rules are indexed once.
    pub(crate) fn new(documents: &[Arc<Document>], effect: Effect) -> Self {
        let mut known = HashSet::new();
        let mut entries: HashMap<Option<&Glob>, BTreeMap<String, Bucket>> = HashMap::new();
        for (document, content) in documents.iter().enumerate() {
            for (statement, content) in content.statements().iter().enumerate() {
                let rule = &content.rule;
                if rule.effect == effect && known.insert(rule) {
                    let id = RuleId { document, statement };
                    for (action, prefix) in pairs(rule) {
                        entries.entry(action).or_default().entry(prefix).or_default().add(rule, id);
                    }
                }
            }
        }
        let entries = entries.into_iter().map(|(pattern, rules)| {
            let prefix = pattern.map(Glob::prefix).unwrap_or_default().to_owned();
            (prefix, ActionEntry { pattern: pattern.cloned(), rules: PrefixIndex::new(rules) })
        });
        Self { actions: PrefixIndex::new(entries) }
    }

    /// Returns whether a rule matches a request.
    pub(crate) fn has_match(&self, request: &Request<'_>, documents: &[Arc<Document>]) -> bool {
        let matches = |entry: &&ActionEntry| entry.pattern.as_ref().is_none_or(|glob| glob.matches(&request.action));
        let entries = self.actions.find(&request.action).filter(matches);
        let mut buckets = entries.flat_map(|entry| entry.rules.find(request.resource));
        let matches = |id: RuleId| documents[id.document].statements()[id.statement].rule.matches(request);
        buckets.any(|bucket| bucket.any(request.facts, matches))
    }
}

/// Returns the patterns of actions and beginnings of resources under which a rule is found.
fn pairs(rule: &Rule) -> Vec<(Option<&Glob>, String)> {
    let actions: Vec<_> = match rule.actions.patterns() {
        Some(patterns) => patterns.iter().map(Some).collect(),
        None => vec![None],
    };
    let mut prefixes = rule.resources.prefixes();
    if actions.len() * prefixes.len() > PAIRS_MAX {
        prefixes = vec![shared_prefix(&prefixes)];
    }
    actions.into_iter().flat_map(|action| prefixes.iter().map(move |prefix| (action, prefix.clone()))).collect()
}

/// Returns the longest text with which all texts begin.
fn shared_prefix(texts: &[String]) -> String {
    let Some(first) = texts.first() else { return String::new() };
    let length = |text: &String| {
        let mut pairs = first.char_indices().zip(text.chars());
        pairs.find(|((_, left), right)| left != right).map_or(first.len().min(text.len()), |((at, _), _)| at)
    };
    let length = texts.iter().map(length).min().unwrap_or_default();
    first[..length].to_owned()
}

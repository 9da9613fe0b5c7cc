//! The documents of one principal, indexed.

mod bucket;
mod index;
mod prefix_index;

use std::sync::Arc;

use crate::document::Document;
use crate::facts::Keys;
use crate::policy_set::index::Index;
use crate::request::Request;
use crate::statement::{Effect, Statement};

/// A set of documents that is built once and evaluated many times.
///
/// **Invariant:** decides as its documents do one by one. A decision looks only at statements whose action, whose literal beginning of the
/// resource and whose first condition of the form `StringEquals` without variables fit the request.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    documents: Vec<Arc<Document>>,
    denying: Index,
    allowing: Index,
    keys: Keys,
}

/// A statement that matches a request.
#[derive(Debug, Clone, Copy)]
pub struct MatchedStatement<'s> {
    /// The index of its document in the set.
    pub document: usize,
    /// The statement.
    pub statement: &'s Statement,
}

impl PolicySet {
    /// Creates a set.
    pub fn new(documents: impl IntoIterator<Item = Arc<Document>>) -> Self {
        let documents: Vec<_> = documents.into_iter().collect();
        let mut keys = Keys::default();
        for document in &documents {
            keys.extend(document.keys());
        }
        let denying = Index::new(&documents, Effect::Deny);
        let allowing = Index::new(&documents, Effect::Allow);
        Self { documents, denying, allowing, keys }
    }

    /// Returns the documents.
    pub fn documents(&self) -> &[Arc<Document>] {
        &self.documents
    }

    /// Returns the context keys that the documents refer to.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Decides about a request: denied if a statement denies it, else allowed if one allows it, else undecided.
    pub fn decide(&self, request: &Request<'_>) -> Option<Effect> {
        if self.denying.has_match(request, &self.documents) {
            Some(Effect::Deny)
        } else {
            self.allowing.has_match(request, &self.documents).then_some(Effect::Allow)
        }
    }

    /// Returns whether a statement allows an action on some resource under some conditions; this looks at each statement.
    pub fn allows_somewhere(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let mut statements = self.documents.iter().flat_map(|document| document.statements());
        statements.any(|statement| statement.effect() == Effect::Allow && statement.rule.actions.match_action(&action))
    }

    /// Returns all statements that match a request, in the order of the documents; this looks at each statement.
    pub fn matching_statements(&self, request: &Request<'_>) -> Vec<MatchedStatement<'_>> {
        let documents = self.documents.iter().enumerate();
        let statements = documents.flat_map(|(document, content)| {
            content.statements().iter().map(move |statement| MatchedStatement { document, statement })
        });
        statements.filter(|matched| matched.statement.matches(request)).collect()
    }
}

//! Tests of the policy language.

mod conditions;
mod corpus;
mod grants;
mod guide;
mod language;
mod malformed;
mod properties;
mod simulation;
mod trust;

#[path = "../../fuzz/entries.rs"]
mod entries;

use policy::{Context, Document, Effect, Request};

pub(crate) const REPOSITORY: &str = "arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo";

/// Parses a document that must be valid.
pub(crate) fn document(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{error} at {:?}: {text}", error.position))
}

/// Returns the decision of a document about a request.
pub(crate) fn decide(document: &Document, action: &str, resource: &str, facts: &Context) -> Option<Effect> {
    document.decide(&Request::new(action, resource, facts))
}

/// Returns a document of the current version with one statement that allows, and has the given other elements.
pub(crate) fn allow(elements: &str) -> Document {
    document(&format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {elements}}}}}"#))
}

/// Creates facts with single-valued keys.
pub(crate) fn facts(values: &[(&str, &str)]) -> Context {
    let mut facts = Context::default();
    for (key, value) in values {
        facts.set(key, *value);
    }
    facts
}

//! The context keys of a call, in the form in which policies read them.

use aws::permission::{Context, FactValue};
use policy::{Facts, Values};

/// The values of context keys, as policies read them.
#[derive(Debug)]
pub(crate) struct ContextFacts<'c>(pub(crate) &'c dyn Context);

impl Facts for ContextFacts<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        Some(match self.0.value(key)? {
            FactValue::One(value) => Values::One(value),
            FactValue::Many(values) => Values::Many(values),
        })
    }
}

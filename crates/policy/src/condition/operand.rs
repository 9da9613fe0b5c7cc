//! Values of conditions, compiled for their operator.

use crate::arn::ArnPattern;
use crate::condition::date::{self, Instant};
use crate::condition::network::{self, Network};
use crate::condition::number::Number;
use crate::condition::operator::{Comparison, Relation};
use crate::facts::{Facts, Keys};
use crate::glob::Glob;
use crate::variable::{Syntax, Template};

/// A value of a condition. One that has the wrong form, such as a number with letters, matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Operand {
    Text(Template),
    Number(Relation, Option<Number>),
    Date(Relation, Instant),
    Bool(Option<bool>),
    /// Base64, which writes the same bytes always in the same way.
    Binary(Box<str>),
    Network(Option<Network>),
    Arn(ArnPattern),
}

impl Operand {
    /// Compiles a value; `None` for a date that AWS refuses when the document is created.
    pub(crate) fn parse(comparison: Comparison, text: &str, variables: bool, keys: &mut Keys) -> Option<Self> {
        let template = |wildcards, ignores_case, keys| {
            Self::Text(Template::parse(text, Syntax { variables, wildcards, ignores_case }, keys))
        };
        Some(match comparison {
            Comparison::Text => template(false, false, keys),
            Comparison::TextIgnoringCase => template(false, true, keys),
            Comparison::TextLike => template(true, false, keys),
            Comparison::Number(relation) => Self::Number(relation, Number::parse(text)),
            Comparison::Date(relation) => Self::Date(relation, date::parse(text)?),
            Comparison::Bool | Comparison::Null => Self::Bool(truth(text)),
            Comparison::Binary => Self::Binary(text.into()),
            Comparison::Network => Self::Network(Network::parse(text)),
            Comparison::Arn => Self::Arn(ArnPattern::parse(text, variables, keys)),
        })
    }

    /// Returns the only text that matches, if it does not depend on the request.
    pub(crate) fn exact_text(&self) -> Option<&str> {
        let Self::Text(template) = self else { return None };
        template.glob().filter(|glob| glob.is_text()).map(Glob::prefix)
    }

    /// Returns whether a value of the request matches.
    pub(crate) fn matches(&self, value: &str, facts: &dyn Facts) -> bool {
        match self {
            Self::Text(template) => template.matches(value, facts),
            Self::Number(relation, number) => {
                let numbers = Number::parse(value).zip(number.as_ref());
                numbers.is_some_and(|(value, number)| relation.holds(value.cmp(number)))
            }
            Self::Date(relation, instant) => date::parse(value).is_some_and(|value| relation.holds(value.cmp(instant))),
            Self::Bool(expected) => expected.is_some() && truth(value) == *expected,
            Self::Binary(bytes) => **bytes == *value,
            Self::Network(network) => {
                let address = network::address(value).zip(network.as_ref());
                address.is_some_and(|(address, network)| network.contains(address))
            }
            Self::Arn(pattern) => pattern.matches(value, facts),
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

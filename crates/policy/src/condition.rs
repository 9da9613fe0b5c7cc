//! Conditions of statements.

mod date;
mod network;
mod number;
mod operand;
mod operator;

use crate::condition::operand::Operand;
use crate::condition::operator::{Comparison, Operator, Quantifier};
use crate::facts::{Facts, Values};
use crate::json::{Node, Value};
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;

/// One operator applied to one context key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Condition {
    operator: Operator,
    /// In lower case.
    key: Box<str>,
    operands: Box<[Operand]>,
}

impl Condition {
    /// Parses the value of `Condition`, `{OPERATOR: {KEY: VALUES}}`; all conditions must hold.
    pub(crate) fn parse_all(node: &Node, parser: &mut Parser<'_>) -> Result<Vec<Self>, Malformed> {
        let mut conditions = Vec::new();
        for (name, tests) in node.members().ok_or_else(|| parser.fail(node, Fault::Syntax))? {
            let members = tests.members().ok_or_else(|| parser.fail(tests, Fault::Syntax))?;
            let Some(operator) = Operator::parse(name) else {
                // AWS accepts an unknown operator without keys.
                match members {
                    [] => continue,
                    _ => return Err(parser.fail(tests, Fault::Syntax)),
                }
            };
            for (key, values) in members {
                let key = parser.keys.add(key);
                let operands = values.elements().iter().map(|value| operand(operator, value, parser));
                conditions.push(Self { operator, key, operands: operands.collect::<Result<_, _>>()? });
            }
        }
        Ok(conditions)
    }

    /// Returns the key and values of a condition that holds only if the key has one of the values: `StringEquals` without variables.
    pub(crate) fn required_values(&self) -> Option<(&str, Vec<&str>)> {
        let Operator { quantifier, comparison, is_negated, if_exists } = self.operator;
        if (quantifier, comparison, is_negated, if_exists) != (Quantifier::None, Comparison::Text, false, false) {
            return None;
        }
        let values: Option<Vec<_>> = self.operands.iter().map(Operand::exact_text).collect();
        Some((&self.key, values?))
    }

    /// Returns whether the condition holds for a request.
    ///
    /// A negated operator holds if its positive form does not, so no operand may match, and a missing key satisfies it.
    pub(crate) fn holds(&self, facts: &dyn Facts) -> bool {
        let Operator { quantifier, comparison, is_negated, if_exists } = self.operator;
        let values = facts.values(&self.key).filter(|values| values.iter().next().is_some());
        if comparison == Comparison::Null {
            let is_missing = if values.is_none() { "true" } else { "false" };
            return self.operands.iter().any(|operand| operand.matches(is_missing, facts));
        }
        let matches = |value: &str| self.operands.iter().any(|operand| operand.matches(value, facts));
        match (values, quantifier) {
            (None, _) if if_exists => true,
            (None, Quantifier::All) => true,
            (None, Quantifier::Any) => false,
            (None, Quantifier::None) => is_negated,
            (Some(values), Quantifier::None) => values.iter().any(matches) != is_negated,
            // AWS treats values that are all empty as a missing key.
            (Some(values), Quantifier::All) => {
                is_empty(&values) || values.iter().all(|value| matches(value) != is_negated)
            }
            (Some(values), Quantifier::Any) => {
                !is_empty(&values) && values.iter().any(|value| matches(value) != is_negated)
            }
        }
    }
}

fn is_empty(values: &Values<'_>) -> bool {
    values.iter().all(str::is_empty)
}

/// Parses a value of a condition: a text, a number or a truth value.
fn operand(operator: Operator, node: &Node, parser: &mut Parser<'_>) -> Result<Operand, Malformed> {
    let text = match &node.value {
        Value::Text(text) | Value::Number(text) => text,
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Object(_) | Value::Array(_) | Value::Null => return Err(parser.fail(node, Fault::Syntax)),
    };
    let operand = Operand::parse(operator.comparison, text, parser.has_variables, &mut parser.keys);
    operand.ok_or_else(|| parser.fail(node, Fault::LegacyParsing))
}

//! Names of condition operators.

use std::cmp::Ordering;

/// A condition operator such as `ForAnyValue:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    pub(crate) comparison: Comparison,
    pub(crate) is_negated: bool,
    /// Whether a missing key satisfies the condition.
    pub(crate) if_exists: bool,
}

/// How many values of a multi-valued key must satisfy a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Quantifier {
    None,
    All,
    Any,
}

/// How a value of a request compares with one of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Text,
    TextIgnoringCase,
    TextLike,
    Number(Relation),
    Date(Relation),
    Bool,
    Binary,
    Network,
    Arn,
    /// Whether the key is missing.
    Null,
}

/// The order of two numbers or dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Operator {
    /// Parses a name, whose case counts.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = if let Some(name) = name.strip_prefix("ForAllValues:") {
            (Quantifier::All, name)
        } else if let Some(name) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, name)
        } else {
            (Quantifier::None, name)
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (comparison, is_negated) = comparison(name)?;
        let is_valid = comparison != Comparison::Null || !if_exists;
        is_valid.then_some(Self { quantifier, comparison, is_negated, if_exists })
    }
}

/// Returns the comparison of a name, and whether the operator is its negation.
fn comparison(name: &str) -> Option<(Comparison, bool)> {
    let comparison = match name {
        "StringEquals" => (Comparison::Text, false),
        "StringNotEquals" => (Comparison::Text, true),
        "StringEqualsIgnoreCase" => (Comparison::TextIgnoringCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::TextIgnoringCase, true),
        "StringLike" => (Comparison::TextLike, false),
        "StringNotLike" => (Comparison::TextLike, true),
        "Bool" => (Comparison::Bool, false),
        "BinaryEquals" => (Comparison::Binary, false),
        "IpAddress" => (Comparison::Network, false),
        "NotIpAddress" => (Comparison::Network, true),
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "Null" => (Comparison::Null, false),
        _ => {
            let (comparison, name): (fn(Relation) -> Comparison, _) = match name.strip_prefix("Numeric") {
                Some(name) => (Comparison::Number, name),
                None => (Comparison::Date, name.strip_prefix("Date")?),
            };
            let (relation, is_negated) = relation(name)?;
            (comparison(relation), is_negated)
        }
    };
    Some(comparison)
}

fn relation(name: &str) -> Option<(Relation, bool)> {
    let relation = match name {
        "Equals" => (Relation::Equal, false),
        "NotEquals" => (Relation::Equal, true),
        "LessThan" => (Relation::Less, false),
        "LessThanEquals" => (Relation::LessOrEqual, false),
        "GreaterThan" => (Relation::Greater, false),
        "GreaterThanEquals" => (Relation::GreaterOrEqual, false),
        _ => return None,
    };
    Some(relation)
}

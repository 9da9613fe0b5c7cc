//! Decimal numbers of any length, compared exactly.

use std::cmp::Ordering;

/// A decimal number.
///
/// **Invariant:** the integer has no leading and the fraction no trailing zeros, and zero is not negative, so equal numbers have equal
/// fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    is_negative: bool,
    integer: Box<str>,
    fraction: Box<str>,
}

impl Number {
    /// Parses a number such as `-12.50`; there are no exponents.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (integer, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(integer) || !is_digits(fraction) {
            return None;
        }
        let (integer, fraction) = (integer.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = integer.is_empty() && fraction.is_empty();
        Some(Self { is_negative: is_negative && !is_zero, integer: integer.into(), fraction: fraction.into() })
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = self.integer.len().cmp(&other.integer.len());
        let magnitude = magnitude.then_with(|| self.integer.cmp(&other.integer));
        let magnitude = magnitude.then_with(|| self.fraction.cmp(&other.fraction));
        match (self.is_negative, other.is_negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (is_negative, _) => {
                if is_negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect("a number")
    }

    proptest! {
        #[test]
        fn numbers_are_ordered_as_integers_are(left in -2000i64..2000, right in -2000i64..2000) {
            // Hundredths, with and without zeros that have no meaning.
            let text = |value: i64| format!("{}{}.{:02}", if value < 0 { "-" } else { "" }, value.abs() / 100, value.abs() % 100);
            prop_assert_eq!(number(&text(left)).cmp(&number(&(text(right) + "0"))), left.cmp(&right));
        }
    }

    #[test]
    fn forms_of_numbers() {
        assert_eq!(number("007.50"), number("+7.5"));
        assert_eq!(number("-0"), number("0.00"));
        assert!(
            number("99999999999999999999999999999999999999998") < number("99999999999999999999999999999999999999999")
        );
        for text in ["", "-", ".5", "5.", "1e3", "0x1", "1,0", " 1", "NaN", "1.2.3", "--1"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}

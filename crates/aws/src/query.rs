//! AWS query: forms of requests, written, and read into the values that AWS JSON has for the same input.

use std::mem::take;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::Failure;

/// The characters that AWS's canonical form escapes: all but the unreserved ones of RFC 3986.
pub const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Maximum nesting depth of a form's members; no operation comes near it.
const DEPTH_MAX: usize = 8;

/// Maximum number of parameters of a form; the largest input of an operation has about two hundred.
const PARAMETERS_MAX: usize = 1_000;

/// Maximum size of a form in bytes. The largest input is a SAML assertion of 100,000 characters, each escaped to three.
pub const FORM_BYTES_MAX: u64 = 1 << 20;

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Writes members as a form.
pub fn encode<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let pair = |(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED));
    members.into_iter().map(pair).collect::<Vec<_>>().join("&").into_bytes()
}

/// Returns the operation that a form names.
pub fn action(form: &[u8]) -> Option<String> {
    let mut parameters = form_urlencoded::parse(form);
    parameters.find_map(|(name, value)| (name == "Action" && !value.is_empty()).then(|| value.into_owned()))
}

/// Reads an input from a form: `Tags.member.1.Key=...` is a member of an element of a list.
///
/// An empty value counts as missing: an empty list is sent as a parameter without a value.
pub fn decode<I: DeserializeOwned>(form: &[u8]) -> Result<I, Failure> {
    if form.split(|byte| *byte == b'&').nth(PARAMETERS_MAX).is_some() {
        return Err(malformed(&format!("The form has more than {PARAMETERS_MAX} parameters.")));
    }
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(form).filter(|(_, value)| !value.is_empty()) {
        if name.matches('.').count() > DEPTH_MAX {
            return Err(malformed(&format!("The parameter {name} is nested too deep.")));
        }
        insert(&mut parameters, &name, value.into_owned());
    }
    I::deserialize(lists_from_members(Value::Object(parameters))).map_err(|error| malformed(&error.to_string()))
}

/// Deserializes an integer, which a form holds as text.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("'{text}' is not an integer")))
}

/// Deserializes a truth value, which a form holds as text.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("'{text}' is not true or false")))
}

fn malformed(cause: &str) -> Failure {
    Failure::client("MalformedInput", cause)
}

fn insert(members: &mut Map<String, Value>, name: &str, value: String) {
    let Some((first, rest)) = name.split_once('.') else {
        members.insert(name.to_owned(), value.into());
        return;
    };
    let member = members.entry(first).or_insert(Value::Null);
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    if let Value::Object(inner) = member {
        insert(inner, rest, value);
    }
}

/// Turns `member.1`, `member.2` into the elements of a list, in their order.
fn lists_from_members(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    if let (1, Some(Value::Object(elements))) = (members.len(), members.get_mut("member")) {
        let elements = take(elements).into_iter();
        let mut numbered: Vec<_> =
            elements.filter_map(|(number, element)| Some((number.parse::<u32>().ok()?, element))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        return numbered.into_iter().map(|(_, element)| lists_from_members(element)).collect();
    }
    Value::Object(members.into_iter().map(|(name, member)| (name, lists_from_members(member))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{action, decode};

    #[test]
    fn a_form_is_read_into_its_members() {
        let form = b"Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%2Bb+c%&Empty=&Tags.member.2.Key=second\
            &Tags.member.1.Key=first&Tags.member.1.Value=%C3%A9&Keys.member.10=j&Keys.member.9=i";
        assert_eq!(action(form).as_deref(), Some("AssumeRole"));
        let value: Value = decode(form).expect("the form is well formed");
        let expected = json!({
            "Action": "AssumeRole", "Version": "2011-06-15", "RoleSessionName": "a+b c%",
            "Tags": [{ "Key": "first", "Value": "é" }, { "Key": "second" }], "Keys": ["i", "j"],
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_member_that_is_nested_too_deep_is_refused() {
        let form = format!("{}=x", "a.".repeat(20_000));
        assert_eq!(decode::<Value>(form.as_bytes()).expect_err("the form is refused").name, "MalformedInput");
    }

    #[test]
    fn a_form_with_too_many_parameters_is_refused() {
        let form = |count: usize| {
            let parameters: Vec<String> = (0..count).map(|number| format!("Keys.member.{number}=a")).collect();
            parameters.join("&")
        };
        let refused = decode::<Value>(form(1_000_000).as_bytes()).expect_err("the form is refused");
        assert_eq!(refused.message, "The form has more than 1000 parameters.");
        assert!(decode::<Value>(form(1_000).as_bytes()).is_ok());
    }

    #[test]
    fn a_name_that_is_both_a_value_and_a_structure_is_the_latter() {
        let value: Value = decode(b"a=1&a.b=2&&=&%zz=%e").expect("the form is well formed");
        assert_eq!(value, json!({ "a": { "b": "2" }, "%zz": "%e" }));
    }
}

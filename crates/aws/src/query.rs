//! AWS query: a request's form, written, and read into the values that AWS JSON would have for it.

use std::mem::take;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{Failure, percent};

/// How deep the members of a form are nested at most; no operation comes near.
const DEPTH_MAX: usize = 8;

/// How many parameters a form has at most; the largest input of an operation has about two hundred.
const PARAMETERS_MAX: usize = 1_000;

/// How many bytes a form has at most. The largest input is a SAML assertion of 100,000 characters, each escaped in three.
pub const FORM_BYTES_MAX: u64 = 1 << 20;

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Writes members as a form.
pub fn encode<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let pair = |(name, value)| format!("{name}={}", percent::encode(value, percent::UNRESERVED));
    members.into_iter().map(pair).collect::<Vec<_>>().join("&").into_bytes()
}

/// Returns the operation that a form names.
pub fn action(form: &[u8]) -> Option<String> {
    pairs(form).find_map(|(name, value)| (name == "Action" && !value.is_empty()).then_some(value))
}

/// Reads an input out of a form: `Tags.member.1.Key=...` is a member of a list's element.
///
/// What is empty is missing: an empty list is sent as a parameter without a value.
pub fn decode<I: DeserializeOwned>(form: &[u8]) -> Result<I, Failure> {
    if form.split(|byte| *byte == b'&').nth(PARAMETERS_MAX).is_some() {
        return Err(malformed(&format!("The form has more than {PARAMETERS_MAX} parameters.")));
    }
    let mut parameters = Map::new();
    for (name, value) in pairs(form).filter(|(_, value)| !value.is_empty()) {
        if name.matches('.').count() > DEPTH_MAX {
            return Err(malformed(&format!("The parameter {name} is nested too deep.")));
        }
        put(&mut parameters, &name, value);
    }
    I::deserialize(listed(Value::Object(parameters))).map_err(|error| malformed(&error.to_string()))
}

/// Reads a number, which a form has as text.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("'{text}' is not an integer")))
}

fn malformed(cause: &str) -> Failure {
    Failure::client("MalformedInput", cause)
}

fn pairs(form: &[u8]) -> impl Iterator<Item = (String, String)> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (percent::decode(&pair[..equals]), percent::decode(pair.get(equals + 1..).unwrap_or_default()))
    })
}

fn put(members: &mut Map<String, Value>, name: &str, value: String) {
    let Some((first, rest)) = name.split_once('.') else {
        members.insert(name.to_owned(), value.into());
        return;
    };
    let member = members.entry(first).or_insert(Value::Null);
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    if let Value::Object(inner) = member {
        put(inner, rest, value);
    }
}

/// Turns `member.1`, `member.2` into elements of a list, in their order.
fn listed(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    if let (1, Some(Value::Object(elements))) = (members.len(), members.get_mut("member")) {
        let numbered = take(elements).into_iter().filter_map(|(place, it)| Some((place.parse::<u32>().ok()?, it)));
        let mut elements: Vec<_> = numbered.collect();
        elements.sort_by_key(|(place, _)| *place);
        return elements.into_iter().map(|(_, element)| listed(element)).collect();
    }
    Value::Object(members.into_iter().map(|(name, member)| (name, listed(member))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{action, decode};

    #[test]
    fn a_form_reads_as_its_members() {
        let form = b"Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%2Bb+c%&Empty=&Tags.member.2.Key=second\
            &Tags.member.1.Key=first&Tags.member.1.Value=%C3%A9&Keys.member.10=j&Keys.member.9=i";
        assert_eq!(action(form).as_deref(), Some("AssumeRole"));
        let value: Value = decode(form).expect("it is well formed");
        let expected = json!({
            "Action": "AssumeRole", "Version": "2011-06-15", "RoleSessionName": "a+b c%",
            "Tags": [{ "Key": "first", "Value": "é" }, { "Key": "second" }], "Keys": ["i", "j"],
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_member_that_is_nested_too_deep_is_refused() {
        let form = format!("{}=x", "a.".repeat(20_000));
        assert_eq!(decode::<Value>(form.as_bytes()).expect_err("it is refused").name, "MalformedInput");
    }

    #[test]
    fn a_form_of_too_many_parameters_is_refused() {
        let form = |count: usize| {
            let parameters: Vec<String> = (0..count).map(|number| format!("Keys.member.{number}=a")).collect();
            parameters.join("&")
        };
        let refused = decode::<Value>(form(1_000_000).as_bytes()).expect_err("it is refused");
        assert_eq!(refused.message, "The form has more than 1000 parameters.");
        assert!(decode::<Value>(form(1_000).as_bytes()).is_ok());
    }

    #[test]
    fn a_name_that_is_both_a_value_and_a_structure_is_the_latter() {
        let value: Value = decode(b"a=1&a.b=2&&=&%zz=%e").expect("it is well formed");
        assert_eq!(value, json!({ "a": { "b": "2" }, "%zz": "%e" }));
    }
}

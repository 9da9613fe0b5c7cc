//! JSON values with their places in the text.
//!
//! `serde_json` checks the text; the walk here only finds where each value begins and ends, which `serde_json` does not tell.

use std::collections::HashSet;

use crate::position::{Lines, Position};

/// A value and the range of its bytes in the text.
pub(crate) struct Node {
    pub(crate) start: usize,
    /// The offset after the last byte.
    pub(crate) end: usize,
    pub(crate) value: Value,
}

/// A JSON value. Numbers are as they are written.
pub(crate) enum Value {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Text(String),
    Number(String),
    Bool(bool),
    Null,
}

impl Node {
    /// Returns the elements of an array, or the value itself as the only element: the form of most fields of a policy.
    pub(crate) fn elements(&self) -> &[Node] {
        if let Value::Array(elements) = &self.value { elements } else { std::slice::from_ref(self) }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(crate) fn members(&self) -> Option<&[(String, Node)]> {
        if let Value::Object(members) = &self.value { Some(members) } else { None }
    }
}

/// Parses a text; fails with the position of an error. A key that occurs twice in an object is an error, because one of the two values
/// would have no effect.
pub(crate) fn parse(text: &str, lines: &Lines<'_>) -> Result<Node, Position> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        return Err(Position { line: error.line(), column: error.column() });
    }
    Walk { text, at: 0 }.value().map_err(|offset| lines.position(offset))
}

/// **Invariant:** the text is valid JSON, nested at most as deep as `serde_json` accepts.
struct Walk<'t> {
    text: &'t str,
    at: usize,
}

impl Walk<'_> {
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// Reads a value; fails with the offset of a repeated key.
    fn value(&mut self) -> Result<Node, usize> {
        self.skip_separators();
        let start = self.at;
        let value = match self.byte() {
            b'{' => self.object()?,
            b'[' => self.array()?,
            b'"' => Value::Text(self.string()),
            _ => self.literal(),
        };
        Ok(Node { start, end: self.at, value })
    }

    fn object(&mut self) -> Result<Value, usize> {
        let (mut members, mut keys) = (Vec::new(), HashSet::new());
        self.at += 1;
        loop {
            self.skip_separators();
            let start = self.at;
            if self.byte() != b'"' {
                self.at += 1;
                return Ok(Value::Object(members));
            }
            let key = self.string();
            if !keys.insert(key.clone()) {
                return Err(start);
            }
            members.push((key, self.value()?));
        }
    }

    fn array(&mut self) -> Result<Value, usize> {
        let mut elements = Vec::new();
        self.at += 1;
        loop {
            self.skip_separators();
            if matches!(self.byte(), b']' | 0) {
                self.at += 1;
                return Ok(Value::Array(elements));
            }
            elements.push(self.value()?);
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while !matches!(self.byte(), b'"' | 0) {
            self.at += if self.byte() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at).unwrap_or_default()).unwrap_or_default()
    }

    fn literal(&mut self) -> Value {
        let start = self.at;
        while !matches!(self.byte(), b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | 0) {
            self.at += 1;
        }
        match self.text.get(start..self.at).unwrap_or_default() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number => Value::Number(number.to_owned()),
        }
    }

    fn skip_separators(&mut self) {
        while matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t' | b',' | b':') {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Object(members) => members.iter().map(|(key, node)| (key.clone(), plain(node))).collect(),
            Value::Array(elements) => elements.iter().map(plain).collect(),
            Value::Text(text) => text.as_str().into(),
            Value::Number(number) => serde_json::from_str(number).expect("a number"),
            Value::Bool(value) => (*value).into(),
            Value::Null => serde_json::Value::Null,
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_walk_finds_what_serde_json_reads(value in any_json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.expect("the value is serializable");
            let node = parse(&text, &Lines::new(&text)).expect("valid JSON");
            prop_assert_eq!(plain(&node), value);
            prop_assert_eq!((node.start, node.end), (0, text.len()));
        }
    }

    #[test]
    fn a_repeated_key_is_an_error_at_its_place() {
        let text = "{\"a\": 1,\n \"\\u0061\": 2}";
        let error = parse(text, &Lines::new(text)).err();
        assert_eq!(error, Some(Position { line: 2, column: 2 }));
    }
}

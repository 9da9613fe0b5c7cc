//! Inputs and outputs as CloudTrail records show them: `requestParameters` and `responseElements`.
//!
//! The form differs from the wire's: names begin in lower case, dates are Java's medium form, objects are in
//! alphabetical order, and blobs - in CodeCommit always the contents of files - are left out.

use aws_smithy_schema::Schema;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeSerializer};
use aws_smithy_types::{BigDecimal, BigInteger, Blob, DateTime, Document};
use serde_json::{Map, Value};

use crate::Timestamp;

/// Returns a shape's record form; `null` where no member is set.
///
/// What is empty is left out: a required member that was not sent reads as an empty one.
pub fn of(shape: &dyn SerializableStruct) -> Result<Value, SerdeError> {
    let mut writer = Writer::default();
    shape.serialize_members(&mut writer)?;
    let object = writer.into_object();
    Ok(if object.is_empty() { Value::Null } else { Value::Object(object) })
}

/// Returns the record form of a shape that AWS does not publish; `null` where no member is set.
pub fn of_value(value: Value) -> Value {
    let Value::Object(members) = value else { return Value::Null };
    let items = members.into_iter().map(|(name, value)| (decapitalized(&name), nested(value))).collect();
    let object = Writer { items }.into_object();
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

/// Returns the record form of a shape that AWS does not publish, with what is empty as it was sent; the keys of the members that
/// `maps` names are the caller's and stay as they are. `null` where no member is set.
pub fn as_sent(value: Value, maps: &[&str]) -> Value {
    match value {
        Value::Object(members) if members.is_empty() => Value::Null,
        Value::Object(_) => renamed(value, maps),
        _ => Value::Null,
    }
}

fn renamed(value: Value, maps: &[&str]) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let value = match value {
                    Value::Object(mut map) if maps.contains(&name.as_str()) => {
                        map.sort_keys();
                        map.values_mut().for_each(|value| *value = renamed(value.take(), maps));
                        Value::Object(map)
                    }
                    value => renamed(value, maps),
                };
                (decapitalized(&name), value)
            };
            let mut object: Map<_, _> = members.into_iter().map(member).collect();
            object.sort_keys();
            Value::Object(object)
        }
        Value::Array(list) => list.into_iter().map(|item| renamed(item, maps)).collect(),
        plain => plain,
    }
}

fn nested(value: Value) -> Value {
    match value {
        Value::Object(_) => match of_value(value) {
            Value::Null => Value::Object(Map::new()),
            object => object,
        },
        Value::Array(list) => list.into_iter().map(nested).collect(),
        plain => plain,
    }
}

/// Collects what a structure, list or map is made of.
#[derive(Default)]
struct Writer {
    items: Vec<(String, Value)>,
}

impl Writer {
    fn push(&mut self, schema: &Schema<'_>, value: Value) {
        self.items.push((member_name(schema), value));
    }

    fn into_object(self) -> Map<String, Value> {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        let mut object: Map<_, _> = self.items.into_iter().filter(|(_, value)| !empty(value)).collect();
        object.sort_keys();
        object
    }

    fn into_list(self) -> Vec<Value> {
        self.items.into_iter().map(|(_, value)| value).collect()
    }

    /// A map's keys and values were written in turn.
    fn into_map(self) -> Map<String, Value> {
        let mut map = Map::new();
        let mut values = self.into_list().into_iter();
        while let (Some(Value::String(key)), Some(value)) = (values.next(), values.next()) {
            map.insert(key, value);
        }
        map.sort_keys();
        map
    }
}

type Written = Result<(), SerdeError>;

impl ShapeSerializer for Writer {
    fn write_struct(&mut self, schema: &Schema<'_>, value: &dyn SerializableStruct) -> Written {
        let mut members = Self::default();
        value.serialize_members(&mut members)?;
        self.push(schema, Value::Object(members.into_object()));
        Ok(())
    }

    fn write_list(&mut self, schema: &Schema<'_>, write: &dyn Fn(&mut dyn ShapeSerializer) -> Written) -> Written {
        let mut elements = Self::default();
        write(&mut elements)?;
        self.push(schema, Value::Array(elements.into_list()));
        Ok(())
    }

    fn write_map(&mut self, schema: &Schema<'_>, write: &dyn Fn(&mut dyn ShapeSerializer) -> Written) -> Written {
        let mut entries = Self::default();
        write(&mut entries)?;
        self.push(schema, Value::Object(entries.into_map()));
        Ok(())
    }

    fn write_boolean(&mut self, schema: &Schema<'_>, value: bool) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_byte(&mut self, schema: &Schema<'_>, value: i8) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_short(&mut self, schema: &Schema<'_>, value: i16) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_integer(&mut self, schema: &Schema<'_>, value: i32) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_long(&mut self, schema: &Schema<'_>, value: i64) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_float(&mut self, schema: &Schema<'_>, value: f32) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_double(&mut self, schema: &Schema<'_>, value: f64) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_big_integer(&mut self, schema: &Schema<'_>, value: &BigInteger) -> Written {
        self.push(schema, value.as_ref().into());
        Ok(())
    }

    fn write_big_decimal(&mut self, schema: &Schema<'_>, value: &BigDecimal) -> Written {
        self.push(schema, value.as_ref().into());
        Ok(())
    }

    fn write_string(&mut self, schema: &Schema<'_>, value: &str) -> Written {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_blob(&mut self, _schema: &Schema<'_>, _value: Blob) -> Written {
        Ok(())
    }

    fn write_timestamp(&mut self, schema: &Schema<'_>, value: &DateTime) -> Written {
        self.push(schema, Timestamp::from_wire(value).medium().into());
        Ok(())
    }

    /// No service here models a document; were there one, its content would have no known record form.
    fn write_document(&mut self, _schema: &Schema<'_>, _value: &Document) -> Written {
        Ok(())
    }

    fn write_null(&mut self, schema: &Schema<'_>) -> Written {
        self.push(schema, Value::Null);
        Ok(())
    }
}

/// A member's name as records have it: `Arn` is `arn` there.
fn member_name(schema: &Schema<'_>) -> String {
    decapitalized(schema.member_name().unwrap_or_default())
}

fn decapitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::as_sent;

    #[test]
    fn what_is_sent_is_shown_but_for_the_case_of_names() {
        let sent = json!({ "Tags": { "Team": "", "Cost": { "Unit": 1 } }, "ResourceARNList": [], "Token": "" });
        let shown = json!({ "resourceARNList": [], "tags": { "Cost": { "unit": 1 }, "Team": "" }, "token": "" });
        assert_eq!(as_sent(sent, &["Tags"]).to_string(), shown.to_string());
        assert_eq!(as_sent(json!({ "FailedResourcesMap": {} }), &[]), json!({ "failedResourcesMap": {} }));
        assert_eq!([as_sent(json!({}), &[]), as_sent(json!([]), &[])], [json!(null), json!(null)]);
    }
}

//! The form of inputs and outputs in CloudTrail records: `requestParameters` and `responseElements`.
//!
//! It differs from the wire form: names begin in lower case, dates have Java's medium form, the members of objects are in
//! alphabetical order, and blobs - in CodeCommit always the contents of files - are left out.

use aws_smithy_schema::Schema;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeSerializer};
use aws_smithy_types::{BigDecimal, BigInteger, Blob, DateTime, Document};
use serde_json::{Map, Value};

use crate::Timestamp;

/// Returns the record form of a shape; `null` if no member is set.
///
/// Empty members are left out: a required member that was not sent is read as an empty one.
pub fn of(shape: &dyn SerializableStruct) -> Result<Value, SerdeError> {
    let mut writer = Writer::default();
    shape.serialize_members(&mut writer)?;
    let object = writer.into_object();
    Ok(if object.is_empty() { Value::Null } else { Value::Object(object) })
}

/// Returns the record form of a shape without a published schema; `null` if no member is set.
pub fn of_value(value: Value) -> Value {
    let Value::Object(members) = value else { return Value::Null };
    let items = members.into_iter().map(|(name, value)| (decapitalized(&name), nested_value(value))).collect();
    let object = Writer { items }.into_object();
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

/// Returns the record form of a shape without a published schema, with its empty members; `null` if no member is set.
///
/// `maps` names the members that are maps: their keys come from the caller and stay unchanged.
pub fn as_sent(value: Value, maps: &[&str]) -> Value {
    match value {
        Value::Object(members) if members.is_empty() => Value::Null,
        Value::Object(_) => with_record_names(value, maps),
        _ => Value::Null,
    }
}

fn with_record_names(value: Value, maps: &[&str]) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let value = match value {
                    Value::Object(mut map) if maps.contains(&name.as_str()) => {
                        map.sort_keys();
                        map.values_mut().for_each(|value| *value = with_record_names(value.take(), maps));
                        Value::Object(map)
                    }
                    value => with_record_names(value, maps),
                };
                (decapitalized(&name), value)
            };
            let mut object: Map<_, _> = members.into_iter().map(member).collect();
            object.sort_keys();
            Value::Object(object)
        }
        Value::Array(list) => list.into_iter().map(|item| with_record_names(item, maps)).collect(),
        scalar => scalar,
    }
}

fn nested_value(value: Value) -> Value {
    match value {
        Value::Object(_) => match of_value(value) {
            Value::Null => Value::Object(Map::new()),
            object => object,
        },
        Value::Array(list) => list.into_iter().map(nested_value).collect(),
        scalar => scalar,
    }
}

/// Collects the members of a structure, the elements of a list, or the keys and values of a map.
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

    /// Pairs the keys and values of a map, which are written in turn.
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

type WriteResult = Result<(), SerdeError>;

impl ShapeSerializer for Writer {
    fn write_struct(&mut self, schema: &Schema<'_>, value: &dyn SerializableStruct) -> WriteResult {
        let mut members = Self::default();
        value.serialize_members(&mut members)?;
        self.push(schema, Value::Object(members.into_object()));
        Ok(())
    }

    fn write_list(
        &mut self,
        schema: &Schema<'_>,
        write: &dyn Fn(&mut dyn ShapeSerializer) -> WriteResult,
    ) -> WriteResult {
        let mut elements = Self::default();
        write(&mut elements)?;
        self.push(schema, Value::Array(elements.into_list()));
        Ok(())
    }

    fn write_map(
        &mut self,
        schema: &Schema<'_>,
        write: &dyn Fn(&mut dyn ShapeSerializer) -> WriteResult,
    ) -> WriteResult {
        let mut entries = Self::default();
        write(&mut entries)?;
        self.push(schema, Value::Object(entries.into_map()));
        Ok(())
    }

    fn write_boolean(&mut self, schema: &Schema<'_>, value: bool) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_byte(&mut self, schema: &Schema<'_>, value: i8) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_short(&mut self, schema: &Schema<'_>, value: i16) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_integer(&mut self, schema: &Schema<'_>, value: i32) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_long(&mut self, schema: &Schema<'_>, value: i64) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_float(&mut self, schema: &Schema<'_>, value: f32) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_double(&mut self, schema: &Schema<'_>, value: f64) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_big_integer(&mut self, schema: &Schema<'_>, value: &BigInteger) -> WriteResult {
        self.push(schema, value.as_ref().into());
        Ok(())
    }

    fn write_big_decimal(&mut self, schema: &Schema<'_>, value: &BigDecimal) -> WriteResult {
        self.push(schema, value.as_ref().into());
        Ok(())
    }

    fn write_string(&mut self, schema: &Schema<'_>, value: &str) -> WriteResult {
        self.push(schema, value.into());
        Ok(())
    }

    fn write_blob(&mut self, _schema: &Schema<'_>, _value: Blob) -> WriteResult {
        Ok(())
    }

    fn write_timestamp(&mut self, schema: &Schema<'_>, value: &DateTime) -> WriteResult {
        self.push(schema, Timestamp::from_wire(value).medium().into());
        Ok(())
    }

    /// Writes nothing: no service here models a document, and the record form of one is unknown.
    fn write_document(&mut self, _schema: &Schema<'_>, _value: &Document) -> WriteResult {
        Ok(())
    }

    fn write_null(&mut self, schema: &Schema<'_>) -> WriteResult {
        self.push(schema, Value::Null);
        Ok(())
    }
}

/// Returns the name of a member in records: `Arn` is `arn` there.
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
    fn members_keep_all_but_the_case_of_their_names() {
        let sent = json!({ "Tags": { "Team": "", "Cost": { "Unit": 1 } }, "ResourceARNList": [], "Token": "" });
        let recorded = json!({ "resourceARNList": [], "tags": { "Cost": { "unit": 1 }, "Team": "" }, "token": "" });
        assert_eq!(as_sent(sent, &["Tags"]).to_string(), recorded.to_string());
        assert_eq!(as_sent(json!({ "FailedResourcesMap": {} }), &[]), json!({ "failedResourcesMap": {} }));
        assert_eq!([as_sent(json!({}), &[]), as_sent(json!([]), &[])], [json!(null), json!(null)]);
    }
}

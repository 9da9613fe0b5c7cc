//! AWS JSON 1.1, driven by the schemas that the SDK publishes with its shapes.

use std::sync::LazyLock;

use aws_smithy_json::codec::{JsonCodec, JsonCodecSettings};
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer, ShapeSerializer};
use serde::de::DeserializeOwned;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{Failure, record_form};

static CODEC: LazyLock<JsonCodec> =
    LazyLock::new(|| JsonCodec::new(JsonCodecSettings::builder().use_json_name(false).build()));

/// Reads an input; every input of the SDK has such a function.
pub type Deserialize<I> = fn(&mut dyn ShapeDeserializer) -> Result<I, SerdeError>;

/// Reads the input of an operation from a request body; an empty body counts as an empty object.
///
/// A missing *required* string, list or blob is read as an empty one, so handlers treat empty as missing.
pub fn decode<I>(body: &[u8], deserialize: Deserialize<I>) -> Result<I, Failure> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    deserialize(&mut CODEC.create_deserializer(body)).map_err(|error| Failure::serialization(&error.to_string()))
}

/// Reads an input that has no published schema, and returns it with its record form.
pub fn decode_serde<I: DeserializeOwned>(body: &[u8]) -> Result<(I, Value), Failure> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    let serialization = |error: serde_json::Error| Failure::serialization(&error.to_string());
    let value: Value = serde_json::from_slice(body).map_err(serialization)?;
    let input = I::deserialize(&value).map_err(serialization)?;
    Ok((input, record_form::of_value(value)))
}

/// Writes the output of an operation as a reply body.
pub fn encode(output: &dyn SerializableStruct) -> Result<Vec<u8>, SerdeError> {
    let mut serializer = CODEC.create_serializer();
    serializer.write_struct(output.schema(), output)?;
    Ok(serializer.finish())
}

/// A shape with a published schema as a member of one that serde writes.
#[derive(Clone, Debug)]
pub struct Published<S>(pub S);

impl<S: SerializableStruct> Serialize for Published<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let text = encode(&self.0).map_err(T::Error::custom)?;
        let value: Value = serde_json::from_slice(&text).map_err(T::Error::custom)?;
        value.serialize(serializer)
    }
}

//! One row of a service's operation table: how to decode a request, run its handler and encode the reply and the record.
//!
//! A row is generic: `S` is the service that a handler works on, `T` the transaction in which the second half of a writing
//! handler runs.

use std::sync::Arc;

use aws_smithy_schema::serde::SerializableStruct;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::Deserialize;
use crate::{Call, Failure, KmsAction, Timestamp, json, query, record_form, xml};

/// Whether an operation can change anything; `readOnly` in its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only reads.
    Read,
    /// It may change something.
    Write,
}

/// What an operation's first half works on, which tells how long it can block its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A few rows of the database: some microseconds.
    Rows,
    /// Files, such as Git objects, or signatures: some milliseconds.
    Files,
    /// Histories and trees of any size.
    Histories,
}

/// One operation of a service.
pub struct Operation<S: 'static, T: 'static> {
    /// The name in `X-Amz-Target` or `Action`, and `eventName` in records.
    pub name: &'static str,
    /// Whether it can change anything.
    pub access: Access,
    /// The calls to AWS KMS that the service makes when the operation succeeds.
    pub kms_actions: &'static [KmsAction],
    /// What its first half works on.
    pub work: Work,
    /// Whether AWS publishes the schema of its shapes; serde reads and writes the others.
    pub has_schema: bool,
    /// Whether this program has the feature; an unsupported operation always fails, and is recorded.
    pub is_supported: bool,
    /// Whether it belongs to a service of AWS JSON; the others use AWS query.
    pub is_json: bool,
    decode: Box<Decode<S, T>>,
}

type Decode<S, T> = dyn Fn(&[u8]) -> Result<Decoded<S, T>, Failure> + Send + Sync;

/// A request with its body decoded.
pub struct Decoded<S: 'static, T: 'static> {
    /// The input in record form; `null` if it is empty.
    pub request_parameters: Value,
    run: Box<Run<S, T>>,
}

type Run<S, T> = dyn FnOnce(&S, &Arc<Call>) -> Result<Step<T>, Failure> + Send;

/// The result of an operation's first half.
pub enum Step<T: 'static> {
    /// The operation is complete.
    Answered(Reply),
    /// The second half remains, which must run inside a transaction.
    Change(Change<T, Reply, Failure>),
}

/// The reply of a successful operation.
#[derive(Debug)]
pub struct Reply {
    /// The body in the service's protocol; empty for operations without an output.
    pub body: Vec<u8>,
    /// The output in record form; `null` for operations that only read.
    pub response_elements: Value,
}

/// The second half of a writing operation: checks that its preconditions still hold, and changes rows.
pub type Change<T, O, E> = Box<dyn FnOnce(&T) -> Result<O, E> + Send>;

/// A handler of an operation: takes the service, the call and the input.
pub type Handler<S, I, O, E> = fn(&S, &Arc<Call>, I) -> Result<O, E>;

impl<S: 'static, T: 'static> Operation<S, T> {
    /// Creates the row of a read-only operation.
    pub fn read<I, O, E>(name: &'static str, deserialize: Deserialize<I>, handler: Handler<S, I, O, E>) -> Self
    where
        I: SerializableStruct + Send + 'static,
        O: SerializableStruct + 'static,
        E: Into<Failure> + 'static,
    {
        Self::answering(name, schema_decoder(deserialize), handler, |output| json::encode(output).map_err(unwritable))
            .with_schema()
    }

    /// Creates the row of a writing operation with an output.
    pub fn write<I, O, E>(
        name: &'static str,
        deserialize: Deserialize<I>,
        handler: Handler<S, I, Change<T, O, E>, E>,
    ) -> Self
    where
        I: SerializableStruct + Send + 'static,
        O: SerializableStruct + 'static,
        E: Into<Failure> + 'static,
    {
        Self::changing(name, Access::Write, schema_decoder(deserialize), handler, |output, _| {
            Ok(Reply {
                body: json::encode(&output).map_err(unwritable)?,
                response_elements: record_form::of(&output).map_err(unwritable)?,
            })
        })
        .with_schema()
    }

    /// Creates the row of a writing operation without an output: the body of its reply is empty.
    pub fn write_without_output<I, E>(
        name: &'static str,
        deserialize: Deserialize<I>,
        handler: Handler<S, I, Change<T, (), E>, E>,
    ) -> Self
    where
        I: SerializableStruct + Send + 'static,
        E: Into<Failure> + 'static,
    {
        Self::changing(name, Access::Write, schema_decoder(deserialize), handler, |(), _| {
            Ok(Reply { body: Vec::new(), response_elements: Value::Null })
        })
        .with_schema()
    }

    /// Creates the row of a read-only operation whose shapes have no published schema: serde reads and writes them.
    pub fn read_serde<I, O, E>(name: &'static str, handler: Handler<S, I, O, E>) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        Self::answering(name, json::decode_serde, handler, |output| serde_json::to_vec(output).map_err(unwritable))
    }

    /// Creates the row of a writing operation whose shapes have no published schema.
    pub fn write_serde<I, O, E>(name: &'static str, handler: Handler<S, I, Change<T, O, E>, E>) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        Self::changing(name, Access::Write, json::decode_serde, handler, |output, _| {
            let output = serde_json::to_value(output).map_err(unwritable)?;
            Ok(Reply { body: output.to_string().into_bytes(), response_elements: record_form::of_value(output) })
        })
    }

    /// Marks members of a serde input as times: numbers on the wire, dates in records.
    #[must_use]
    pub fn with_times(self, members: &'static [&'static str]) -> Self {
        let decode = move |body: &[u8]| {
            let mut decoded = (self.decode)(body)?;
            for member in members {
                if let Some(value) = decoded.request_parameters.get_mut(*member)
                    && let Some(seconds) = value.as_f64()
                {
                    *value = Timestamp::from_seconds(seconds).medium().into();
                }
            }
            Ok(decoded)
        };
        Self { decode: Box::new(decode), ..self }
    }

    /// Leaves members of the input out of records, because AWS's form of them has none of these.
    #[must_use]
    pub fn without_recorded(self, members: &'static [&'static str]) -> Self {
        let decode = move |body: &[u8]| {
            let mut decoded = (self.decode)(body)?;
            if let Some(parameters) = decoded.request_parameters.as_object_mut() {
                parameters.retain(|name, _| !members.contains(&name.as_str()));
                if parameters.is_empty() {
                    decoded.request_parameters = Value::Null;
                }
            }
            Ok(decoded)
        };
        Self { decode: Box::new(decode), ..self }
    }

    /// Records a serde input and output as they are on the wire, empty members included; only the case of names changes.
    ///
    /// `maps` names the members that are maps, whose keys stay unchanged.
    #[must_use]
    pub fn recorded_as_sent(self, maps: &'static [&'static str]) -> Self {
        let writes = self.access == Access::Write;
        let inner = self.decode;
        let record = move |body: &[u8]| {
            serde_json::from_slice(body).map_or(Value::Null, |value| record_form::as_sent(value, maps))
        };
        let recorded = move |reply: Reply| {
            let response_elements = if writes { record(&reply.body) } else { Value::Null };
            Reply { response_elements, ..reply }
        };
        let decode = move |body: &[u8]| {
            let Decoded { run, .. } = inner(body)?;
            let run = move |service: &S, call: &Arc<Call>| {
                Ok(match run(service, call)? {
                    Step::Answered(reply) => Step::Answered(recorded(reply)),
                    Step::Change(change) => {
                        Step::Change(Box::new(move |transaction: &T| change(transaction).map(recorded)))
                    }
                })
            };
            Ok(Decoded { request_parameters: record(body), run: Box::new(run) })
        };
        Self { decode: Box::new(decode), ..self }
    }

    /// Creates the row of a read-only operation of an AWS query service; `recorded` reduces its output to what records show.
    ///
    /// The SDK publishes no schemas for these shapes: serde reads and writes them.
    pub fn query<I, O, E>(
        name: &'static str,
        namespace: &'static str,
        handler: Handler<S, I, Change<T, O, E>, E>,
        recorded: fn(Value) -> Value,
    ) -> Self
    where
        I: DeserializeOwned + Serialize + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        // AWS records requests for credentials as read-only.
        Self::query_of(Access::Read, name, namespace, handler, recorded)
    }

    /// Creates the row of an operation of an AWS query service that reads or writes.
    pub fn query_of<I, O, E>(
        access: Access,
        name: &'static str,
        namespace: &'static str,
        handler: impl Fn(&S, &Arc<Call>, I) -> Result<Change<T, O, E>, E> + Copy + Send + Sync + 'static,
        recorded: fn(Value) -> Value,
    ) -> Self
    where
        I: DeserializeOwned + Serialize + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        let decode = |body: &[u8]| {
            let input: I = query::decode(body)?;
            let parameters = serde_json::to_value(&input).map_err(unwritable)?;
            Ok((input, record_form::of_value(parameters)))
        };
        Self::changing(name, access, decode, handler, move |output, request_id| {
            let output = serde_json::to_value(output).map_err(unwritable)?;
            let body = xml::reply(name, namespace, &output, request_id);
            Ok(Reply { body, response_elements: record_form::of_value(recorded(output)) })
        })
        .of_query()
    }

    /// Marks the operation as one that reads encrypted data.
    #[must_use]
    pub fn decrypts(self) -> Self {
        Self { kms_actions: &[KmsAction::Decrypt], ..self }
    }

    /// Marks the operation as one that writes encrypted data.
    #[must_use]
    pub fn encrypts(self) -> Self {
        Self { kms_actions: &[KmsAction::Encrypt], ..self }
    }

    /// Marks the operation as one that creates a resource with a data key of its own.
    #[must_use]
    pub fn makes_data_key(self) -> Self {
        Self { kms_actions: &[KmsAction::GenerateDataKey, KmsAction::Encrypt], ..self }
    }

    /// Marks the operation as one whose first half reads a few rows of the database and no file.
    #[must_use]
    pub fn of_rows(self) -> Self {
        Self { work: Work::Rows, ..self }
    }

    /// Marks the operation as one that can take long because it compares histories or trees.
    #[must_use]
    pub fn long(self) -> Self {
        Self { work: Work::Histories, ..self }
    }

    /// Marks the operation as one of a feature that this program does not have.
    #[must_use]
    pub fn unsupported(self) -> Self {
        Self { is_supported: false, ..self }
    }

    /// Decodes a request body.
    pub fn decode(&self, body: &[u8]) -> Result<Decoded<S, T>, Failure> {
        (self.decode)(body)
    }

    /// Creates the row of an operation without a second half; `encode` writes its output.
    fn answering<I: Send + 'static, O: 'static, E: Into<Failure> + 'static>(
        name: &'static str,
        decode: impl Fn(&[u8]) -> Result<(I, Value), Failure> + Send + Sync + 'static,
        handler: Handler<S, I, O, E>,
        encode: fn(&O) -> Result<Vec<u8>, Failure>,
    ) -> Self {
        let decode = move |body: &[u8]| {
            let (input, request_parameters) = decode(body)?;
            let run = move |service: &S, call: &Arc<Call>| {
                let output = handler(service, call, input).map_err(Into::into)?;
                Ok(Step::Answered(Reply { body: encode(&output)?, response_elements: Value::Null }))
            };
            Ok(Decoded { request_parameters, run: Box::new(run) })
        };
        Self::row(name, Access::Read, Box::new(decode))
    }

    /// Creates the row of an operation with a second half; `reply` writes its output and the request id.
    fn changing<I: Send + 'static, O: 'static, E: Into<Failure> + 'static>(
        name: &'static str,
        access: Access,
        decode: impl Fn(&[u8]) -> Result<(I, Value), Failure> + Send + Sync + 'static,
        handler: impl Fn(&S, &Arc<Call>, I) -> Result<Change<T, O, E>, E> + Copy + Send + Sync + 'static,
        reply: impl Fn(O, &str) -> Result<Reply, Failure> + Copy + Send + Sync + 'static,
    ) -> Self {
        let decode = move |body: &[u8]| {
            let (input, request_parameters) = decode(body)?;
            let run = move |service: &S, call: &Arc<Call>| {
                let change = handler(service, call, input).map_err(Into::into)?;
                let call = Arc::clone(call);
                Ok(Step::Change(Box::new(move |transaction: &T| {
                    reply(change(transaction).map_err(Into::into)?, call.request_id())
                })))
            };
            Ok(Decoded { request_parameters, run: Box::new(run) })
        };
        Self::row(name, access, Box::new(decode))
    }

    fn row(name: &'static str, access: Access, decode: Box<Decode<S, T>>) -> Self {
        Self {
            name,
            access,
            kms_actions: &[],
            work: Work::Files,
            has_schema: false,
            is_supported: true,
            is_json: true,
            decode,
        }
    }

    fn of_query(self) -> Self {
        Self { is_json: false, ..self }
    }

    fn with_schema(self) -> Self {
        Self { has_schema: true, ..self }
    }
}

/// Decodes an input with a published schema, and its record form.
fn schema_decoder<I: SerializableStruct>(deserialize: Deserialize<I>) -> impl Fn(&[u8]) -> Result<(I, Value), Failure> {
    move |body| {
        let input = json::decode(body, deserialize)?;
        let request_parameters = record_form::of(&input).map_err(unwritable)?;
        Ok((input, request_parameters))
    }
}

impl<S: 'static, T: 'static> Decoded<S, T> {
    /// Runs the first half of the operation.
    pub fn run(self, service: &S, call: &Arc<Call>) -> Result<Step<T>, Failure> {
        (self.run)(service, call)
    }
}

/// Returns the failure for an input or output that cannot be written, which is a fault of this program.
fn unwritable<E>(_: E) -> Failure {
    Failure::internal()
}

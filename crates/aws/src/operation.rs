//! A service's operations: one row each, from a request's body to the reply and what the record shows of it.
//!
//! A row does not say what a service or a transaction is: `S` is the service that a handler works on, `T` the
//! transaction in which a writing handler's second half runs.

use std::sync::Arc;

use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Call, Failure, KmsAction, Timestamp, elements, json, query, xml};

/// Says whether an operation can change anything; a record's `readOnly`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only reads.
    Read,
    /// It may change something.
    Write,
}

/// One operation of a service.
pub struct Operation<S: 'static, T: 'static> {
    /// The name in `X-Amz-Target` or `Action`, and in a record's `eventName`.
    pub name: &'static str,
    /// Whether it can change anything.
    pub access: Access,
    /// The calls to AWS KMS that the service makes when it succeeds.
    pub kms_actions: &'static [KmsAction],
    /// Whether it can take long, as it compares histories or trees.
    pub takes_long: bool,
    decode: Box<Decode<S, T>>,
}

type Decode<S, T> = dyn Fn(&[u8]) -> Result<Decoded<S, T>, Failure> + Send + Sync;

/// A request whose body was read.
pub struct Decoded<S: 'static, T: 'static> {
    /// The input as the record shows it; `null` where nothing was given.
    pub request_parameters: Value,
    run: Box<Run<S, T>>,
}

type Run<S, T> = dyn FnOnce(&S, &Arc<Call>) -> Result<Step<T>, Failure> + Send;

/// What an operation's first half comes to.
pub enum Step<T: 'static> {
    /// The answer.
    Answered(Reply),
    /// What is left to be done, and it must be done inside a transaction.
    Change(Change<T, Reply, Failure>),
}

/// What a successful operation answers.
#[derive(Debug)]
pub struct Reply {
    /// The body, as the service speaks; empty for operations without an output.
    pub body: Vec<u8>,
    /// The output as the record shows it; `null` for operations that only read.
    pub response_elements: Value,
}

/// The second half of a writing operation: it checks what must still hold, and changes rows.
pub type Change<T, O, E> = Box<dyn FnOnce(&T) -> Result<O, E> + Send>;

/// A handler: the service and the call first, then the input.
pub type Handler<S, I, O, E> = fn(&S, &Arc<Call>, I) -> Result<O, E>;

/// Reads an input; every input of the SDK has such a function.
pub type Deserialize<I> = fn(&mut dyn ShapeDeserializer) -> Result<I, SerdeError>;

impl<S: 'static, T: 'static> Operation<S, T> {
    /// Makes the row of an operation that only reads.
    pub fn read<I, O, E>(name: &'static str, deserialize: Deserialize<I>, handler: Handler<S, I, O, E>) -> Self
    where
        I: SerializableStruct + Send + 'static,
        O: SerializableStruct + 'static,
        E: Into<Failure> + 'static,
    {
        Self::answering(name, published(deserialize), handler, |output| json::encode(output).map_err(unwritable))
    }

    /// Makes the row of an operation that changes something and answers with an output.
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
        Self::changing(name, Access::Write, published(deserialize), handler, |output, _| {
            Ok(Reply {
                body: json::encode(&output).map_err(unwritable)?,
                response_elements: elements::of(&output).map_err(unwritable)?,
            })
        })
    }

    /// Makes the row of an operation that changes something and has no output: its reply's body is empty.
    pub fn write_silently<I, E>(
        name: &'static str,
        deserialize: Deserialize<I>,
        handler: Handler<S, I, Change<T, (), E>, E>,
    ) -> Self
    where
        I: SerializableStruct + Send + 'static,
        E: Into<Failure> + 'static,
    {
        Self::changing(name, Access::Write, published(deserialize), handler, |(), _| {
            Ok(Reply { body: Vec::new(), response_elements: Value::Null })
        })
    }

    /// Makes the row of an operation that only reads and whose shapes AWS does not publish, so that ours are serde's.
    pub fn unpublished_read<I, O, E>(name: &'static str, handler: Handler<S, I, O, E>) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        Self::answering(name, json::decode_unpublished, handler, |output| {
            serde_json::to_vec(output).map_err(unwritable)
        })
    }

    /// Makes the row of an operation that changes something and whose shapes AWS does not publish.
    pub fn unpublished_write<I, O, E>(name: &'static str, handler: Handler<S, I, Change<T, O, E>, E>) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        Self::changing(name, Access::Write, json::decode_unpublished, handler, |output, _| {
            let output = serde_json::to_value(output).map_err(unwritable)?;
            Ok(Reply { body: output.to_string().into_bytes(), response_elements: elements::of_value(output) })
        })
    }

    /// Says which members of an unpublished input are times: numbers on the wire, and dates in a record.
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

    /// Has the record show an unpublished input and output as they are on the wire but for the case of names: what is empty too, and
    /// the keys of the members that `maps` names.
    #[must_use]
    pub fn recorded_as_sent(self, maps: &'static [&'static str]) -> Self {
        let writes = self.access == Access::Write;
        let inner = self.decode;
        let elements =
            move |body: &[u8]| serde_json::from_slice(body).map_or(Value::Null, |value| elements::as_sent(value, maps));
        let recorded = move |reply: Reply| {
            let response_elements = if writes { elements(&reply.body) } else { Value::Null };
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
            Ok(Decoded { request_parameters: elements(body), run: Box::new(run) })
        };
        Self { decode: Box::new(decode), ..self }
    }

    /// Makes the row of an operation that speaks AWS query; `shown` says what of its output the record shows.
    ///
    /// The SDK publishes no schemas for these shapes, so they are ours and serde's.
    pub fn query<I, O, E>(
        name: &'static str,
        namespace: &'static str,
        handler: Handler<S, I, Change<T, O, E>, E>,
        shown: fn(Value) -> Value,
    ) -> Self
    where
        I: DeserializeOwned + Serialize + Send + 'static,
        O: Serialize + 'static,
        E: Into<Failure> + 'static,
    {
        let decode = |body: &[u8]| {
            let input: I = query::decode(body)?;
            let parameters = serde_json::to_value(&input).map_err(unwritable)?;
            Ok((input, elements::of_value(parameters)))
        };
        // Whoever asks for credentials changes nothing, as AWS sees it.
        Self::changing(name, Access::Read, decode, handler, move |output, request_id| {
            let output = serde_json::to_value(output).map_err(unwritable)?;
            let body = xml::reply(name, namespace, &output, request_id);
            Ok(Reply { body, response_elements: elements::of_value(shown(output)) })
        })
    }

    /// Says that the operation reads encrypted data.
    #[must_use]
    pub fn decrypts(self) -> Self {
        Self { kms_actions: &[KmsAction::Decrypt], ..self }
    }

    /// Says that the operation writes encrypted data.
    #[must_use]
    pub fn encrypts(self) -> Self {
        Self { kms_actions: &[KmsAction::Encrypt], ..self }
    }

    /// Says that the operation makes a resource whose data will be encrypted with a key of its own.
    #[must_use]
    pub fn makes_data_key(self) -> Self {
        Self { kms_actions: &[KmsAction::GenerateDataKey, KmsAction::Encrypt], ..self }
    }

    /// Says that the operation can take long.
    #[must_use]
    pub fn long(self) -> Self {
        Self { takes_long: true, ..self }
    }

    /// Reads a request's body.
    pub fn decode(&self, body: &[u8]) -> Result<Decoded<S, T>, Failure> {
        (self.decode)(body)
    }

    /// The row of an operation whose first half is all; `encode` writes its output.
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
        Self { name, access: Access::Read, kms_actions: &[], takes_long: false, decode: Box::new(decode) }
    }

    /// The row of an operation that has a second half; `reply` makes the reply of its output and the request's id.
    fn changing<I: Send + 'static, O: 'static, E: Into<Failure> + 'static>(
        name: &'static str,
        access: Access,
        decode: impl Fn(&[u8]) -> Result<(I, Value), Failure> + Send + Sync + 'static,
        handler: Handler<S, I, Change<T, O, E>, E>,
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
        Self { name, access, kms_actions: &[], takes_long: false, decode: Box::new(decode) }
    }
}

/// Reads an input whose shape AWS publishes, and its record form.
fn published<I: SerializableStruct>(deserialize: Deserialize<I>) -> impl Fn(&[u8]) -> Result<(I, Value), Failure> {
    move |body| {
        let input = json::decode(body, deserialize)?;
        let request_parameters = elements::of(&input).map_err(unwritable)?;
        Ok((input, request_parameters))
    }
}

impl<S: 'static, T: 'static> Decoded<S, T> {
    /// Runs the operation's first half.
    pub fn run(self, service: &S, call: &Arc<Call>) -> Result<Step<T>, Failure> {
        (self.run)(service, call)
    }
}

/// An output of ours that cannot be written is our fault.
fn unwritable<E>(_: E) -> Failure {
    Failure::internal()
}

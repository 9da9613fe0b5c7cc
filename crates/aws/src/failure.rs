//! How an operation that fails tells so.

use serde_json::json;

/// A failed call: an error's name, HTTP status and sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name as it stands in `__type` and in a record's `errorCode`.
    pub name: String,
    /// The sentence for a person.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl Failure {
    /// Makes a failure that is the client's fault, with status 400.
    pub fn client(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), status: 400 }
    }

    /// Makes the failure for what went wrong on our side; the cause belongs in the log, not in the reply.
    pub fn internal() -> Self {
        Self {
            name: "InternalFailure".to_owned(),
            message: "The request failed because of an internal error. The server's log says what went wrong."
                .to_owned(),
            status: 500,
        }
    }

    /// Makes the failure for a body that is not the operation's input.
    pub fn serialization(cause: &str) -> Self {
        Self::client("SerializationException", cause)
    }

    /// Writes the body of the reply: `{"__type": ..., "message": ...}`, the name without a namespace.
    ///
    /// Services differ in the name of the member that holds the sentence: `message` or `Message`.
    pub fn to_json(&self, message_member: &str) -> Vec<u8> {
        json!({ "__type": self.name, message_member: self.message }).to_string().into_bytes()
    }
}

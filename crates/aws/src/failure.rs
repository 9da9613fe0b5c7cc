//! Service errors and their JSON form.

use serde_json::json;

/// The error of a failed call: name, message and HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name: `__type` of the reply, and `errorCode` of the record without a name of its own.
    pub name: String,
    /// The message for a person.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// The `errorCode` of the record, where it differs from the name: `AccessDenied` for `AccessDeniedException`.
    pub recorded_as: Option<&'static str>,
}

impl Failure {
    /// Creates a failure.
    pub fn new(name: impl Into<String>, message: impl Into<String>, status: u16) -> Self {
        Self { name: name.into(), message: message.into(), status, recorded_as: None }
    }

    /// Returns the `errorCode` of the record.
    pub fn error_code(&self) -> &str {
        self.recorded_as.unwrap_or(&self.name)
    }

    /// Creates the failure for a fault of the client, with status 400.
    pub fn client(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(name, message, 400)
    }

    /// Creates the failure for a fault of the server; its cause belongs in the log, not in the reply.
    pub fn internal() -> Self {
        let message = "The request failed because of an internal error. The server's log says what went wrong.";
        Self::new("InternalFailure", message, 500)
    }

    /// Creates the failure for a body that is not an input of the operation.
    pub fn serialization(cause: &str) -> Self {
        Self::client("SerializationException", cause)
    }

    /// Writes the body of the reply, `{"__type": ..., "message": ...}`; the name has no namespace.
    ///
    /// Services differ in the name of the message member: `message` or `Message`.
    pub fn to_json(&self, message_member: &str) -> Vec<u8> {
        json!({ "__type": self.name, message_member: self.message }).to_string().into_bytes()
    }
}

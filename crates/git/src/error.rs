//! Errors of reading objects and of the protocol.

use std::{io, path::PathBuf};

use gix::{ObjectId, hash::oid};

/// A failure to read objects.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An object that should exist is missing.
    #[error("object {id} is missing from the repository {}", repository.display())]
    Missing {
        /// The object.
        id: ObjectId,
        /// The folder of the repository.
        repository: PathBuf,
    },
    /// The content of an object does not fit its kind.
    #[error("object {id} is malformed: {reason}")]
    Malformed {
        /// The object.
        id: ObjectId,
        /// The defect.
        reason: &'static str,
    },
    /// A pack or a loose object cannot be decoded.
    #[error("cannot decode an object: {0}")]
    Decode(String),
    /// A pack is damaged.
    #[error("cannot read object {id} from the pack {}: {reason}; restore the pack from a copy", pack.display())]
    Damaged {
        /// The object.
        id: ObjectId,
        /// The file of the pack.
        pack: PathBuf,
        /// The defect.
        reason: String,
    },
    /// The result is no longer needed: the client has disconnected, or the process stops.
    #[error("stopped early: the client has disconnected, or the server is stopping")]
    Interrupted,
    /// The work exceeded its time limit.
    #[error("stopped early: the time limit was exceeded")]
    Time,
    /// A file operation failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// Describes an object whose kind is not the one that another object or the caller expects.
    pub(crate) fn other_kind(id: &oid) -> Self {
        Self::Malformed { id: id.to_owned(), reason: "it has another kind than expected" }
    }

    /// Wraps an error of gitoxide's decoders.
    pub(crate) fn decode(error: &impl std::fmt::Display) -> Self {
        Self::Decode(error.to_string())
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            other => io::Error::other(other),
        }
    }
}

/// A request that cannot be served; displays the message for the client.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ProtocolError {
    pub(crate) message: String,
    /// Whether the client expects side bands only.
    pub(crate) banded: bool,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ProtocolError {
    /// Creates an error with a message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), banded: false, source: None }
    }

    /// Sends the error in band 3 if `banded` is set, to a client that expects side bands only.
    pub(crate) fn in_band(self, banded: bool) -> Self {
        Self { banded, ..self }
    }

    /// Returns whether the server has failed, and not the request: the cause must be logged.
    pub fn is_internal(&self) -> bool {
        self.source.is_some()
    }
}

impl From<Error> for ProtocolError {
    fn from(error: Error) -> Self {
        Self { message: "internal server error".into(), banded: false, source: Some(Box::new(error)) }
    }
}

impl From<io::Error> for ProtocolError {
    fn from(error: io::Error) -> Self {
        Self { message: "the request could not be read".into(), banded: false, source: Some(Box::new(error)) }
    }
}

//! What can go wrong while objects are read, and while a client is served.

use std::{io, path::PathBuf};

use gix::{ObjectId, hash::oid};

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An object that another one names is not there.
    #[error("object {id} is missing from the repository {}", repository.display())]
    Missing {
        /// The object.
        id: ObjectId,
        /// The folder of the repository.
        repository: PathBuf,
    },
    /// The stored bytes are not an object of that kind.
    #[error("object {id} is malformed: {reason}")]
    Malformed {
        /// The object.
        id: ObjectId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pack or a loose object cannot be decoded.
    #[error("objects cannot be decoded: {0}")]
    Decode(String),
    /// A pack is damaged.
    #[error("object {id} cannot be read from the pack {}: {reason}; restore the pack from a copy", pack.display())]
    Damaged {
        /// The object.
        id: ObjectId,
        /// The file of the pack.
        pack: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody waits for the answer any more: the client is gone, or the process stops.
    #[error("the work was given up: its client is gone, or the server stops")]
    Interrupted,
    /// The work took longer than it may.
    #[error("the work was given up: it takes too long")]
    Time,
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// Describes an object whose kind is not the one that another object or the caller expects.
    pub(crate) fn other_kind(id: &oid) -> Self {
        Self::Malformed { id: id.to_owned(), reason: "it has another kind than expected" }
    }

    /// Describes a failure of gitoxide's decoders.
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

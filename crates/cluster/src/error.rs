//! Why a node cannot join.

use std::io;

/// Why a node cannot join the others.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Another running node has the name.
    #[error(
        "the server at {address} runs on the same database with the same node name, '{name}'; give each server a name of its own with --node-name"
    )]
    NameInUse {
        /// The name.
        name: String,
        /// The URL of the other node.
        address: String,
    },
    /// The worker cannot be started.
    #[error("cannot start the thread of the node: {0}")]
    Thread(io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

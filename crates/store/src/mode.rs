//! Kinds of transactions.

/// The kind of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The only one that writes at its time, in all processes.
    Write,
    /// A snapshot of the last commit.
    Read,
    /// One statement, which is a snapshot of its own.
    ReadOnce,
}

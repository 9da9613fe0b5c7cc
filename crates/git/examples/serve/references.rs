//! References in files: loose ones below `refs`, and packed ones in one file.
//!
//! **Invariant:** loose references are read before packed ones, so that a reference that is being packed is found.

mod files;
mod packed;
mod rules;
mod snapshot;
mod transaction;
mod update;

pub use snapshot::Store;
pub use transaction::Committer;
pub use update::update;

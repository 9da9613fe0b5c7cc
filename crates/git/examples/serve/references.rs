//! References in files: one by one below `refs`, and packed in one file.
//!
//! **Invariant:** single files are read before the packed ones, so that a reference that is being packed is seen.

mod files;
mod moves;
mod packed;
mod rules;
mod snapshot;
mod update;

pub use moves::Committer;
pub use snapshot::Store;
pub use update::update;

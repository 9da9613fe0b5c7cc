//! The services of a server that a seed is applied to.

use std::path::Path;
use std::sync::Arc;

use aws::Clock;
use codecommit::CodeCommit;
use identity::Sts;
use store::Store;
use trail::{CloudTrail, Trail};

use crate::Location;

/// The services of a server, and what calls of its clients would have.
#[derive(Clone, Copy)]
pub struct Services<'s> {
    /// The database.
    pub store: &'s Arc<Store>,
    /// The repositories.
    pub codecommit: &'s CodeCommit,
    /// The records.
    pub trail: &'s Trail,
    /// The trails.
    pub cloudtrail: &'s CloudTrail,
    /// The callers by name.
    pub sts: &'s Sts,
    /// Limits and checks of pushes.
    pub git: &'s git::Options,
    /// The clock of the server, which only shifted dates of recorded events depend on.
    pub clock: &'s dyn Clock,
    /// The account and region of entries that name none.
    pub location: &'s Location,
    /// The folder of temporary files.
    pub scratch: &'s Path,
    /// The server's URL, for clone URLs in records.
    pub endpoint: &'s str,
    /// Whether the calls of the seed leave records.
    pub records: bool,
}

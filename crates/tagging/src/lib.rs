//! AWS Resource Groups Tagging API: the tags of repositories and trails in one service.
//!
//! **Invariant:** this service stores no tags. It reads the tags of the owning services, and changes them by calling their
//! operations; each of these calls has its own record.

#![warn(unreachable_pub)]

mod arn;
mod compliance;
mod edit;
mod exception;
mod filter;
mod keys;
mod operations;
mod owner;
mod page;
mod resources;

use std::sync::Arc;

use aws::{Call, Operation, TaggedResource};
use codecommit::CodeCommit;
use store::Transaction;
use trail::{CloudTrail, Source, Trail};

pub use crate::exception::Exception;

/// Prefix of an operation's name in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "ResourceGroupsTaggingAPI_20170126";

/// The service in records, which have no `apiVersion`.
pub const SOURCE: Source = Source { event_source: "tagging.amazonaws.com", api_version: None };

/// The service, on top of the owning services.
pub struct Tagging {
    trail: Arc<Trail>,
    codecommit: Arc<CodeCommit>,
    cloudtrail: Arc<CloudTrail>,
}

impl Tagging {
    /// Creates the service; `trail` records its calls of the owning services.
    pub const fn new(trail: Arc<Trail>, codecommit: Arc<CodeCommit>, cloudtrail: Arc<CloudTrail>) -> Self {
        Self { trail, codecommit, cloudtrail }
    }

    /// Lists the operations.
    pub fn operations() -> &'static [Operation<Self, Transaction>] {
        operations::all()
    }

    /// Finds an operation by its name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::find(name)
    }

    /// Lists the resources of the call's account and region that have or had tags, in the order of their ARNs.
    fn resources(&self, call: &Call) -> Result<Vec<TaggedResource>, Exception> {
        let mut resources = self.codecommit.tagged(call).map_err(|error| Exception::internal(&error))?;
        resources.extend(self.cloudtrail.tagged(call).map_err(|error| Exception::internal(&error))?);
        resources.sort_by_cached_key(|resource| resource.arn.to_string());
        Ok(resources)
    }
}

//! The IAM API: users, groups, roles, policies and credentials, by AWS query.
//!
//! A writing operation runs wholly in the transaction of its call. After the commit the identities are combined anew: they apply to the next
//! call, and never to one that runs.

mod access_keys;
mod attachments;
mod authorization_details;
mod boundaries;
mod call;
mod credential_row;
mod entity;
mod error;
mod groups;
mod inline_policies;
mod input;
mod operations;
mod output;
mod paging;
mod policies;
mod policy_tags;
mod policy_versions;
mod roles;
mod service_credentials;
mod simulate;
mod ssh_public_keys;
mod tags;
mod users;

use std::sync::Arc;

use aws::{Clock, Operation};
use store::Transaction;

use crate::RootKey;
pub(crate) use crate::iam::error::IamError;
use crate::key_use::KeyUses;
use crate::live::LiveIdentities;

/// `eventSource` of the records of IAM.
pub const EVENT_SOURCE: &str = "iam.amazonaws.com";

/// `apiVersion` of the records of IAM, and `Version` of its forms.
pub const API_VERSION: &str = "2010-05-08";

/// The XML namespace of the replies of IAM.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The IAM API over the tables of the store.
#[derive(Clone)]
pub struct Iam {
    live: Arc<LiveIdentities>,
    root_key: Arc<RootKey>,
    clock: Arc<dyn Clock>,
    key_uses: Arc<KeyUses>,
}

impl Iam {
    pub(crate) fn new(
        live: Arc<LiveIdentities>,
        root_key: Arc<RootKey>,
        clock: Arc<dyn Clock>,
        key_uses: Arc<KeyUses>,
    ) -> Self {
        Self { live, root_key, clock, key_uses }
    }

    /// Lists the operations.
    pub fn operations() -> &'static [Operation<Self, Transaction>] {
        operations::all()
    }

    /// Finds an operation by name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::find(name)
    }
}

#[cfg(test)]
mod tests;

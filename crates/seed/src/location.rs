//! The account and region of an entry of a seed.

use std::fmt;

use aws::{AccountId, Region};

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

impl Location {
    /// Returns the location with another account or region, where an entry gives one.
    pub(crate) fn or(&self, account: Option<&AccountId>, region: Option<&Region>) -> Self {
        Self { account: account.unwrap_or(&self.account).clone(), region: region.unwrap_or(&self.region).clone() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

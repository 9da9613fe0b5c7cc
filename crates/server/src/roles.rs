//! The roles of background work that one of several nodes does for all, and the changes that nodes announce.

/// The role of the node that sends the messages of triggers.
pub(crate) const TRIGGERS: &str = "triggers";

/// The role of the node that sends the notifications of trails.
pub(crate) const NOTIFICATIONS: &str = "notifications";

/// The role of the node that writes archives.
pub(crate) const ARCHIVES: &str = "archives";

/// The role of the node that sends events for EventBridge to its destinations.
pub(crate) const EVENTS: &str = "events";

/// The role of the node that maintains what all nodes share.
pub(crate) const UPKEEP: &str = "upkeep";

/// All roles.
pub(crate) const ALL: &[&str] = &[trail::DELIVERY, trail::DIGESTS, TRIGGERS, NOTIFICATIONS, ARCHIVES, EVENTS, UPKEEP];

/// The change that users, roles, keys or policies were changed by the APIs.
pub(crate) const IDENTITIES: &str = "identities";

//! The parts that all AWS services share: ARNs and ids, calls and callers, rows of operations, permissions, AWS JSON 1.1,
//! AWS query, failures.
//!
//! **Invariant:** nothing here knows a service, an HTTP server or a file.

#![warn(unreachable_pub)]

pub mod account;
pub mod arn;
pub mod call;
pub mod caller;
pub mod clock;
pub mod event_bridge;
pub mod failure;
pub mod fault;
pub mod fixed_clock;
pub mod global_arn;
pub mod hex;
pub mod json;
pub mod kms;
pub mod operation;
pub mod page_token;
pub mod partition;
pub mod pattern;
pub mod permission;
pub mod query;
pub mod record_form;
pub mod region;
pub mod signature;
pub mod stable_hash;
pub mod tagged_resource;
pub mod timestamp;
pub mod xml;

pub use account::AccountId;
pub use arn::Arn;
pub use call::{Call, Encrypted, Resource};
pub use caller::Caller;
pub use clock::{Clock, SystemClock};
pub use failure::Failure;
pub use fault::{Fault, FaultInjector};
pub use fixed_clock::{ClockPosition, FixedClock, FixedClockSettings};
pub use global_arn::GlobalArn;
pub use kms::KmsAction;
pub use operation::{Access, Operation, Step};
pub use partition::Partition;
pub use pattern::Pattern;
pub use permission::{Authority, Denial, Facts, Permission, ResourcePolicy};
pub use region::Region;
pub use tagged_resource::TaggedResource;
pub use timestamp::Timestamp;

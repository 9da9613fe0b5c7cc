//! The policy language of AWS IAM: parses documents, and decides whether they allow a request.
//!
//! A [`Document`] is an identity policy, a permissions boundary or a session policy; a [`TrustPolicy`] is the trust policy of a role,
//! and a [`ResourcePolicy`] that of another resource, such as a bucket. A
//! [`PolicySet`] indexes the documents of one principal, [`Grants`] combines the sets of one caller into a [`Decision`].
//! **Invariant:** no input makes parsing or evaluation panic.

#![warn(unreachable_pub)]

mod arn;
mod condition;
mod document;
mod facts;
mod glob;
mod grants;
mod json;
mod malformed;
mod parser;
mod policy_set;
mod position;
mod request;
mod resource_policy;
mod statement;
mod trust;
mod variable;

pub use crate::document::{Document, Version, size};
pub use crate::facts::{Context, Facts, Keys, Values};
pub use crate::grants::{Cause, Decision, Denial, Grants, PolicyKind};
pub use crate::malformed::{Fault, Malformed};
pub use crate::policy_set::{MatchedStatement, PolicySet};
pub use crate::position::Position;
pub use crate::request::Request;
pub use crate::resource_policy::ResourcePolicy;
pub use crate::statement::{Effect, Statement};
pub use crate::trust::{Principal, Trust, TrustPolicy};

//! Services that own resources: each change of tags is a call of the owning service on behalf of the caller, with its own record.

mod repository;
mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::trail::Source;
use aws::{Arn, Call, Failure};

use crate::{SOURCE, Tagging};

const CODECOMMIT: Source =
    Source { event_source: codecommit::EVENT_SOURCE, api_version: Some(codecommit::API_VERSION) };

/// Change of a resource's tags.
pub(crate) enum TagChange {
    /// Adds tags; an existing key gets the new value.
    Tag(BTreeMap<String, String>),
    /// Removes the tags with these keys.
    Untag(Vec<String>),
}

impl Tagging {
    /// Changes the tags of a resource.
    pub(crate) fn change(&self, call: &Call, arn: &Arn, change: &TagChange) -> Result<(), Failure> {
        if arn.region != call.region || arn.account != call.account {
            let reason = format!("{arn} is not of the account {} and the Region {}.", call.account, call.region);
            return Err(Failure::client("InvalidParameterException", reason));
        }
        let call = Arc::new(call.through(SOURCE.event_source));
        let reply = match arn.service.as_str() {
            "codecommit" => {
                let (operation, input) = repository::call(arn, change);
                self.trail.call(CODECOMMIT, operation, &self.codecommit, &call, Ok(&input))
            }
            "cloudtrail" => {
                let (operation, input) = trail::call(arn, change);
                self.trail.call(::trail::SOURCE, operation, &self.cloudtrail, &call, Ok(&input))
            }
            service => {
                let message =
                    format!("Resources of {service} cannot be tagged: this server has repositories and trails.");
                return Err(Failure::new("InternalServiceException", message, 500));
            }
        };
        reply.map(drop)
    }
}

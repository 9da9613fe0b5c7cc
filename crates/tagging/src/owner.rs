//! The services that own resources: a change of tags is a call of theirs, made for the caller and recorded as such.

mod repository;
mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::trail::Source;
use aws::{Arn, Call, Failure};

use crate::{SOURCE, Tagging};

const CODECOMMIT: Source =
    Source { event_source: codecommit::EVENT_SOURCE, api_version: Some(codecommit::API_VERSION) };

/// What is to be done to the tags of each resource.
pub(crate) enum Change {
    /// These are added; a key that is there takes the new value.
    Tag(BTreeMap<String, String>),
    /// Those of these keys are removed.
    Untag(Vec<String>),
}

impl Tagging {
    /// Changes the tags of a resource.
    pub(crate) fn change(&self, call: &Call, arn: &Arn, change: &Change) -> Result<(), Failure> {
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
                return Err(Failure { name: "InternalServiceException".to_owned(), message, status: 500 });
            }
        };
        reply.map(drop)
    }
}

//! Simulated conditions and failures, as the configuration file has them.

use std::collections::BTreeMap;

use codecommit::settings::{KeyState, Simulate};
use serde::Deserialize;
use server::settings::{FailureOptions, FailureRule};
use toml::Spanned;

use super::SettingError;

/// The table `[simulate]` of the configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulateOptions {
    /// Whether AWS does not allow the account to create repositories.
    pub create_repository_not_allowed: bool,
    /// States of encryption keys that cannot be used, by key id, alias or ARN.
    pub encryption_keys: BTreeMap<String, KeyState>,
    /// Values that the organization's tag policy allows, by tag key.
    pub tag_policy: BTreeMap<String, Vec<String>>,
    /// Calls that fail on demand: the tables `[[simulate.failure]]`.
    pub failure: Vec<Spanned<FailureOptions>>,
}

impl SimulateOptions {
    /// Returns the conditions of the service, and the calls that fail on demand.
    pub(super) fn settings(self) -> Result<(Simulate, Vec<FailureRule>), SettingError> {
        let Self { create_repository_not_allowed, encryption_keys, tag_policy, failure } = self;
        let rules = failure.into_iter().map(|options| FailureRule::try_from(options.into_inner()));
        let rules: Result<_, _> = rules.collect();
        let rules = rules.map_err(|error| SettingError(format!("simulate.failure: {error}")))?;
        Ok((Simulate { create_repository_not_allowed, encryption_keys, tag_policy }, rules))
    }

    /// Returns the place in the file of the first failure that cannot be used, and the reason.
    pub(super) fn invalid_failure(&self) -> Option<(usize, String)> {
        self.failure.iter().find_map(|options| {
            let error = FailureRule::try_from(options.get_ref().clone()).err()?;
            Some((options.span().start, error))
        })
    }
}

//! The identities that a server starts with.

use std::collections::HashSet;

use identity::Identities;

use crate::Settings;

/// Reads the identities file, or else that of the seed; without one, there is only the account of the settings.
pub(super) fn load(settings: &Settings) -> Result<Identities, identity::Error> {
    match settings.identities_file() {
        Some(file) => Identities::load(&file, settings.account.clone()),
        None => Ok(Identities::new(settings.account.clone())),
    }
}

/// Returns the ids of the accounts that are declared.
pub(super) fn account_names(identities: &Identities) -> HashSet<String> {
    identities.accounts().map(|account| account.as_str().to_owned()).collect()
}

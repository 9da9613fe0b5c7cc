//! The identities file: accounts and their users, in TOML.

use std::collections::hash_map::Entry;

use aws::{AccountId, Caller};
use serde::Deserialize;

use crate::{Identities, principal_id};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "account")]
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    id: String,
    #[serde(default, rename = "user")]
    users: Vec<User>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    principal_id: Option<String>,
    #[serde(default)]
    access_keys: Vec<String>,
    #[serde(default)]
    git_user_names: Vec<String>,
    /// Whether this user calls when no credentials are given.
    #[serde(default)]
    default: bool,
}

/// Adds what the file tells; the error is a sentence that says what to change.
pub(crate) fn read(text: &str, identities: &mut Identities) -> Result<(), String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut default = None;
    for account in file.accounts {
        let id: AccountId = account.id.parse()?;
        for user in account.users {
            let caller = caller(&id, &user)?;
            for key in user.access_keys {
                let caller = Caller { access_key_id: Some(key.clone()), ..caller.clone() };
                if default.is_none() && user.default {
                    default = Some(caller.clone());
                }
                match identities.by_access_key.entry(key) {
                    Entry::Occupied(entry) => return Err(format!("access key '{}' is there twice", entry.key())),
                    Entry::Vacant(entry) => drop(entry.insert(caller)),
                }
            }
            let own_name = format!("{}-at-{id}", user.name);
            for name in user.git_user_names.into_iter().chain([own_name]) {
                if identities.by_git_user_name.insert(name.clone(), caller.clone()).is_some_and(|other| other != caller)
                {
                    return Err(format!("Git user name '{name}' is there twice"));
                }
            }
            if default.is_none() && user.default {
                default = Some(caller);
            }
        }
    }
    identities.default = default.unwrap_or_else(|| identities.default.clone());
    Ok(())
}

fn caller(account: &AccountId, user: &User) -> Result<Caller, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if user.name.is_empty() || user.name.len() > 64 || !user.name.bytes().all(allowed) {
        return Err(format!(
            "'{}' is not a user name: write 1 to 64 letters, digits and characters of +=,.@_-",
            user.name
        ));
    }
    let principal_id = user.principal_id.clone().unwrap_or_else(|| principal_id(account, &user.name));
    Ok(Caller::iam_user(account.clone(), &user.name, principal_id, None))
}

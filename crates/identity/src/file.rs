//! The identities file: accounts and who is in them, in TOML.

use std::collections::hash_map::Entry;

use aws::caller::{Kind, OnBehalfOf};
use aws::{AccountId, Caller, GlobalArn, Partition};
use serde::Deserialize;

use crate::provider::{ContextProvider, OpenIdProvider, SamlProvider, WebToken};
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, Role, is_name_byte};
use crate::{Identities, is_service, principal_id};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "account")]
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
struct Account {
    id: String,
    /// The account's alias, which records of its root show.
    alias: Option<String>,
    root: Option<Root>,
    #[serde(default, rename = "user")]
    users: Vec<User>,
    #[serde(default, rename = "role")]
    roles: Vec<DeclaredRole>,
    #[serde(default, rename = "service")]
    services: Vec<Service>,
    #[serde(default, rename = "person")]
    persons: Vec<Person>,
    #[serde(default, rename = "oidc_provider")]
    oidc_providers: Vec<DeclaredOpenIdProvider>,
    #[serde(default, rename = "saml_provider")]
    saml_providers: Vec<DeclaredSamlProvider>,
    #[serde(default, rename = "web_identity")]
    web_identities: Vec<WebIdentity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    access_keys: Vec<String>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredRole {
    name: String,
    /// The path, with a slash at both ends.
    path: Option<String>,
    principal_id: Option<String>,
    max_session_duration: Option<i64>,
    /// ARNs, accounts, services and providers that may assume it; everyone may if it is left out.
    trusts: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    name: String,
    access_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    user_id: String,
    identity_store_arn: String,
    credential_id: Option<String>,
    access_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredOpenIdProvider {
    url: String,
    #[serde(default)]
    client_ids: Vec<String>,
    context: Option<DeclaredContext>,
}

/// The context provider attached to an identity provider: which claims it propagates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredContext {
    subject: String,
    #[serde(default)]
    subject_type: SubjectType,
    #[serde(default)]
    transaction: Vec<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SubjectType {
    #[default]
    User,
    Workload,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredSamlProvider {
    name: String,
    issuer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebIdentity {
    token: String,
    provider: String,
    subject: String,
    audience: String,
}

/// Adds what the file tells; the error is a sentence that says what to change.
pub(crate) fn read(text: &str, identities: &mut Identities) -> Result<(), String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut default = None;
    for account in file.accounts {
        let id: AccountId = account.id.parse()?;
        identities.declared.push(id.clone());
        for user in account.users {
            let caller = user_caller(&id, &user)?;
            keys(identities, &caller, user.access_keys.iter().cloned())?;
            let own_name = format!("{}-at-{id}", user.name);
            for name in user.git_user_names.into_iter().chain([own_name]) {
                if identities.by_git_user_name.insert(name.clone(), caller.clone()).is_some_and(|other| other != caller)
                {
                    return Err(format!("duplicate Git user name '{name}'"));
                }
            }
            if default.is_none() && user.default {
                default = Some(Caller { access_key_id: user.access_keys.into_iter().next(), ..caller });
            }
        }
        if let Some(root) = account.root {
            keys(identities, &Caller::root(id.clone(), None, account.alias), root.access_keys)?;
        }
        for service in account.services {
            if !is_service(&service.name) {
                return Err(format!(
                    "'{}' is not a service: write its DNS name, such as codepipeline.amazonaws.com",
                    service.name
                ));
            }
            keys(identities, &Caller::service(id.clone(), &service.name), service.access_keys)?;
        }
        for person in account.persons {
            keys(identities, &person_caller(&id, &person), person.access_keys)?;
        }
        if !account.roles.is_empty() {
            let roles: Result<Vec<Role>, String> = account.roles.into_iter().map(|it| role(&id, it)).collect();
            identities.roles.entry(id.clone()).or_default().extend(roles?);
        }
        let providers = &mut identities.providers;
        providers.open_id.extend(account.oidc_providers.into_iter().map(|it| OpenIdProvider {
            account: id.clone(),
            host: it.url.trim_start_matches("https://").to_owned(),
            client_ids: it.client_ids,
            context: it.context.map(|context| ContextProvider {
                subject_claim: context.subject,
                subject_type: match context.subject_type {
                    SubjectType::User => "user",
                    SubjectType::Workload => "workload",
                },
                transaction_claims: context.transaction,
            }),
        }));
        providers.saml.extend(account.saml_providers.into_iter().map(|it| SamlProvider {
            account: id.clone(),
            name: it.name,
            issuer: it.issuer,
        }));
        providers.tokens.extend(account.web_identities.into_iter().map(|it| WebToken {
            token: it.token,
            provider: it.provider,
            subject: it.subject,
            audience: it.audience,
        }));
    }
    identities.default = default.unwrap_or_else(|| identities.default.clone());
    Ok(())
}

/// Makes access keys name a caller.
fn keys(identities: &mut Identities, caller: &Caller, keys: impl IntoIterator<Item = String>) -> Result<(), String> {
    for key in keys {
        let caller = Caller { access_key_id: Some(key.clone()), ..caller.clone() };
        match identities.by_access_key.entry(key) {
            Entry::Occupied(entry) => return Err(format!("access key '{}' is there twice", entry.key())),
            Entry::Vacant(entry) => drop(entry.insert(caller)),
        }
    }
    Ok(())
}

fn user_caller(account: &AccountId, user: &User) -> Result<Caller, String> {
    named("user", &user.name)?;
    let principal_id = user.principal_id.clone().unwrap_or_else(|| principal_id("AIDA", account, &user.name));
    Ok(Caller::iam_user(account.clone(), &user.name, principal_id, None))
}

fn person_caller(account: &AccountId, person: &Person) -> Caller {
    let arn = GlobalArn::identity_store(Partition::Aws, format!("user/{}", person.user_id)).to_string();
    let on_behalf_of =
        OnBehalfOf { user_id: person.user_id.clone(), identity_store_arn: person.identity_store_arn.clone() };
    let credential_id =
        person.credential_id.clone().unwrap_or_else(|| aws::derived::uuid(&format!("{account}/{}", person.user_id)));
    Caller {
        user_name: Some(person.name.clone()),
        on_behalf_of: Some(on_behalf_of),
        credential_id: Some(credential_id),
        ..Caller::of(Kind::IdentityCenterUser, account.clone(), arn, person.user_id.clone())
    }
}

fn role(account: &AccountId, role: DeclaredRole) -> Result<Role, String> {
    named("role", &role.name)?;
    let path = role.path.unwrap_or_else(|| "/".to_owned());
    if !(path.starts_with('/') && path.ends_with('/')) {
        return Err(format!(
            "'{path}' is not the path of a role: begin and end it with a slash, such as /service-role/"
        ));
    }
    let duration_seconds_max = role.max_session_duration.unwrap_or(DURATION_SECONDS);
    if !(DURATION_SECONDS..=DURATION_SECONDS_MAX).contains(&duration_seconds_max) {
        return Err(format!("{duration_seconds_max} is not a max_session_duration: write 3600 to 43200 seconds"));
    }
    Ok(Role {
        account: account.clone(),
        partition: Partition::Aws,
        arn: GlobalArn::iam(Partition::Aws, account, format!("role{path}{}", role.name)).to_string(),
        principal_id: role.principal_id.unwrap_or_else(|| principal_id("AROA", account, &role.name)),
        name: role.name,
        duration_seconds_max,
        trusts: role.trusts,
    })
}

fn named(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name_byte) {
        return Err(format!("'{name}' is not a {what} name: write 1 to 64 letters, digits and characters of +=,.@_-"));
    }
    Ok(())
}

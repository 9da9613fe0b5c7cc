//! The identities file: accounts with their users, roles, services and identity providers, in TOML.

mod declarations;
mod policies;
mod rows;

use std::collections::hash_map::Entry;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use aws::caller::{Kind, OnBehalfOf};
use aws::{AccountId, Caller, GlobalArn, Partition, stable_hash};
use toml::Spanned;

use self::declarations::{
    Account, DeclaredGitCredential, DeclaredKey, DeclaredOpenIdProvider, DeclaredRole, DeclaredSshKey, File,
    KeyWithSecret, Person, Service, SubjectType, User,
};
use self::policies::PolicyReader;
pub(crate) use self::policies::{MANAGED_SIZE_MAX, TRUST_SIZE_MAX};
use crate::provider::{ContextProvider, OpenIdProvider, SamlProvider, WebToken};
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, Role, Trusts, is_name_byte};
use crate::ssh_public_key::{SshKeyOwner, SshPublicKey};
use crate::{Identities, PasswordHash, SecretKey, is_service, principal_id};

/// A fault of an identities file.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The line of the fault; the first is 1.
    pub(crate) line: usize,
    /// What is wrong and what to write instead.
    pub(crate) message: String,
}

/// A fault before its line is known.
struct FaultAt {
    /// The faulty value, in bytes.
    span: Range<usize>,
    /// The line of the fault in the document of a policy, if that is the value or a part of it; the first is 1.
    line_of_document: Option<usize>,
    message: String,
}

impl FaultAt {
    /// Returns the line of the fault in a file.
    fn line(&self, text: &str) -> usize {
        let value = text.get(self.span.clone()).unwrap_or_default();
        // Only a text between three quotes has lines. A line break after the first three is not a part of it.
        let quotes = ["'''", "\"\"\""].iter().filter_map(|quotes| value.find(quotes)).min();
        let (offset, line) = match (self.line_of_document, quotes) {
            (Some(line), Some(quotes)) => {
                let has_break = value[quotes + 3..].trim_start_matches('\r').starts_with('\n');
                (self.span.start + quotes, line - usize::from(!has_break))
            }
            _ => (self.span.start, 0),
        };
        text.get(..offset).unwrap_or_default().matches('\n').count() + 1 + line
    }
}

/// Adds the identities that a file declares; `folder` is that of the file.
pub(crate) fn read(text: &str, folder: &Path, identities: &mut Identities) -> Result<(), Fault> {
    let fault = |fault: FaultAt| Fault { line: fault.line(text), message: fault.message };
    let file: File = toml::from_str(text).map_err(|error| {
        let (span, message) = (error.span().unwrap_or_default(), error.message().to_owned());
        fault(FaultAt { span, line_of_document: None, message })
    })?;
    let mut default = None;
    for account in file.accounts {
        let user = add_account(account, folder, identities).map_err(fault)?;
        default = default.or(user);
    }
    identities.default = default.unwrap_or_else(|| identities.default.clone());
    Ok(())
}

/// Adds the identities of an account; returns its default user.
fn add_account(account: Account, folder: &Path, identities: &mut Identities) -> Result<Option<Caller>, FaultAt> {
    let id: AccountId = account.id.get_ref().parse().map_err(|message| fault_at(&account.id, message))?;
    identities.declared.push(id.clone());
    let policies = PolicyReader { account: &id, folder };
    for policy in &account.policies {
        policies.add_policy(policy, identities)?;
    }
    for group in &account.groups {
        policies.add_group(group, identities)?;
        rows::add_group(&id, group.name.get_ref(), identities);
    }
    let mut default = None;
    for user in account.users {
        let is_default = user.default;
        validate_name("user", &user.name)?;
        policies.add_user(&user, identities)?;
        let caller = add_user(&id, user, identities)?;
        default = default.or_else(|| is_default.then_some(caller));
    }
    if let Some(root) = account.root {
        add_keys(identities, &Caller::root(id.clone(), None, account.alias), &root.access_keys)?;
    }
    for Service { name, access_keys } in account.services {
        if !is_service(name.get_ref()) {
            let message = format!(
                "'{}' is not a service: write its DNS name, such as codepipeline.amazonaws.com",
                name.get_ref()
            );
            return Err(fault_at(&name, message));
        }
        add_keys(identities, &Caller::service(id.clone(), name.get_ref()), &access_keys)?;
    }
    for person in account.persons {
        add_keys(identities, &person_caller(&id, &person), &person.access_keys)?;
    }
    if !account.roles.is_empty() {
        for declared in account.roles {
            validate_name("role", &declared.name)?;
            let (trusts, document) = policies.add_role(&declared, identities)?;
            let path = path_of("role", declared.path.as_ref())?.to_owned();
            let role = role(&id, declared, trusts)?;
            rows::add_role(&role, &path, document, identities);
            identities.roles.entry(id.clone()).or_default().push(Arc::new(role));
        }
    }
    let providers = &mut identities.providers;
    providers.open_id.extend(account.oidc_providers.into_iter().map(|declared| open_id_provider(&id, declared)));
    providers.saml.extend(account.saml_providers.into_iter().map(|declared| SamlProvider {
        account: id.clone(),
        name: declared.name,
        issuer: declared.issuer,
    }));
    providers.tokens.extend(account.web_identities.into_iter().map(|declared| WebToken {
        token: declared.token,
        provider: declared.provider,
        subject: declared.subject,
        audience: declared.audience,
    }));
    Ok(default)
}

/// Adds the access keys, Git user names and SSH keys of a user; returns the caller that the user is by default.
fn add_user(account: &AccountId, user: User, identities: &mut Identities) -> Result<Caller, FaultAt> {
    let caller = user_caller(account, &user)?;
    rows::add_user(account, &user, &caller, identities);
    add_keys(identities, &caller, &user.access_keys)?;
    let own_name = format!("{}-at-{account}", user.name.get_ref());
    let own_name = Spanned::new(user.name.span(), own_name);
    for name in user.git_user_names.iter().chain([&own_name]) {
        add_git_user_name(identities, &caller, name)?;
    }
    add_ssh_keys(identities, &caller, &user.ssh_public_keys)?;
    for DeclaredGitCredential { user_name, password } in user.git_credentials {
        let name = user_name.as_ref().unwrap_or(&own_name);
        add_git_user_name(identities, &caller, name)?;
        if password.get_ref().is_empty() {
            return Err(fault_at(&password, "the password is empty: write one that cannot be guessed".to_owned()));
        }
        identities.git_passwords.insert(name.get_ref().as_str().into(), PasswordHash::of(password.get_ref()));
    }
    let access_key_id = user.access_keys.first().map(|key| key.get_ref().id().to_owned());
    Ok(Caller { access_key_id, ..caller })
}

fn add_git_user_name(identities: &mut Identities, caller: &Caller, name: &Spanned<String>) -> Result<(), FaultAt> {
    let known = identities.by_git_user_name.insert(name.get_ref().as_str().into(), Arc::new(caller.clone()));
    if known.is_some_and(|other| *other != *caller) {
        let message = format!("duplicate Git user name '{}': give it to one user only", name.get_ref());
        return Err(fault_at(name, message));
    }
    Ok(())
}

/// Lets access keys name a caller.
fn add_keys(identities: &mut Identities, caller: &Caller, keys: &[Spanned<DeclaredKey>]) -> Result<(), FaultAt> {
    for key in keys {
        let id = key.get_ref().id();
        let caller = Caller { access_key_id: Some(id.to_owned()), ..caller.clone() };
        match identities.by_access_key.entry(id.into()) {
            Entry::Occupied(_) => {
                let message = format!("duplicate access key '{id}': give it to one identity only");
                return Err(fault_at(key, message));
            }
            Entry::Vacant(entry) => drop(entry.insert(Arc::new(caller))),
        }
        if let DeclaredKey::WithSecret(KeyWithSecret { id, secret }) = key.get_ref() {
            if secret.is_empty() {
                return Err(fault_at(key, format!("the secret of '{id}' is empty: write one, or the id alone")));
            }
            identities.secrets.insert(id.clone(), SecretKey::new(secret.as_str()));
        }
    }
    Ok(())
}

/// Lets SSH keys name a user, each by its id.
fn add_ssh_keys(identities: &mut Identities, caller: &Caller, keys: &[DeclaredSshKey]) -> Result<(), FaultAt> {
    for DeclaredSshKey { id, key } in keys {
        let text = id.get_ref();
        if !(20..=128).contains(&text.len())
            || !text.starts_with("APKA")
            || !text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            let message = format!(
                "'{text}' is not the id of an SSH key: write APKA and 16 or more letters and digits, such as APKAEIBAERJR2EXAMPLE"
            );
            return Err(fault_at(id, message));
        }
        let key = SshPublicKey::parse(key.get_ref()).map_err(|message| fault_at(key, message))?;
        let owner = SshKeyOwner { caller: caller.clone(), key };
        if identities.by_ssh_key_id.insert(text.as_str().into(), Arc::new(owner)).is_some() {
            return Err(fault_at(id, format!("duplicate SSH key id '{text}': give it to one key only")));
        }
    }
    Ok(())
}

fn user_caller(account: &AccountId, user: &User) -> Result<Caller, FaultAt> {
    let name = user.name.get_ref();
    let path = path_of("user", user.path.as_ref())?;
    let principal_id = user.principal_id.clone().unwrap_or_else(|| principal_id("AIDA", account, name));
    let arn = GlobalArn::iam(Partition::Aws, account, format!("user{path}{name}")).to_string();
    Ok(Caller { arn, ..Caller::iam_user(account.clone(), name, principal_id, None) })
}

fn person_caller(account: &AccountId, person: &Person) -> Caller {
    let arn = GlobalArn::identity_store(Partition::Aws, format!("user/{}", person.user_id)).to_string();
    let on_behalf_of =
        OnBehalfOf { user_id: person.user_id.clone(), identity_store_arn: person.identity_store_arn.clone() };
    let credential_id =
        person.credential_id.clone().unwrap_or_else(|| stable_hash::uuid(&format!("{account}/{}", person.user_id)));
    Caller {
        user_name: Some(person.name.clone()),
        on_behalf_of: Some(on_behalf_of),
        credential_id: Some(credential_id),
        ..Caller::of(Kind::IdentityCenterUser, account.clone(), arn, person.user_id.clone())
    }
}

/// Returns a path; without one it is `/`. `kind` is the kind of its owner.
fn path_of<'p>(kind: &str, path: Option<&'p Spanned<String>>) -> Result<&'p str, FaultAt> {
    let Some(path) = path else { return Ok("/") };
    let text = path.get_ref().as_str();
    if !(text.starts_with('/') && text.ends_with('/')) {
        let message =
            format!("'{text}' is not the path of a {kind}: begin and end it with a slash, such as /service-role/");
        return Err(fault_at(path, message));
    }
    Ok(text)
}

fn role(account: &AccountId, role: DeclaredRole, trusts: Trusts) -> Result<Role, FaultAt> {
    path_of("role", role.path.as_ref())?;
    let duration = role.max_session_duration.as_ref();
    if let Some(seconds) =
        duration.filter(|seconds| !(DURATION_SECONDS..=DURATION_SECONDS_MAX).contains(seconds.get_ref()))
    {
        let message = format!("{} is not a max_session_duration: write 3600 to 43200 seconds", seconds.get_ref());
        return Err(fault_at(seconds, message));
    }
    let (name, path) = (role.name.into_inner(), role.path.map_or_else(|| "/".to_owned(), Spanned::into_inner));
    Ok(Role {
        account: account.clone(),
        partition: Partition::Aws,
        arn: GlobalArn::iam(Partition::Aws, account, format!("role{path}{name}")).to_string(),
        principal_id: role.principal_id.unwrap_or_else(|| principal_id("AROA", account, &name)),
        name,
        duration_seconds_max: role.max_session_duration.map_or(DURATION_SECONDS, Spanned::into_inner),
        trusts,
    })
}

fn open_id_provider(account: &AccountId, declared: DeclaredOpenIdProvider) -> OpenIdProvider {
    OpenIdProvider {
        account: account.clone(),
        host: declared.url.trim_start_matches("https://").to_owned(),
        client_ids: declared.client_ids,
        context: declared.context.map(|context| ContextProvider {
            subject_claim: context.subject,
            subject_type: match context.subject_type {
                SubjectType::User => "user",
                SubjectType::Workload => "workload",
            },
            transaction_claims: context.transaction,
        }),
    }
}

/// Refuses a name that IAM would refuse; `kind` is the kind of its owner, such as `user`.
fn validate_name(kind: &str, name: &Spanned<String>) -> Result<(), FaultAt> {
    let text = name.get_ref();
    if text.is_empty() || text.len() > 64 || !text.bytes().all(is_name_byte) {
        let message = format!("'{text}' is not a {kind} name: write 1 to 64 letters, digits and characters of +=,.@_-");
        return Err(fault_at(name, message));
    }
    Ok(())
}

fn fault_at<T>(value: &Spanned<T>, message: String) -> FaultAt {
    FaultAt { span: value.span(), line_of_document: None, message }
}

//! Identities of callers: accounts with their users, roles and services, and the temporary credentials of AWS STS.
//!
//! [`Access`] tells whether [`Credentials`] only name a caller, or whether [`signature`] verifies them.
//! **Invariant:** no credential leaves this crate; only the id of an access key does, for the record.

#![warn(unreachable_pub)]

mod administrator;
mod authentication;
pub mod console;
mod context_facts;
mod credentials;
mod exception;
pub mod export;
mod file;
mod git_credential;
pub mod iam;
mod key_use;
mod live;
mod managed;
mod permissions;
mod principal;
mod provider;
pub mod resource_policy;
mod role;
mod root_key;
mod session;
pub mod signature;
mod signature_scope;
mod ssh_public_key;
mod sts;
mod tables;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::{AccountId, Caller, Partition, stable_hash};

pub use crate::administrator::{AccessKey, Administrator};
pub use crate::authentication::{Access, Authenticated, AuthenticationError, Endpoint};
pub use crate::credentials::{Credentials, PresentedCredential};
pub use crate::exception::Exception;
pub use crate::git_credential::{PasswordHash, make_password};
pub use crate::iam::Iam;
pub use crate::live::ChangeListener;
pub use crate::managed::ManagedPolicy;
use crate::permissions::PermissionCache;
use crate::principal::Principals;
use crate::provider::Providers;
use crate::role::Role;
pub use crate::root_key::{RootKey, SecretKey};
pub use crate::session::TokenHash;
pub use crate::signature_scope::SignatureScope;
pub use crate::ssh_public_key::{SshKeyOwner, SshPublicKey};
pub use crate::sts::{API_VERSION, EVENT_SOURCE, NAMESPACE, Sts, migrate};
use crate::tables::declared::DeclaredRows;

/// Why an identities file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the identities file '{}': {source}; check its path and its permissions", path.display())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file has a fault.
    #[error("invalid identities file '{}', line {line}: {message}", path.display())]
    Invalid {
        /// The path of the file.
        path: PathBuf,
        /// The line of the fault; the first is 1.
        line: usize,
        /// What is wrong and what to write instead.
        message: String,
    },
}

/// The example user of the AWS documentation: the caller of requests without credentials.
const DEFAULT_USER: &str = "Mary_Major";
const DEFAULT_PRINCIPAL_ID: &str = "AIDACKCEVSQ6C2EXAMPLE";
const DEFAULT_ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// The declared identities, and the rules for credentials that name none of them.
#[derive(Debug)]
pub struct Identities {
    default: Caller,
    by_access_key: HashMap<Arc<str>, Arc<Caller>>,
    by_git_user_name: HashMap<Arc<str>, Arc<Caller>>,
    /// The secrets of the access keys that are declared with one.
    secrets: HashMap<String, SecretKey>,
    /// The passwords of the Git user names that are declared with one.
    git_passwords: HashMap<Arc<str>, PasswordHash>,
    by_ssh_key_id: HashMap<Arc<str>, Arc<SshKeyOwner>>,
    /// The access keys that the IAM API issued, and whether they are active. The root key gives their secrets.
    issued_keys: HashMap<Arc<str>, bool>,
    /// The accounts of the file.
    declared: Vec<AccountId>,
    /// The roles of the accounts that declare any.
    roles: HashMap<AccountId, Vec<Arc<Role>>>,
    providers: Providers,
    /// The policies of users, groups and roles.
    principals: Principals,
    permissions: PermissionCache,
    /// The rows that the file declares, until they are stored.
    declared_rows: DeclaredRows,
}

impl Identities {
    /// Creates identities that consist of the default user of the default account.
    pub fn new(default_account: AccountId) -> Self {
        let access_key = Some(DEFAULT_ACCESS_KEY.to_owned());
        let default = Caller::iam_user(default_account, DEFAULT_USER, DEFAULT_PRINCIPAL_ID.to_owned(), access_key);
        Self {
            default,
            by_access_key: HashMap::new(),
            by_git_user_name: HashMap::new(),
            secrets: HashMap::new(),
            git_passwords: HashMap::new(),
            by_ssh_key_id: HashMap::new(),
            issued_keys: HashMap::new(),
            declared: Vec::new(),
            roles: HashMap::new(),
            providers: Providers::default(),
            principals: Principals::default(),
            permissions: PermissionCache::default(),
            declared_rows: DeclaredRows::default(),
        }
    }

    /// Returns a copy that has combined no permissions yet.
    fn without_permissions(&self) -> Self {
        Self {
            default: self.default.clone(),
            by_access_key: self.by_access_key.clone(),
            by_git_user_name: self.by_git_user_name.clone(),
            secrets: self.secrets.clone(),
            git_passwords: self.git_passwords.clone(),
            by_ssh_key_id: self.by_ssh_key_id.clone(),
            issued_keys: self.issued_keys.clone(),
            declared: self.declared.clone(),
            roles: self.roles.clone(),
            providers: self.providers.clone(),
            principals: self.principals.clone(),
            permissions: PermissionCache::default(),
            declared_rows: DeclaredRows::default(),
        }
    }

    /// Reads an identities file.
    pub fn load(path: &Path, default_account: AccountId) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path, default_account)
    }

    /// Reads the text of an identities file that has or will have this path.
    pub fn parse(text: &str, path: &Path, default_account: AccountId) -> Result<Self, Error> {
        let mut identities = Self::new(default_account);
        file::read(text, path.parent().unwrap_or(Path::new("")), &mut identities)
            .map_err(|file::Fault { line, message }| Error::Invalid { path: path.to_owned(), line, message })?;
        Ok(identities)
    }

    /// Lists the accounts of the file and the default account; an account may occur twice.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.declared.iter().chain([&self.default.account_id])
    }

    /// Returns the account of callers without credentials.
    pub fn default_account(&self) -> &AccountId {
        &self.default.account_id
    }

    /// Returns the caller that credentials name, with ARNs in the partition of the request.
    ///
    /// - A declared access key or Git user name names its owner.
    /// - The DNS name of a service as access key names that service, an account id names the root of that account.
    /// - Any other access key or user name names an IAM user that is synthesized from it, in the account at the end of a Git user
    ///   name or in the default account.
    /// - Without credentials the caller is the default user, in the account that the request names.
    pub fn authenticate(&self, credentials: &Credentials, account: Option<&AccountId>, partition: Partition) -> Caller {
        let caller = match &credentials.presented {
            PresentedCredential::Nothing => self.default_in(account.unwrap_or(&self.default.account_id)),
            PresentedCredential::AccessKey(key) => self.by_access_key(key),
            PresentedCredential::GitUserName(name) => self.by_git_user_name(name),
        };
        caller.in_partition(partition)
    }

    /// Returns the owner and the secret of an access key that is declared with a secret, or that is issued and active.
    pub(crate) fn access_key(&self, key: &str, root_key: &RootKey) -> Option<(Caller, SecretKey)> {
        let caller = self.by_access_key.get(key)?;
        if let Some(is_active) = self.issued_keys.get(key) {
            return is_active.then(|| (Caller::clone(caller), root_key.secret(key)));
        }
        let secret = self.secrets.get(key).cloned().or_else(|| root_key::documented_secret(key));
        if secret.is_none() {
            tracing::warn!(access_key_id = key, "the identities file declares this access key without its secret");
        }
        Some((Caller::clone(caller), secret?))
    }

    /// Returns the owner and the password of static Git credentials.
    pub(crate) fn git_credential(&self, user_name: &str) -> Option<(&Caller, &PasswordHash)> {
        Some((self.by_git_user_name.get(user_name)?, self.git_passwords.get(user_name)?))
    }

    /// Returns the account of an access key: the default account for one that is not declared.
    pub(crate) fn account_of_access_key(&self, key: &str) -> &AccountId {
        self.by_access_key.get(key).map_or(&self.default.account_id, |caller| &caller.account_id)
    }

    /// Returns the default user of an account: a user of the same name in each; without an access key in other accounts than the default.
    fn default_in(&self, account: &AccountId) -> Caller {
        if *account == self.default.account_id {
            return self.default.clone();
        }
        synthesize_user(account.clone(), self.default.user_name.as_deref().unwrap_or(DEFAULT_USER), None)
    }

    fn by_access_key(&self, key: &str) -> Caller {
        if let Some(caller) = self.by_access_key.get(key) {
            return Caller::clone(caller);
        }
        if self.default.access_key_id.as_deref() == Some(key) {
            return self.default.clone();
        }
        if is_service(key) {
            return Caller::service(self.default.account_id.clone(), key);
        }
        if let Ok(account) = key.parse() {
            return Caller::root(account, Some(key.to_owned()), None);
        }
        synthesize_user(self.default.account_id.clone(), key, Some(key.to_owned()))
    }

    fn by_git_user_name(&self, name: &str) -> Caller {
        if let Some(caller) = self.by_git_user_name.get(name) {
            return Caller::clone(caller);
        }
        let (user, account) = name
            .rsplit_once("-at-")
            .and_then(|(user, account)| Some((user, account.split('+').next()?.parse().ok()?)))
            .unwrap_or_else(|| (name, self.default.account_id.clone()));
        if account == self.default.account_id && Some(user) == self.default.user_name.as_deref() {
            // The record shows no access key, as a Git user name is none.
            return Caller { access_key_id: None, ..self.default.clone() };
        }
        synthesize_user(account, user, None)
    }
}

/// Returns whether a name is the DNS name of a service, such as `codepipeline.amazonaws.com`.
fn is_service(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    name.strip_suffix(".amazonaws.com").is_some_and(|service| !service.is_empty() && service.bytes().all(allowed))
}

/// Creates the IAM user for an undeclared access key or user name; always the same user for the same name.
fn synthesize_user(account: AccountId, name: &str, access_key: Option<String>) -> Caller {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_-".contains(letter);
    let user_name: String = name.chars().map(|letter| if allowed(letter) { letter } else { '_' }).take(64).collect();
    let principal_id = principal_id("AIDA", &account, &user_name);
    Caller::iam_user(account, &user_name, principal_id, access_key)
}

/// Derives the unique id of a user or role that declares none: a prefix such as `AIDA`, and seventeen letters and digits.
fn principal_id(prefix: &str, account: &AccountId, name: &str) -> String {
    derived_id(prefix, 17, stable_hash::fnv1a_128(&format!("{account}/{name}")))
}

/// Writes a number in the letters and digits of AWS's unique ids (base 32).
fn derived_id(prefix: &str, letters: usize, mut number: u128) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut letter = || {
        let index = usize::try_from(number % 32).expect("a remainder of a division by 32 fits");
        number >>= 5;
        char::from(LETTERS[index])
    };
    format!("{prefix}{}", (0..letters).map(|_| letter()).collect::<String>())
}

#[cfg(test)]
mod tests;

//! Who is calling: accounts and who is in them, their keys and Git user names, and the temporary credentials of AWS STS.
//!
//! The mode is open: every caller is let in, and the credentials that are given name them.
//! **Invariant:** a credential is read here and never leaves; only an access key's id goes on, into the record.

#![warn(unreachable_pub)]

mod credentials;
mod exception;
mod file;
mod operations;
mod provider;
mod role;
mod session;
mod sts;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use aws::{AccountId, Caller, Partition, Region};

pub use crate::credentials::{Credentials, Presented};
pub use crate::exception::Exception;
use crate::provider::Providers;
use crate::role::Role;
pub use crate::session::TokenHash;
pub use crate::sts::{API_VERSION, EVENT_SOURCE, NAMESPACE, Refused, Sts};

/// An identities file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("the identities file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It says something that makes no sense.
    #[error("the identities file {path} is not right: {message}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What to change.
        message: String,
    },
}

/// The documentation's example user, who calls when nobody is named.
const DEFAULT_USER: &str = "Mary_Major";
const DEFAULT_PRINCIPAL_ID: &str = "AIDACKCEVSQ6C2EXAMPLE";
const DEFAULT_ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// All identities that are known by name, and what becomes of the others.
#[derive(Debug)]
pub struct Identities {
    default: Caller,
    by_access_key: HashMap<String, Caller>,
    by_git_user_name: HashMap<String, Caller>,
    /// The accounts of the file.
    declared: Vec<AccountId>,
    /// The roles of the accounts that declare theirs.
    roles: HashMap<AccountId, Vec<Role>>,
    providers: Providers,
}

impl Identities {
    /// Knows nobody but the default user of the default account.
    pub fn new(default_account: AccountId) -> Self {
        let access_key = Some(DEFAULT_ACCESS_KEY.to_owned());
        let default = Caller::iam_user(default_account, DEFAULT_USER, DEFAULT_PRINCIPAL_ID.to_owned(), access_key);
        Self {
            default,
            by_access_key: HashMap::new(),
            by_git_user_name: HashMap::new(),
            declared: Vec::new(),
            roles: HashMap::new(),
            providers: Providers::default(),
        }
    }

    /// Reads a file of accounts and users.
    pub fn load(path: &Path, default_account: AccountId) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        let mut identities = Self::new(default_account);
        file::read(&text, &mut identities).map_err(|message| Error::Wrong { path: path.to_owned(), message })?;
        Ok(identities)
    }

    /// Lists the accounts of the file, and the default one; an account may be listed twice.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.declared.iter().chain([&self.default.account_id])
    }

    /// The account of callers who give no credentials.
    pub fn default_account(&self) -> &AccountId {
        &self.default.account_id
    }

    /// Returns the caller that credentials name, with ARNs of the partition that the request is for.
    ///
    /// A known access key or Git user name belongs to its owner. The DNS name of a service is that service, and an account id is the root
    /// of that account. Any other access key or name is an IAM user made up from it, in the account at the end of a Git user
    /// name or else in the default account. No credentials are the default user, of the account that the request names.
    pub fn authenticate(&self, credentials: &Credentials, account: Option<&AccountId>, partition: Partition) -> Caller {
        let caller = match &credentials.presented {
            Presented::Nothing => self.default_of(account.unwrap_or(&self.default.account_id)),
            Presented::AccessKey(key) => self.by_access_key(key),
            Presented::GitUserName(name) => self.by_git_user_name(name),
        };
        caller.in_partition(partition)
    }

    /// The account of an access key; one that nobody declared is of the default account.
    pub(crate) fn account_of_access_key(&self, key: &str) -> &AccountId {
        self.by_access_key.get(key).map_or(&self.default.account_id, |caller| &caller.account_id)
    }

    /// A user of that name is everybody's default one; elsewhere than in the default account it has no access key.
    fn default_of(&self, account: &AccountId) -> Caller {
        if *account == self.default.account_id {
            return self.default.clone();
        }
        made_up(account.clone(), self.default.user_name.as_deref().unwrap_or(DEFAULT_USER), None)
    }

    fn by_access_key(&self, key: &str) -> Caller {
        if let Some(caller) = self.by_access_key.get(key) {
            return caller.clone();
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
        made_up(self.default.account_id.clone(), key, Some(key.to_owned()))
    }

    fn by_git_user_name(&self, name: &str) -> Caller {
        if let Some(caller) = self.by_git_user_name.get(name) {
            return caller.clone();
        }
        let (user, account) = name
            .rsplit_once("-at-")
            .and_then(|(user, account)| Some((user, account.split('+').next()?.parse().ok()?)))
            .unwrap_or_else(|| (name, self.default.account_id.clone()));
        if account == self.default.account_id && Some(user) == self.default.user_name.as_deref() {
            // A Git user name is no access key, so the record shows none.
            return Caller { access_key_id: None, ..self.default.clone() };
        }
        made_up(account, user, None)
    }
}

/// Which region a request is for: the signature's scope says it, else the host name, else nothing does.
pub fn region(credentials: &Credentials, host: Option<&str>) -> Option<Region> {
    credentials.region.clone().or_else(|| host.and_then(Region::from_host))
}

/// Says whether a name is the DNS name of a service, such as `codepipeline.amazonaws.com`.
fn is_service(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    name.strip_suffix(".amazonaws.com").is_some_and(|it| !it.is_empty() && it.bytes().all(allowed))
}

/// Makes up the IAM user that an unknown key or name stands for; the same one each time.
fn made_up(account: AccountId, name: &str, access_key: Option<String>) -> Caller {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_-".contains(letter);
    let user_name: String = name.chars().map(|letter| if allowed(letter) { letter } else { '_' }).take(64).collect();
    let principal_id = principal_id("AIDA", &account, &user_name);
    Caller::iam_user(account, &user_name, principal_id, access_key)
}

/// Derives the unique id of a user or role whose file or key does not tell it: `AIDA` and seventeen letters and digits.
fn principal_id(prefix: &str, account: &AccountId, name: &str) -> String {
    derived_id(prefix, 17, aws::derived::number(&format!("{account}/{name}")))
}

/// Writes a number in the letters and digits of AWS's unique ids.
fn derived_id(prefix: &str, letters: usize, mut number: u128) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut letter = || {
        let index = usize::try_from(number % 32).expect("it is below 32");
        number >>= 5;
        char::from(LETTERS[index])
    };
    format!("{prefix}{}", (0..letters).map(|_| letter()).collect::<String>())
}

#[cfg(test)]
mod tests;

//! What the IAM API issued: read from the tables, and added to the identities of the file.

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::Caller;
use policy::Document;
use store::{Error, Transaction};

use super::HolderKind;
use crate::principal::{Name, Principal, PrincipalKind};
use crate::role::Role;
use crate::ssh_public_key::SshKeyOwner;
use crate::tables::issued::reader::Reader;
use crate::{Identities, PasswordHash};

/// Everything that the API issued. It is kept in memory, so that a change reads only what it concerns.
#[derive(Default)]
pub(crate) struct Issued {
    /// By the numbers of their rows. Declared ones are here if the API issued something to them.
    principals: BTreeMap<i64, IssuedPrincipal>,
    /// The default versions of managed policies, by their ARNs.
    policies: BTreeMap<Arc<str>, Arc<Document>>,
}

/// The rows that a change concerns.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub(crate) principals: BTreeSet<i64>,
    /// The ARNs of managed policies.
    pub(crate) policies: BTreeSet<String>,
    has_everything: bool,
}

impl Changed {
    /// Returns a change that concerns all rows.
    pub(crate) fn everything() -> Self {
        Self { has_everything: true, ..Self::default() }
    }
}

/// A user, group or role with what the API issued to it, in the form in which the identities share it.
struct IssuedPrincipal {
    kind: HolderKind,
    key: Name,
    is_declared: bool,
    /// Of a declared one, only what the API issued to it.
    principal: Arc<Principal>,
    /// The caller that a user is, without an access key, and its Git user name.
    caller: Option<(Arc<Caller>, Arc<str>)>,
    role: Option<Arc<Role>>,
    /// Access keys, and whether they are active.
    keys: Vec<(Arc<str>, Arc<Caller>, bool)>,
    /// User names and passwords of Git, and whether they are active.
    credentials: Vec<(Arc<str>, PasswordHash, bool)>,
    /// The active ones.
    ssh_public_keys: Vec<(Arc<str>, Arc<SshKeyOwner>)>,
}

impl Issued {
    /// Reads all rows.
    pub(crate) fn read(transaction: &Transaction) -> Result<Self, Error> {
        let mut reader = Reader::new(transaction, None);
        Ok(Self { principals: reader.principals()?, policies: reader.policies(None)? })
    }

    /// Reads the rows again that a change concerns. If this fails, everything must be read again.
    pub(crate) fn read_again(&mut self, transaction: &Transaction, changed: &Changed) -> Result<(), Error> {
        if changed.has_everything {
            *self = Self::read(transaction)?;
            return Ok(());
        }
        for number in &changed.principals {
            self.principals.remove(number);
            self.principals.extend(Reader::new(transaction, Some(*number)).principals()?);
        }
        for arn in &changed.policies {
            self.policies.remove(arn.as_str());
            self.policies.extend(Reader::new(transaction, None).policies(Some(arn))?);
        }
        Ok(())
    }

    /// Returns the identities of the file with what the API issued.
    ///
    /// The file comes first: its keys, user names and SSH keys keep their owners.
    pub(crate) fn add_to(&self, file: &Identities) -> Identities {
        let mut identities = file.without_permissions();
        for (arn, document) in &self.policies {
            identities.principals.add_policy(Arc::clone(arn), Arc::clone(document));
        }
        for principal in self.principals.values() {
            principal.add_to(&mut identities);
        }
        identities
    }
}

impl IssuedPrincipal {
    fn add_to(&self, identities: &mut Identities) {
        let Self { kind, key, principal, .. } = self;
        match kind {
            HolderKind::User => identities.principals.add_issued(PrincipalKind::User, key.clone(), principal),
            HolderKind::Role => identities.principals.add_issued(PrincipalKind::Role, key.clone(), principal),
            HolderKind::Group => identities.principals.add_issued_group(key.clone(), principal),
        }
        if let Some(role) = &self.role {
            identities.roles.entry(key.0.clone()).or_default().push(Arc::clone(role));
        }
        let Some((caller, git_user_name)) = &self.caller else { return };
        if !self.is_declared {
            self.add_default(caller, identities);
            identities.by_git_user_name.entry(Arc::clone(git_user_name)).or_insert_with(|| Arc::clone(caller));
        }
        for (id, caller, is_active) in &self.keys {
            if !identities.by_access_key.contains_key(id) {
                identities.by_access_key.insert(Arc::clone(id), Arc::clone(caller));
                identities.issued_keys.insert(Arc::clone(id), *is_active);
            }
        }
        for (user_name, hash, is_active) in &self.credentials {
            let owner = identities.by_git_user_name.entry(Arc::clone(user_name)).or_insert_with(|| Arc::clone(caller));
            if *is_active && owner == caller {
                identities.git_passwords.entry(Arc::clone(user_name)).or_insert(*hash);
            }
        }
        for (id, owner) in &self.ssh_public_keys {
            identities.by_ssh_key_id.entry(Arc::clone(id)).or_insert_with(|| Arc::clone(owner));
        }
    }

    /// Makes the user the caller of requests without credentials, if it has the name of that caller.
    fn add_default(&self, caller: &Caller, identities: &mut Identities) {
        let default = &mut identities.default;
        if default.account_id == self.key.0 && default.user_name == caller.user_name {
            *default = Caller { access_key_id: default.access_key_id.take(), ..caller.clone() };
        }
    }
}

/// Reads the column `tags`.
pub(crate) fn read_tags(text: &str) -> Result<Vec<(String, String)>, Error> {
    serde_json::from_str(text).map_err(|_| Error::Damaged("the tags of a principal"))
}

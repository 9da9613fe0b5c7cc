//! Writes the rows of the identities file.

use std::collections::BTreeMap;

use aws::{Timestamp, stable_hash};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Error, Store, Transaction};

use super::{ACTIVE, HolderKind, TABLES};
use crate::PasswordHash;
use crate::derived_id;
use crate::ssh_public_key::SshPublicKey;

/// The rows that an identities file declares.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct DeclaredRows {
    pub(crate) policies: Vec<DeclaredManagedPolicy>,
    /// Groups come before the users that are in them.
    pub(crate) principals: Vec<DeclaredPrincipal>,
}

/// A managed policy of an account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DeclaredManagedPolicy {
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) document: String,
}

/// A user, group or role with all that belongs to it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DeclaredPrincipal {
    #[serde(skip)]
    pub(crate) kind: HolderKind,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) boundary: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The trust policy of a role.
    pub(crate) trust: Option<String>,
    /// The maximum session duration of a role.
    pub(crate) max_seconds: Option<i64>,
    /// The ARNs of attached policies.
    pub(crate) attached: Vec<String>,
    /// The names and documents of inline policies.
    pub(crate) inline: Vec<(String, String)>,
    /// The names of the groups of a user.
    pub(crate) groups: Vec<String>,
    pub(crate) access_keys: Vec<String>,
    /// User names and hashes of passwords of static Git credentials.
    pub(crate) git_credentials: Vec<(String, Vec<u8>)>,
    /// Ids and lines of SSH public keys.
    pub(crate) ssh_public_keys: Vec<(String, String)>,
}

impl DeclaredPrincipal {
    /// Returns a principal without belongings.
    pub(crate) fn new(kind: HolderKind, account: &str, name: &str, path: &str, id: String) -> Self {
        Self {
            kind,
            account: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            id,
            boundary: None,
            tags: BTreeMap::new(),
            trust: None,
            max_seconds: None,
            attached: Vec::new(),
            inline: Vec::new(),
            groups: Vec::new(),
            access_keys: Vec::new(),
            git_credentials: Vec::new(),
            ssh_public_keys: Vec::new(),
        }
    }

    /// Adds static Git credentials.
    pub(crate) fn add_git_credential(&mut self, user_name: &str, hash: PasswordHash) {
        self.git_credentials.push((user_name.to_owned(), hash.as_bytes().to_vec()));
    }
}

/// The value of `declared` in rows of the former file while they are replaced.
const FORMER: i64 = 2;

impl DeclaredRows {
    /// Returns whether the store has these rows.
    pub(crate) fn are_in(&self, store: &Store) -> Result<bool, Error> {
        let stored = store
            .read(|transaction| transaction.query_one("SELECT digest FROM identities_file", &[], |row| row.blob(0)))?;
        Ok(match stored {
            Some(digest) => digest == self.digest(),
            None => self.policies.is_empty() && self.principals.is_empty(),
        })
    }

    /// Replaces the declared rows by these. The times of creation of rows that stay are kept.
    ///
    /// A name that the IAM API gave before is taken from its owner, which is deleted.
    pub(crate) fn write(&self, transaction: &Transaction, now: Timestamp) -> Result<(), Error> {
        for table in TABLES {
            transaction.execute(&format!("UPDATE {table} SET declared = ?1 WHERE declared = 1"), &[FORMER.into()])?;
        }
        for policy in &self.policies {
            policy.write(transaction, now)?;
        }
        for principal in &self.principals {
            principal.write(transaction, now)?;
        }
        for table in TABLES {
            transaction.execute(&format!("DELETE FROM {table} WHERE declared = ?1"), &[FORMER.into()])?;
        }
        // A policy of an account that is no longer declared can still be attached by the API.
        transaction.execute(
            "DELETE FROM attachments WHERE policy_arn NOT IN (SELECT arn FROM managed_policies)
             AND policy_arn NOT LIKE 'arn:aws:iam::aws:policy/%'",
            &[],
        )?;
        transaction.execute(
            "INSERT INTO identities_file (id, digest) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET digest = ?1",
            &[self.digest().as_slice().into()],
        )?;
        Ok(())
    }

    fn digest(&self) -> Vec<u8> {
        let kinds: Vec<&str> = self.principals.iter().map(|principal| principal.kind.as_str()).collect();
        let text = serde_json::to_string(&(kinds, self)).expect("lists and maps of texts can be written");
        Sha256::digest(text.as_bytes()).to_vec()
    }
}

impl DeclaredManagedPolicy {
    fn write(&self, transaction: &Transaction, now: Timestamp) -> Result<(), Error> {
        let Self { account, arn, name, path, document } = self;
        let lower_name = name.to_lowercase();
        let issued = transaction.execute(
            "DELETE FROM managed_policies WHERE account = ?1 AND lower_name = ?2 AND (declared = 0 OR arn <> ?3)",
            &[account.into(), (&lower_name).into(), arn.into()],
        )?;
        if issued > 0 {
            tracing::warn!(account, policy = name, "the identities file replaces a policy of another origin");
        }
        let id = derived_id("ANPA", 17, stable_hash::fnv1a_128(arn));
        transaction.execute(
            "INSERT INTO managed_policies (arn, account, lower_name, name, path, id, default_version, last_version, created, updated, tags, declared)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 1, ?7, ?7, '[]', 1) ON CONFLICT (arn) DO UPDATE SET declared = 1",
            &[
                arn.into(),
                account.into(),
                (&lower_name).into(),
                name.into(),
                path.into(),
                (&id).into(),
                now.millis().into(),
            ],
        )?;
        transaction.execute(
            "INSERT INTO policy_versions (arn, version, document, created) VALUES (?1, 1, ?2, ?3)
             ON CONFLICT (arn, version) DO UPDATE SET document = ?2",
            &[arn.into(), document.into(), now.millis().into()],
        )?;
        Ok(())
    }
}

impl DeclaredPrincipal {
    fn write(&self, transaction: &Transaction, now: Timestamp) -> Result<(), Error> {
        let number = self.write_principal(transaction, now)?;
        let now = now.millis();
        for arn in &self.attached {
            transaction.execute(
                "INSERT INTO attachments (principal, policy_arn, declared) VALUES (?1, ?2, 1)
                 ON CONFLICT (principal, policy_arn) DO UPDATE SET declared = 1",
                &[number.into(), arn.into()],
            )?;
        }
        for (name, document) in &self.inline {
            transaction.execute(
                "INSERT INTO inline_policies (principal, name, document, declared) VALUES (?1, ?2, ?3, 1)
                 ON CONFLICT (principal, name) DO UPDATE SET document = ?3, declared = 1",
                &[number.into(), name.into(), document.into()],
            )?;
        }
        for group in &self.groups {
            transaction.execute(
                "INSERT INTO memberships (member, member_of, declared)
                 SELECT ?1, number, 1 FROM principals WHERE account = ?2 AND kind = 'group' AND lower_name = ?3
                 ON CONFLICT (member, member_of) DO UPDATE SET declared = 1",
                &[number.into(), (&self.account).into(), (&group.to_lowercase()).into()],
            )?;
        }
        for id in &self.access_keys {
            transaction.execute(
                "INSERT INTO access_keys (id, principal, status, created, declared) VALUES (?1, ?2, ?3, ?4, 1)
                 ON CONFLICT (id) DO UPDATE SET principal = ?2, status = ?3, declared = 1",
                &[id.into(), number.into(), ACTIVE.into(), now.into()],
            )?;
        }
        for (user_name, hash) in &self.git_credentials {
            let id = derived_id("ACCA", 17, stable_hash::fnv1a_128(user_name));
            transaction.execute(
                "DELETE FROM service_credentials WHERE user_name = ?1 AND id <> ?2",
                &[user_name.into(), (&id).into()],
            )?;
            transaction.execute(
                "INSERT INTO service_credentials (id, principal, user_name, password_hash, status, created, declared)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
                 ON CONFLICT (id) DO UPDATE SET principal = ?2, password_hash = ?4, status = ?5, declared = 1",
                &[(&id).into(), number.into(), user_name.into(), hash.as_slice().into(), ACTIVE.into(), now.into()],
            )?;
        }
        for (id, body) in &self.ssh_public_keys {
            let fingerprint = SshPublicKey::parse(body).map(|key| key.fingerprint()).unwrap_or_default();
            transaction.execute(
                "INSERT INTO ssh_public_keys (id, principal, body, fingerprint, status, uploaded, declared)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
                 ON CONFLICT (id) DO UPDATE SET principal = ?2, body = ?3, fingerprint = ?4, status = ?5, declared = 1",
                &[id.into(), number.into(), body.into(), (&fingerprint).into(), ACTIVE.into(), now.into()],
            )?;
        }
        Ok(())
    }

    /// Writes the row of the principal; returns its number.
    fn write_principal(&self, transaction: &Transaction, now: Timestamp) -> Result<i64, Error> {
        let Self { account, name, path, id, trust, max_seconds, .. } = self;
        let (kind, lower_name) = (self.kind.as_str(), name.to_lowercase());
        let issued = transaction.execute(
            "DELETE FROM principals WHERE account = ?1 AND kind = ?2 AND lower_name = ?3 AND declared = 0",
            &[account.into(), kind.into(), (&lower_name).into()],
        )?;
        if issued > 0 {
            tracing::warn!(account, kind, name, "the identities file replaces a principal that the IAM API created");
        }
        let tags: Vec<(&String, &String)> = self.tags.iter().collect();
        let tags = serde_json::to_string(&tags).expect("lists of texts can be written");
        transaction.execute(
            "INSERT INTO principals (account, kind, lower_name, name, path, id, created, boundary, tags, trust, max_seconds, declared)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1)
             ON CONFLICT (account, kind, lower_name) DO UPDATE
             SET name = ?4, path = ?5, id = ?6, boundary = ?8, tags = ?9, trust = ?10, max_seconds = ?11, declared = 1",
            &[
                account.into(),
                kind.into(),
                (&lower_name).into(),
                name.into(),
                path.into(),
                id.into(),
                now.millis().into(),
                self.boundary.as_deref().into(),
                (&tags).into(),
                trust.as_deref().into(),
                (*max_seconds).into(),
            ],
        )?;
        let number = transaction.query_one(
            "SELECT number FROM principals WHERE account = ?1 AND kind = ?2 AND lower_name = ?3",
            &[account.into(), kind.into(), (&lower_name).into()],
            |row| row.integer(0),
        )?;
        number.ok_or(Error::Damaged("a principal"))
    }
}

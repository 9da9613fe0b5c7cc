//! Writes an identities file of what the tables have, for the export of a seed: users, groups, roles and policies, of the file and of the IAM API.
//!
//! **Invariant:** the text has no secret: of access keys only the ids, and no passwords.

use std::collections::BTreeMap;

use serde::Serialize;
use store::{Error, Transaction};

use crate::tables::issued::read_tags;
use crate::tables::{ACTIVE, HolderKind};

#[derive(Serialize)]
struct File {
    account: Vec<Account>,
}

#[derive(Default, Serialize)]
struct Account {
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policy: Vec<ManagedPolicy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group: Vec<Holder>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user: Vec<Holder>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    role: Vec<Holder>,
}

#[derive(Serialize)]
struct ManagedPolicy {
    name: String,
    path: String,
    document: String,
}

/// A user, group or role; each has the members of its kind.
#[derive(Default, Serialize)]
struct Holder {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_keys: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh_public_keys: Vec<SshKey>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<HeldPolicy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_session_duration: Option<i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct SshKey {
    id: String,
    key: String,
}

/// A policy of a user, group or role: the ARN of a managed one, or an inline policy.
#[derive(Serialize)]
#[serde(untagged)]
enum HeldPolicy {
    Managed(String),
    Inline { name: String, document: String },
}

/// Returns the text of an identities file; `None` if there are no users, groups, roles and policies.
pub fn identities(transaction: &Transaction) -> Result<Option<String>, Error> {
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    let policies = "SELECT p.account, p.name, p.path, v.document FROM managed_policies p \
         JOIN policy_versions v ON v.arn = p.arn AND v.version = p.default_version ORDER BY p.account, p.name";
    for (account, policy) in transaction.query(policies, &[], |row| {
        Ok((row.text(0)?, ManagedPolicy { name: row.text(1)?, path: row.text(2)?, document: row.text(3)? }))
    })? {
        accounts.entry(account).or_default().policy.push(policy);
    }
    let principals = "SELECT number, account, kind, name, path, id, boundary, tags, trust, max_seconds FROM principals \
         ORDER BY account, name";
    for (number, account, kind, holder) in transaction.query(principals, &[], |row| {
        let kind = HolderKind::parse(&row.text(2)?)?;
        let has_path = kind != HolderKind::Group;
        let holder = Holder {
            name: row.text(3)?,
            path: Some(row.text(4)?).filter(|_| has_path),
            principal_id: Some(row.text(5)?).filter(|_| has_path),
            boundary: row.optional_text(6)?,
            tags: if has_path { read_tags(&row.text(7)?)?.into_iter().collect() } else { BTreeMap::new() },
            trust_policy: row.optional_text(8)?,
            max_session_duration: row.optional_integer(9)?,
            ..Holder::default()
        };
        Ok((row.integer(0)?, row.text(1)?, kind, holder))
    })? {
        let holder = holder.with_belongings(transaction, number)?;
        let account = accounts.entry(account).or_default();
        match kind {
            HolderKind::User => account.user.push(holder),
            HolderKind::Group => account.group.push(holder),
            HolderKind::Role => account.role.push(holder),
        }
    }
    if accounts.is_empty() {
        return Ok(None);
    }
    let account = accounts.into_iter().map(|(id, account)| Account { id, ..account }).collect();
    toml::to_string_pretty(&File { account }).map(Some).map_err(|_| Error::Damaged("the identities"))
}

impl Holder {
    /// Adds the rows that belong to the one with this number.
    fn with_belongings(self, transaction: &Transaction, number: i64) -> Result<Self, Error> {
        let number = [number.into()];
        let texts = |sql: &str| transaction.query(sql, &number, |row| row.text(0));
        let active = [number[0], ACTIVE.into()];
        let managed = texts("SELECT policy_arn FROM attachments WHERE principal = ?1 ORDER BY policy_arn")?;
        let inline = "SELECT name, document FROM inline_policies WHERE principal = ?1 ORDER BY name";
        let inline = transaction
            .query(inline, &number, |row| Ok(HeldPolicy::Inline { name: row.text(0)?, document: row.text(1)? }))?;
        let keys = "SELECT id FROM access_keys WHERE principal = ?1 AND status = ?2 ORDER BY id";
        let ssh_keys = "SELECT id, body FROM ssh_public_keys WHERE principal = ?1 AND status = ?2 ORDER BY id";
        let groups = "SELECT g.name FROM memberships m JOIN principals g ON g.number = m.member_of WHERE m.member = ?1 ORDER BY g.name";
        Ok(Self {
            access_keys: transaction.query(keys, &active, |row| row.text(0))?,
            ssh_public_keys: transaction
                .query(ssh_keys, &active, |row| Ok(SshKey { id: row.text(0)?, key: row.text(1)? }))?,
            policies: managed.into_iter().map(HeldPolicy::Managed).chain(inline).collect(),
            groups: texts(groups)?,
            ..self
        })
    }
}

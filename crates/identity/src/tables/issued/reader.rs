//! Reads issued rows: all of them, or those of one user, group or role.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws::{AccountId, Caller, GlobalArn, Partition};
use policy::{Document, Malformed, TrustPolicy};
use store::{Error, Row, Transaction};

use super::{IssuedPrincipal, read_tags};
use crate::PasswordHash;
use crate::principal::{HeldPolicies, InlinePolicy, Principal, key};
use crate::role::{DURATION_SECONDS, Role, Trusts};
use crate::ssh_public_key::{SshKeyOwner, SshPublicKey};
use crate::tables::{ACTIVE, HolderKind};

/// Reads rows. Equal documents are parsed once.
pub(super) struct Reader<'r> {
    transaction: &'r Transaction,
    /// The number of the only user, group or role.
    only: Option<i64>,
    documents: HashMap<String, Arc<Document>>,
    trust_policies: HashMap<String, Arc<TrustPolicy>>,
}

/// A user, group or role while its rows are collected.
struct Collected {
    issued: IssuedPrincipal,
    id: String,
    held: HeldPolicies,
    groups: Vec<String>,
    boundary: Option<String>,
    tags: BTreeMap<String, String>,
}

type AllCollected = BTreeMap<i64, Collected>;

impl<'r> Reader<'r> {
    pub(super) fn new(transaction: &'r Transaction, only: Option<i64>) -> Self {
        Self { transaction, only, documents: HashMap::new(), trust_policies: HashMap::new() }
    }

    /// Reads users, groups and roles with their belongings. Declared ones without issued belongings are left out.
    pub(super) fn principals(&mut self) -> Result<BTreeMap<i64, IssuedPrincipal>, Error> {
        let mut all = self.collect()?;
        if !all.is_empty() {
            self.add_attachments(&mut all)?;
            self.add_inline_policies(&mut all)?;
            self.add_memberships(&mut all)?;
            self.add_access_keys(&mut all)?;
            self.add_service_credentials(&mut all)?;
            self.add_ssh_public_keys(&mut all)?;
        }
        let finished = all.into_iter().map(|(number, collected)| (number, collected.finish()));
        Ok(finished.filter(|(_, issued)| !issued.is_declared || issued.has_belongings()).collect())
    }

    /// Reads the default versions of managed policies: of all, or of one.
    pub(super) fn policies(&mut self, arn: Option<&str>) -> Result<BTreeMap<Arc<str>, Arc<Document>>, Error> {
        let sql = "SELECT policies.arn, document FROM managed_policies AS policies JOIN policy_versions AS versions
                   ON versions.arn = policies.arn AND version = default_version WHERE declared = 0";
        let filter = if arn.is_some() { "AND policies.arn = ?1" } else { "" };
        let only = arn.map(store::Value::from);
        let read = |row: &Row<'_>| Ok((row.text(0)?, row.text(1)?));
        let rows = self.transaction.query(&format!("{sql} {filter}"), only.as_slice(), read)?;
        let parsed = rows.into_iter().filter_map(|(arn, text)| Some((arn.into(), self.document(&text)?)));
        Ok(parsed.collect())
    }

    fn collect(&mut self) -> Result<AllCollected, Error> {
        let columns = "number, account, kind, name, path, id, boundary, tags, trust, max_seconds, declared";
        let rows = self.query(&format!("SELECT {columns} FROM principals"), "WHERE number = ?1", read_principal)?;
        let mut all = AllCollected::new();
        for (number, (mut collected, trust)) in rows {
            if let Some(role) = &mut collected.issued.role
                && let Some(policy) = trust.and_then(|trust| self.trust_policy(&trust))
            {
                *role = Arc::new(Role { trusts: Trusts::Policy(policy), ..Role::clone(role) });
            }
            all.insert(number, collected);
        }
        Ok(all)
    }

    fn add_attachments(&self, all: &mut AllCollected) -> Result<(), Error> {
        for (number, arn) in self.rows("attachments", "policy_arn", |row| row.text(1))? {
            if let Some(owner) = all.get_mut(&number) {
                owner.held.attached.push(arn);
            }
        }
        Ok(())
    }

    fn add_inline_policies(&mut self, all: &mut AllCollected) -> Result<(), Error> {
        let read = |row: &Row<'_>| Ok((row.text(1)?, row.text(2)?));
        for (number, (name, text)) in self.rows("inline_policies", "name, document", read)? {
            let document = self.document(&text);
            if let (Some(owner), Some(document)) = (all.get_mut(&number), document) {
                owner.held.inline.push(InlinePolicy { name, document, text });
            }
        }
        Ok(())
    }

    fn add_memberships(&self, all: &mut AllCollected) -> Result<(), Error> {
        let sql =
            "SELECT member, name FROM memberships JOIN principals ON number = member_of WHERE memberships.declared = 0";
        for (number, group) in self.query(sql, "AND member = ?1", |row| row.text(1))? {
            if let Some(owner) = all.get_mut(&number) {
                owner.groups.push(group);
            }
        }
        Ok(())
    }

    fn add_access_keys(&self, all: &mut AllCollected) -> Result<(), Error> {
        let read = |row: &Row<'_>| Ok((row.text(1)?, row.text(2)? == ACTIVE));
        for (number, (id, is_active)) in self.rows("access_keys", "id, status", read)? {
            if let Some((issued, caller)) = user(all, number) {
                let caller = Caller { access_key_id: Some(id.clone()), ..Caller::clone(&caller) };
                issued.keys.push((id.into(), Arc::new(caller), is_active));
            }
        }
        Ok(())
    }

    fn add_service_credentials(&self, all: &mut AllCollected) -> Result<(), Error> {
        let read = |row: &Row<'_>| Ok((row.text(1)?, row.blob(2)?, row.text(3)? == ACTIVE));
        let columns = "user_name, password_hash, status";
        for (number, (name, hash, is_active)) in self.rows("service_credentials", columns, read)? {
            let hash = PasswordHash::from_bytes(&hash).ok_or(Error::Damaged("the hash of a password"))?;
            if let Some((issued, _)) = user(all, number) {
                issued.credentials.push((name.into(), hash, is_active));
            }
        }
        Ok(())
    }

    fn add_ssh_public_keys(&self, all: &mut AllCollected) -> Result<(), Error> {
        let read = |row: &Row<'_>| Ok((row.text(1)?, row.text(2)?, row.text(3)? == ACTIVE));
        for (number, (id, body, is_active)) in self.rows("ssh_public_keys", "id, body, status", read)? {
            let key = SshPublicKey::parse(&body).map_err(|_| Error::Damaged("an SSH public key"))?;
            if let Some((issued, caller)) = user(all, number).filter(|_| is_active) {
                let owner = SshKeyOwner { caller: Caller::clone(&caller), key };
                issued.ssh_public_keys.push((id.into(), Arc::new(owner)));
            }
        }
        Ok(())
    }

    /// Reads issued rows of a table, each with the number of its owner.
    fn rows<T>(
        &self,
        table: &str,
        columns: &str,
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<(i64, T)>, Error> {
        let sql = format!("SELECT principal, {columns} FROM {table} WHERE declared = 0");
        self.query(&sql, "AND principal = ?1", read)
    }

    /// Runs a query with the number of the owner in its first column; `filter` selects the rows of the only one.
    fn query<T>(
        &self,
        sql: &str,
        filter: &str,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<(i64, T)>, Error> {
        let filter = if self.only.is_some() { filter } else { "" };
        let only = self.only.map(store::Value::from);
        self.transaction.query(&format!("{sql} {filter}"), only.as_slice(), |row| Ok((row.integer(0)?, read(row)?)))
    }

    fn document(&mut self, text: &str) -> Option<Arc<Document>> {
        parse_once(text, &mut self.documents, Document::parse)
    }

    fn trust_policy(&mut self, text: &str) -> Option<Arc<TrustPolicy>> {
        parse_once(text, &mut self.trust_policies, TrustPolicy::parse)
    }
}

/// Reads a row of `principals`; returns the trust policy of a role, too.
fn read_principal(row: &Row<'_>) -> Result<(Collected, Option<String>), Error> {
    let account: AccountId = row.text(1)?.parse().map_err(|_| Error::Damaged("an account of IAM"))?;
    let (kind, name, path, id) = (HolderKind::parse(&row.text(2)?)?, row.text(3)?, row.text(4)?, row.text(5)?);
    let is_declared = row.integer(10)? != 0;
    let arn = GlobalArn::iam(Partition::Aws, &account, format!("{}{path}{name}", kind.as_str())).to_string();
    let (mut caller, mut role) = (None, None);
    match kind {
        HolderKind::User => {
            let user = Caller { arn, ..Caller::iam_user(account.clone(), &name, id, None) };
            caller = Some((Arc::new(user), format!("{name}-at-{account}").into()));
        }
        HolderKind::Role if !is_declared => {
            role = Some(Arc::new(Role {
                account: account.clone(),
                name: name.clone(),
                partition: Partition::Aws,
                arn,
                principal_id: id,
                duration_seconds_max: row.optional_integer(9)?.unwrap_or(DURATION_SECONDS),
                // A trust policy that cannot be read trusts nobody.
                trusts: Trusts::Names(Vec::new()),
            }));
        }
        HolderKind::Role | HolderKind::Group => {}
    }
    let issued = IssuedPrincipal {
        kind,
        key: key(&account, &name),
        is_declared,
        principal: Arc::default(),
        caller,
        role,
        keys: Vec::new(),
        credentials: Vec::new(),
        ssh_public_keys: Vec::new(),
    };
    let collected = Collected {
        issued,
        id: row.text(5)?,
        held: HeldPolicies::default(),
        groups: Vec::new(),
        boundary: row.optional_text(6)?,
        tags: read_tags(&row.text(7)?)?.into_iter().collect(),
    };
    Ok((collected, row.optional_text(8)?))
}

impl Collected {
    fn finish(self) -> IssuedPrincipal {
        let Self { issued, id, held, groups, boundary, tags } = self;
        let principal = Principal { id, policies: held, groups, boundary, tags };
        IssuedPrincipal { principal: Arc::new(principal), ..issued }
    }
}

impl IssuedPrincipal {
    fn has_belongings(&self) -> bool {
        let Principal { policies, groups, .. } = &*self.principal;
        !(policies.attached.is_empty()
            && policies.inline.is_empty()
            && groups.is_empty()
            && self.keys.is_empty()
            && self.credentials.is_empty()
            && self.ssh_public_keys.is_empty())
    }
}

/// Returns the user with a number, and the caller that it is.
fn user(all: &mut AllCollected, number: i64) -> Option<(&mut IssuedPrincipal, Arc<Caller>)> {
    let issued = &mut all.get_mut(&number)?.issued;
    let caller = Arc::clone(&issued.caller.as_ref()?.0);
    Some((issued, caller))
}

/// Parses a document, unless this was done before; a malformed one allows and trusts nothing.
fn parse_once<D>(
    text: &str,
    parsed: &mut HashMap<String, Arc<D>>,
    parse: fn(&str) -> Result<D, Malformed>,
) -> Option<Arc<D>> {
    if let Some(document) = parsed.get(text) {
        return Some(Arc::clone(document));
    }
    let document = parse(text).inspect_err(|error| {
        tracing::error!(%error, "a stored policy is malformed and allows nothing");
    });
    let document = Arc::new(document.ok()?);
    parsed.insert(text.to_owned(), Arc::clone(&document));
    Some(document)
}

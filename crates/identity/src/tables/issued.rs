//! Reads the rows that the IAM API issued, and adds them to the identities of the file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws::{AccountId, Caller, GlobalArn, Partition};
use policy::{Document, Malformed, TrustPolicy};
use store::{Error, Row as SqlRow, Transaction};

use super::{ACTIVE, HolderKind};
use crate::principal::{HeldPolicies, InlinePolicy, Principal, PrincipalKind};
use crate::role::{DURATION_SECONDS, Role, Trusts};
use crate::ssh_public_key::{SshKeyOwner, SshPublicKey};
use crate::{Identities, PasswordHash};

/// The documents that were parsed already, by their texts.
#[derive(Debug, Default)]
pub(crate) struct ParsedDocuments {
    policies: HashMap<String, Arc<Document>>,
    trust_policies: HashMap<String, Arc<TrustPolicy>>,
}

/// Adds the issued rows to the identities of the file; `parsed` has the documents of the last time, and gets those of this one.
///
/// The file comes first: its keys, user names and SSH keys keep their owners.
pub(crate) fn add_to(
    file: &Identities,
    transaction: &Transaction,
    parsed: &mut ParsedDocuments,
) -> Result<Identities, Error> {
    let mut reader = Reader {
        transaction,
        identities: file.without_permissions(),
        owners: HashMap::new(),
        former: std::mem::take(parsed),
        parsed: ParsedDocuments::default(),
    };
    reader.add_principals()?;
    if !reader.owners.is_empty() {
        reader.add_managed_policies()?;
        reader.add_attachments()?;
        reader.add_inline_policies()?;
        reader.add_memberships()?;
        reader.add_access_keys()?;
        reader.add_service_credentials()?;
        reader.add_ssh_public_keys()?;
    }
    *parsed = reader.parsed;
    Ok(reader.identities)
}

/// The owner of rows.
struct Owner {
    kind: HolderKind,
    account: AccountId,
    name: String,
    /// The caller that a user is, without an access key.
    caller: Option<Caller>,
}

struct Reader<'r> {
    transaction: &'r Transaction,
    identities: Identities,
    owners: HashMap<i64, Owner>,
    former: ParsedDocuments,
    parsed: ParsedDocuments,
}

impl Reader<'_> {
    /// Adds users, groups and roles. Declared ones are owners, too: they can have issued belongings.
    fn add_principals(&mut self) -> Result<(), Error> {
        let rows = self.transaction.query(
            "SELECT number, account, kind, name, path, id, boundary, tags, trust, max_seconds, declared FROM principals",
            &[],
            |row| {
                let account: AccountId = row.text(1)?.parse().map_err(|_| Error::Damaged("an account of IAM"))?;
                let principal = PrincipalRow {
                    kind: HolderKind::parse(&row.text(2)?)?,
                    name: row.text(3)?,
                    path: row.text(4)?,
                    id: row.text(5)?,
                    boundary: row.optional_text(6)?,
                    tags: read_tags(&row.text(7)?)?.into_iter().collect(),
                    trust: row.optional_text(8)?,
                    max_seconds: row.optional_integer(9)?,
                    is_declared: row.integer(10)? != 0,
                };
                Ok((row.integer(0)?, account, principal))
            },
        )?;
        for (number, account, principal) in rows {
            let PrincipalRow { kind, name, .. } = &principal;
            let owner = Owner { kind: *kind, name: name.clone(), caller: principal.caller(&account), account };
            if !principal.is_declared {
                self.add_principal(&owner, principal);
            }
            self.owners.insert(number, owner);
        }
        Ok(())
    }

    fn add_principal(&mut self, owner: &Owner, row: PrincipalRow) {
        let Owner { kind, account, name, caller } = owner;
        let identities = &mut self.identities;
        if let Some(caller) = caller {
            let default = &mut identities.default;
            if default.account_id == *account && default.user_name.as_deref() == Some(name) {
                *default = Caller { access_key_id: default.access_key_id.take(), ..caller.clone() };
            }
            let git_user_name = format!("{name}-at-{account}");
            identities.by_git_user_name.entry(git_user_name).or_insert_with(|| caller.clone());
        }
        let principal =
            Principal { policies: HeldPolicies::default(), groups: Vec::new(), boundary: row.boundary, tags: row.tags };
        match kind {
            HolderKind::User => drop(identities.principals.add(PrincipalKind::User, account, name, principal)),
            HolderKind::Group => drop(identities.principals.add_group(account, name, principal.policies)),
            HolderKind::Role => {
                identities.principals.add(PrincipalKind::Role, account, name, principal);
                let trust = row.trust.unwrap_or_default();
                // A trust policy that cannot be read trusts nobody.
                let trusts = self.trust_policy(&trust).map_or_else(|| Trusts::Names(Vec::new()), Trusts::Policy);
                let role = Role {
                    account: account.clone(),
                    name: name.clone(),
                    partition: Partition::Aws,
                    arn: GlobalArn::iam(Partition::Aws, account, format!("role{}{name}", row.path)).to_string(),
                    principal_id: row.id,
                    duration_seconds_max: row.max_seconds.unwrap_or(DURATION_SECONDS),
                    trusts,
                };
                self.identities.roles.entry(account.clone()).or_default().push(role);
            }
        }
    }

    fn add_managed_policies(&mut self) -> Result<(), Error> {
        let rows = self.transaction.query(
            "SELECT policies.arn, document FROM managed_policies AS policies JOIN policy_versions AS versions
             ON versions.arn = policies.arn AND version = default_version WHERE declared = 0",
            &[],
            |row| Ok((row.text(0)?, row.text(1)?)),
        )?;
        for (arn, text) in rows {
            if let Some(document) = self.document(&text) {
                self.identities.principals.add_policy(arn, document);
            }
        }
        Ok(())
    }

    fn add_attachments(&mut self) -> Result<(), Error> {
        let rows =
            self.issued("SELECT principal, policy_arn FROM attachments WHERE declared = 0", |row| row.text(1))?;
        for (number, arn) in rows {
            if let Some(held) = held(&mut self.identities, self.owners.get(&number)) {
                held.attached.push(arn);
            }
        }
        Ok(())
    }

    fn add_inline_policies(&mut self) -> Result<(), Error> {
        let rows = self.issued("SELECT principal, name, document FROM inline_policies WHERE declared = 0", |row| {
            Ok((row.text(1)?, row.text(2)?))
        })?;
        for (number, (name, text)) in rows {
            let Some(document) = self.document(&text) else { continue };
            if let Some(held) = held(&mut self.identities, self.owners.get(&number)) {
                held.inline.push(InlinePolicy { name, document, text });
            }
        }
        Ok(())
    }

    fn add_memberships(&mut self) -> Result<(), Error> {
        let rows = self.issued("SELECT member, member_of FROM memberships WHERE declared = 0", |row| row.integer(1))?;
        for (member, group) in rows {
            let (Some(user), Some(group)) = (self.owners.get(&member), self.owners.get(&group)) else { continue };
            let principals = &mut self.identities.principals;
            if let Some(principal) = principals.holder_mut(PrincipalKind::User, &user.account, &user.name) {
                principal.groups.push(group.name.clone());
            }
        }
        Ok(())
    }

    fn add_access_keys(&mut self) -> Result<(), Error> {
        let rows = self.issued("SELECT principal, id, status FROM access_keys WHERE declared = 0", |row| {
            Ok((row.text(1)?, row.text(2)? == ACTIVE))
        })?;
        for (number, (id, is_active)) in rows {
            let caller = self.owners.get(&number).and_then(|owner| owner.caller.clone());
            let Some(caller) = caller.filter(|_| !self.identities.by_access_key.contains_key(&id)) else { continue };
            let caller = Caller { access_key_id: Some(id.clone()), ..caller };
            self.identities.by_access_key.insert(id.clone(), caller);
            self.identities.issued_keys.insert(id, is_active);
        }
        Ok(())
    }

    fn add_service_credentials(&mut self) -> Result<(), Error> {
        let rows = self.issued(
            "SELECT principal, user_name, password_hash, status FROM service_credentials WHERE declared = 0",
            |row| Ok((row.text(1)?, row.blob(2)?, row.text(3)? == ACTIVE)),
        )?;
        for (number, (user_name, hash, is_active)) in rows {
            let hash = PasswordHash::from_bytes(&hash).ok_or(Error::Damaged("the hash of a password"))?;
            let Some(caller) = self.owners.get(&number).and_then(|owner| owner.caller.clone()) else { continue };
            let identities = &mut self.identities;
            let owner = identities.by_git_user_name.entry(user_name.clone()).or_insert_with(|| caller.clone());
            if is_active && *owner == caller {
                identities.git_passwords.entry(user_name).or_insert(hash);
            }
        }
        Ok(())
    }

    fn add_ssh_public_keys(&mut self) -> Result<(), Error> {
        let rows = self.issued(
            "SELECT principal, id, body FROM ssh_public_keys WHERE declared = 0 AND status = 'Active'",
            |row| Ok((row.text(1)?, row.text(2)?)),
        )?;
        for (number, (id, body)) in rows {
            let Some(caller) = self.owners.get(&number).and_then(|owner| owner.caller.clone()) else { continue };
            let key = SshPublicKey::parse(&body).map_err(|_| Error::Damaged("an SSH public key"))?;
            self.identities.by_ssh_key_id.entry(id).or_insert(SshKeyOwner { caller, key });
        }
        Ok(())
    }

    /// Reads rows with the number of their owner in the first column.
    fn issued<T>(
        &self,
        sql: &str,
        mut read: impl FnMut(&SqlRow<'_>) -> Result<T, Error>,
    ) -> Result<Vec<(i64, T)>, Error> {
        self.transaction.query(sql, &[], |row| Ok((row.integer(0)?, read(row)?)))
    }

    fn document(&mut self, text: &str) -> Option<Arc<Document>> {
        let (former, parsed) = (&self.former.policies, &mut self.parsed.policies);
        parse_once(text, former, parsed, Document::parse)
    }

    fn trust_policy(&mut self, text: &str) -> Option<Arc<TrustPolicy>> {
        let (former, parsed) = (&self.former.trust_policies, &mut self.parsed.trust_policies);
        parse_once(text, former, parsed, TrustPolicy::parse)
    }
}

/// A row of `principals`.
struct PrincipalRow {
    kind: HolderKind,
    name: String,
    path: String,
    id: String,
    boundary: Option<String>,
    tags: BTreeMap<String, String>,
    trust: Option<String>,
    max_seconds: Option<i64>,
    is_declared: bool,
}

impl PrincipalRow {
    /// Returns the caller that a user is.
    fn caller(&self, account: &AccountId) -> Option<Caller> {
        let Self { kind: HolderKind::User, name, path, id, .. } = self else { return None };
        let arn = GlobalArn::iam(Partition::Aws, account, format!("user{path}{name}")).to_string();
        Some(Caller { arn, ..Caller::iam_user(account.clone(), name, id.clone(), None) })
    }
}

/// Returns the policies of an owner.
fn held<'i>(identities: &'i mut Identities, owner: Option<&Owner>) -> Option<&'i mut HeldPolicies> {
    let Owner { kind, account, name, .. } = owner?;
    let principals = &mut identities.principals;
    let kind = match kind {
        HolderKind::Group => return principals.group_mut(account, name),
        HolderKind::User => PrincipalKind::User,
        HolderKind::Role => PrincipalKind::Role,
    };
    principals.holder_mut(kind, account, name).map(|principal| &mut principal.policies)
}

/// Parses a document, unless this was done before; a malformed one allows and trusts nothing.
fn parse_once<D>(
    text: &str,
    former: &HashMap<String, Arc<D>>,
    parsed: &mut HashMap<String, Arc<D>>,
    parse: fn(&str) -> Result<D, Malformed>,
) -> Option<Arc<D>> {
    if let Some(document) = parsed.get(text) {
        return Some(Arc::clone(document));
    }
    let document = match former.get(text) {
        Some(document) => Arc::clone(document),
        None => match parse(text) {
            Ok(document) => Arc::new(document),
            Err(error) => {
                tracing::error!(%error, "a stored policy is malformed and allows nothing");
                return None;
            }
        },
    };
    parsed.insert(text.to_owned(), Arc::clone(&document));
    Some(document)
}

/// Reads the column `tags`.
pub(crate) fn read_tags(text: &str) -> Result<Vec<(String, String)>, Error> {
    serde_json::from_str(text).map_err(|_| Error::Damaged("the tags of a principal"))
}

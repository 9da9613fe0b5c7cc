//! The rows of the users, groups and roles of an identities file, for the lists of the IAM API.

use aws::{AccountId, Caller};
use serde_json::{Map, Value, json};

use super::declarations::User;
use crate::principal::{HeldPolicies, Principal, PrincipalKind, Principals};
use crate::role::Role;
use crate::tables::HolderKind;
use crate::tables::declared::DeclaredPrincipal;
use crate::{Identities, PasswordHash};

/// Adds the row of a group.
pub(super) fn add_group(account: &AccountId, name: &str, identities: &mut Identities) {
    let id = crate::principal_id("AGPA", account, name);
    let mut row = DeclaredPrincipal::new(HolderKind::Group, account.as_str(), name, "/", id);
    if let Some(held) = identities.principals.group(account, name) {
        hold(&mut row, held);
    }
    identities.declared_rows.principals.push(row);
}

/// Adds the row of a user with its keys and credentials.
pub(super) fn add_user(account: &AccountId, user: &User, caller: &Caller, identities: &mut Identities) {
    let name = user.name.get_ref();
    let path = user.path.as_ref().map_or("/", |path| path.get_ref().as_str());
    let mut row = DeclaredPrincipal::new(HolderKind::User, account.as_str(), name, path, caller.principal_id.clone());
    hold_as(&mut row, PrincipalKind::User, account, &identities.principals);
    row.access_keys = user.access_keys.iter().map(|key| key.get_ref().id().to_owned()).collect();
    for credential in &user.git_credentials {
        let own_name = || format!("{name}-at-{account}");
        let user_name = credential.user_name.as_ref().map_or_else(own_name, |name| name.get_ref().clone());
        row.add_git_credential(&user_name, PasswordHash::of(credential.password.get_ref()));
    }
    row.ssh_public_keys =
        user.ssh_public_keys.iter().map(|key| (key.id.get_ref().clone(), key.key.get_ref().clone())).collect();
    identities.declared_rows.principals.push(row);
}

/// Adds the row of a role with its trust policy.
pub(super) fn add_role(role: &Role, path: &str, trust: String, identities: &mut Identities) {
    let (account, id) = (&role.account, role.principal_id.clone());
    let mut row = DeclaredPrincipal::new(HolderKind::Role, account.as_str(), &role.name, path, id);
    hold_as(&mut row, PrincipalKind::Role, account, &identities.principals);
    row.trust = Some(trust);
    row.max_seconds = Some(role.duration_seconds_max);
    identities.declared_rows.principals.push(row);
}

fn hold_as(row: &mut DeclaredPrincipal, kind: PrincipalKind, account: &AccountId, principals: &Principals) {
    if let Some(Principal { policies, groups, boundary, tags, .. }) = principals.holder(kind, account, &row.name) {
        hold(row, policies);
        row.groups.clone_from(groups);
        row.boundary.clone_from(boundary);
        row.tags.clone_from(tags);
    }
}

fn hold(row: &mut DeclaredPrincipal, held: &HeldPolicies) {
    row.attached.clone_from(&held.attached);
    row.inline = held.inline.iter().map(|inline| (inline.name.clone(), inline.text.clone())).collect();
}

/// Writes the names that a role trusts as a trust policy; `None` stands for everyone.
pub(super) fn trust_document(names: Option<&[String]>) -> String {
    let everyone = ["*".to_owned()];
    let (mut services, mut providers, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for name in names.unwrap_or(&everyone) {
        let kind = if name.ends_with(".amazonaws.com") && !name.starts_with("cognito-identity.") {
            &mut services
        } else if name.contains("-provider/") || (name.contains('.') && !name.contains(':')) {
            &mut providers
        } else {
            &mut others
        };
        kind.push(name.as_str());
    }
    let kinds = [("Service", services), ("Federated", providers), ("AWS", others)];
    let kinds = kinds.into_iter().filter(|(_, names)| !names.is_empty());
    let principal: Map<String, Value> = kinds.map(|(kind, names)| (kind.to_owned(), json!(names))).collect();
    let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

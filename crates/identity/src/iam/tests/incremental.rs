//! The identities after each of many changes are those that a restart gives.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use aws::SystemClock;
use proptest::prelude::*;
use store::Store;

use super::{ACCOUNT, ALLOW_ALL, Account, FILE, TRUST_ALL};
use crate::permissions::tests::world::identities;
use crate::principal::PrincipalKind;
use crate::{Identities, Sts};

/// Operations on a few names; each may fail.
const OPERATIONS: [&str; 22] = [
    "CreateUser",
    "DeleteUser",
    "UpdateUser",
    "TagUser",
    "CreateGroup",
    "DeleteGroup",
    "UpdateGroup",
    "AddUserToGroup",
    "RemoveUserFromGroup",
    "CreateRole",
    "DeleteRole",
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeletePolicy",
    "AttachUserPolicy",
    "DetachUserPolicy",
    "AttachRolePolicy",
    "PutGroupPolicy",
    "PutUserPolicy",
    "DeleteUserPolicy",
    "CreateAccessKey",
    "CreateServiceSpecificCredential",
];

/// The names of users and groups; the second user is declared.
const NAMES: [(&str, &str); 3] = [("Ana", "First"), ("Mateo", "Developers"), ("Eva", "Second")];

/// Writes identities so that equal ones have equal texts.
fn described(identities: &Identities) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut add = |key: String, value: &dyn Debug| drop(all.insert(key, format!("{value:?}")));
    let account = ACCOUNT.parse().expect("an account id has twelve digits");
    add("default".to_owned(), &identities.default);
    for (id, caller) in &identities.by_access_key {
        add(format!("key {id}"), &(caller, identities.issued_keys.get(id)));
    }
    for (name, caller) in &identities.by_git_user_name {
        add(format!("git {name}"), &(caller, identities.git_passwords.contains_key(name)));
    }
    add("roles".to_owned(), &identities.roles.get(&account));
    for (user, group) in NAMES {
        add(format!("user {user}"), &identities.principals.holder(PrincipalKind::User, &account, user));
        add(format!("group {group}"), &identities.principals.group(&account, group));
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{user}");
        add(format!("policy {user}"), &identities.principals.managed(&arn));
    }
    add("role".to_owned(), &identities.principals.holder(PrincipalKind::Role, &account, "Deploy"));
    all
}

/// Returns the identities that a server has that starts now.
fn restarted(store: &Arc<Store>) -> BTreeMap<String, String> {
    let sts = Sts::open(Arc::clone(store), identities(FILE), Arc::new(SystemClock));
    described(&sts.expect("the store can be read").identities())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn changes_are_read_as_a_restart_reads_everything(
        steps in prop::collection::vec((0..OPERATIONS.len(), 0..3_usize, 0..3_usize), 1..60)
    ) {
        let account = Account::new();
        for (operation, first, second) in steps {
            let ((user, group), (new_user, new_group)) = (NAMES[first], NAMES[second]);
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{new_user}");
            let value = second.to_string();
            let form = [
                ("UserName", user),
                ("GroupName", if OPERATIONS[operation].contains("User") { new_group } else { group }),
                ("RoleName", "Deploy"),
                ("NewUserName", new_user),
                ("NewGroupName", new_group),
                ("PolicyName", if OPERATIONS[operation] == "CreatePolicy" { new_user } else { "P" }),
                ("PolicyArn", &arn),
                ("PolicyDocument", ALLOW_ALL),
                ("AssumeRolePolicyDocument", TRUST_ALL),
                ("SetAsDefault", "true"),
                ("ServiceName", "codecommit.amazonaws.com"),
                ("Tags.member.1.Key", "Number"),
                ("Tags.member.1.Value", &value),
            ];
            let succeeded = account.reply(OPERATIONS[operation], &form).is_ok();
            let current = described(&account.world.sts().identities());
            prop_assert_eq!(current, restarted(account.world.store()), "{} {}", OPERATIONS[operation], succeeded);
        }
    }
}

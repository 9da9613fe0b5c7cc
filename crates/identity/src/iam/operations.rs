//! The table of the operations of IAM.

use std::sync::{Arc, LazyLock};

use aws::operation::Change;
use aws::{Access, Call, Failure, Operation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::Transaction;

use super::call::IamCall;
use super::{
    Iam, IamError, NAMESPACE, access_keys, attachments, authorization_details, boundaries, groups, inline_policies,
    output, policies, policy_tags, policy_versions, roles, service_credentials, simulate, ssh_public_keys, tags, users,
};
use crate::Exception;
use crate::iam::simulate::context_keys;
use crate::tables::HolderKind::{self, Group, Role, User};

type Row = Operation<Iam, Transaction>;

/// A handler of an operation that is the same for users, groups and roles.
type OfHolder<I> = fn(&IamCall<'_>, HolderKind, &I) -> Result<Value, Exception>;

static OPERATIONS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    vec![
        write("AddUserToGroup", groups::add_user),
        write_of(Group, "AttachGroupPolicy", attachments::attach),
        write_of(Role, "AttachRolePolicy", attachments::attach),
        write_of(User, "AttachUserPolicy", attachments::attach),
        write("CreateAccessKey", access_keys::create),
        write("CreateGroup", groups::create),
        write("CreatePolicy", policies::create),
        write("CreatePolicyVersion", policy_versions::create),
        write("CreateRole", roles::create),
        write("CreateServiceSpecificCredential", service_credentials::create),
        write("CreateUser", users::create),
        write("DeleteAccessKey", access_keys::delete),
        write("DeleteGroup", groups::delete),
        write_of(Group, "DeleteGroupPolicy", inline_policies::delete),
        write("DeletePolicy", policies::delete),
        write("DeletePolicyVersion", policy_versions::delete),
        write("DeleteRole", roles::delete),
        write_of(Role, "DeleteRolePermissionsBoundary", boundaries::delete),
        write_of(Role, "DeleteRolePolicy", inline_policies::delete),
        write("DeleteSSHPublicKey", ssh_public_keys::delete),
        write("DeleteServiceSpecificCredential", service_credentials::delete),
        write("DeleteUser", users::delete),
        write_of(User, "DeleteUserPermissionsBoundary", boundaries::delete),
        write_of(User, "DeleteUserPolicy", inline_policies::delete),
        write_of(Group, "DetachGroupPolicy", attachments::detach),
        write_of(Role, "DetachRolePolicy", attachments::detach),
        write_of(User, "DetachUserPolicy", attachments::detach),
        read("GetAccessKeyLastUsed", access_keys::get_last_used),
        read("GetAccountAuthorizationDetails", authorization_details::get),
        read("GetContextKeysForCustomPolicy", context_keys::of_custom),
        read("GetContextKeysForPrincipalPolicy", context_keys::of_principal),
        read("GetGroup", groups::get),
        read_of(Group, "GetGroupPolicy", inline_policies::get),
        read("GetPolicy", policies::get),
        read("GetPolicyVersion", policy_versions::get),
        read("GetRole", roles::get),
        read_of(Role, "GetRolePolicy", inline_policies::get),
        read("GetSSHPublicKey", ssh_public_keys::get),
        read("GetUser", users::get),
        read_of(User, "GetUserPolicy", inline_policies::get),
        read("ListAccessKeys", access_keys::list),
        read_of(Group, "ListAttachedGroupPolicies", attachments::list),
        read_of(Role, "ListAttachedRolePolicies", attachments::list),
        read_of(User, "ListAttachedUserPolicies", attachments::list),
        read("ListEntitiesForPolicy", policies::list_entities),
        read_of(Group, "ListGroupPolicies", inline_policies::list),
        read_of(Group, "ListGroups", users::list),
        read("ListGroupsForUser", groups::list_of_user),
        read("ListInstanceProfilesForRole", roles::list_instance_profiles),
        read("ListPolicies", policies::list),
        read("ListPolicyTags", policy_tags::list),
        read("ListPolicyVersions", policy_versions::list),
        read_of(Role, "ListRolePolicies", inline_policies::list),
        read_of(Role, "ListRoleTags", tags::list),
        read_of(Role, "ListRoles", users::list),
        read("ListSSHPublicKeys", ssh_public_keys::list),
        read("ListServiceSpecificCredentials", service_credentials::list),
        read_of(User, "ListUserPolicies", inline_policies::list),
        read_of(User, "ListUserTags", tags::list),
        read_of(User, "ListUsers", users::list),
        write_of(Group, "PutGroupPolicy", inline_policies::put),
        write_of(Role, "PutRolePermissionsBoundary", boundaries::put),
        write_of(Role, "PutRolePolicy", inline_policies::put),
        write_of(User, "PutUserPermissionsBoundary", boundaries::put),
        write_of(User, "PutUserPolicy", inline_policies::put),
        write("RemoveUserFromGroup", groups::remove_user),
        write("ResetServiceSpecificCredential", service_credentials::reset),
        write("SetDefaultPolicyVersion", policy_versions::set_default),
        read("SimulateCustomPolicy", simulate::simulate_custom),
        read("SimulatePrincipalPolicy", simulate::simulate_principal),
        write("TagPolicy", policy_tags::tag),
        write_of(Role, "TagRole", tags::tag),
        write_of(User, "TagUser", tags::tag),
        write("UntagPolicy", policy_tags::untag),
        write_of(Role, "UntagRole", tags::untag),
        write_of(User, "UntagUser", tags::untag),
        write("UpdateAccessKey", access_keys::update),
        write("UpdateAssumeRolePolicy", roles::update_trust_policy),
        write("UpdateGroup", groups::update),
        write("UpdateRole", roles::update),
        write("UpdateRoleDescription", roles::update_description),
        write("UpdateSSHPublicKey", ssh_public_keys::update),
        write("UpdateServiceSpecificCredential", service_credentials::update),
        write("UpdateUser", users::update),
        write("UploadSSHPublicKey", ssh_public_keys::upload),
    ]
});

/// Lists the operations.
pub(super) fn all() -> &'static [Row] {
    &OPERATIONS
}

/// Finds an operation by name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

fn read<I>(name: &'static str, run: fn(&IamCall<'_>, &I) -> Result<Value, Exception>) -> Row
where
    I: DeserializeOwned + Serialize + Send + 'static,
{
    row(Access::Read, name, run)
}

fn write<I>(name: &'static str, run: fn(&IamCall<'_>, &I) -> Result<Value, Exception>) -> Row
where
    I: DeserializeOwned + Serialize + Send + 'static,
{
    row(Access::Write, name, run)
}

fn read_of<I>(kind: HolderKind, name: &'static str, run: OfHolder<I>) -> Row
where
    I: DeserializeOwned + Serialize + Send + 'static,
{
    row(Access::Read, name, move |iam: &IamCall<'_>, input: &I| run(iam, kind, input))
}

fn write_of<I>(kind: HolderKind, name: &'static str, run: OfHolder<I>) -> Row
where
    I: DeserializeOwned + Serialize + Send + 'static,
{
    row(Access::Write, name, move |iam: &IamCall<'_>, input: &I| run(iam, kind, input))
}

/// Creates the row of an operation. One that reads runs before the transaction of its call, so that others need not wait for it; one that
/// writes runs in the transaction, and after the commit the identities are combined anew.
fn row<I>(
    access: Access,
    name: &'static str,
    run: impl Fn(&IamCall<'_>, &I) -> Result<Value, Exception> + Copy + Send + Sync + 'static,
) -> Row
where
    I: DeserializeOwned + Serialize + Send + 'static,
{
    let begin = move |iam: &Iam, call: &Arc<Call>, input: I| {
        if access == Access::Read {
            let read = |transaction: &Transaction| run(&IamCall::new(iam, call, transaction), &input);
            let output = iam.live.store().read(read).map_err(IamError::failure)?;
            let change: Change<Transaction, Value, Failure> = Box::new(move |_transaction| Ok(output));
            return Ok(change);
        }
        let (iam, call) = (iam.clone(), Arc::clone(call));
        let change: Change<Transaction, Value, Failure> = Box::new(move |transaction| {
            let iam_call = IamCall::new(&iam, &call, transaction);
            let output = run(&iam_call, &input).map_err(IamError::failure)?;
            iam.live.refresh_after(transaction, iam_call.changed.into_inner());
            Ok(output)
        });
        Ok(change)
    };
    let recorded = if access == Access::Write { output::recorded } else { |_| Value::Null };
    Row::query_of(access, name, NAMESPACE, begin, recorded)
}

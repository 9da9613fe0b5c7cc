//! Access control lists, which are kept and decide nothing: policies do.

#![expect(clippy::needless_pass_by_value, reason = "the table of operations gives each function its request")]

use s3s::dto::{
    AccessControlPolicy, BucketCannedACL, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput,
    Grant, Grantee, Permission, PutBucketAclInput, PutBucketAclOutput, Type,
};
use s3s::xml::{Deserialize, Deserializer};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::configuration::{ACL, is_owner_enforced, xml};
use super::endpoint::Endpoint;
use super::fault::{failed, fault, no_such_key};

/// Groups of S3.
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

pub(super) fn get(endpoint: &Endpoint, request: S3Request<GetBucketAclInput>) -> S3Result<GetBucketAclOutput> {
    let bucket = endpoint.bucket(&request.input.bucket)?;
    let kept = bucket.configuration().map_err(failed)?.remove(ACL).unwrap_or_default();
    // Either the name of a canned list, or XML.
    let policy = if kept.starts_with('<') {
        let policy = AccessControlPolicy::deserialize(&mut Deserializer::new(kept.as_bytes()));
        policy.map_err(S3Error::internal_error)?
    } else {
        endpoint.canned(&kept)
    };
    Ok(GetBucketAclOutput { grants: policy.grants, owner: Some(endpoint.owner()) })
}

pub(super) fn put(endpoint: &Endpoint, request: S3Request<PutBucketAclInput>) -> S3Result<PutBucketAclOutput> {
    let input = request.input;
    if is_owner_enforced(&endpoint.bucket(&input.bucket)?)? {
        return Err(fault(S3ErrorCode::AccessControlListNotSupported, "The bucket does not allow ACLs"));
    }
    let has_grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ]
    .iter()
    .any(|grant| grant.is_some());
    let text = match (&input.acl, &input.access_control_policy) {
        _ if has_grants => {
            let message = "Grants in headers are not implemented: send a canned ACL or an AccessControlPolicy.";
            return Err(fault(S3ErrorCode::NotImplemented, message));
        }
        (Some(canned), None) => canned.as_str().to_owned(),
        (None, Some(policy)) => xml(policy)?,
        _ => {
            let message = "Your request was missing a required header";
            return Err(fault(S3ErrorCode::MissingSecurityHeader, message));
        }
    };
    endpoint.set(&input.bucket, ACL, Some(text))?;
    Ok(PutBucketAclOutput::default())
}

/// Returns the ACL of an object: its owner may do everything.
pub(super) fn get_of_object(
    endpoint: &Endpoint,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<GetObjectAclOutput> {
    let bucket = endpoint.bucket(&request.input.bucket)?;
    bucket.open(&request.input.key).map_err(failed)?.ok_or_else(no_such_key)?;
    let grants = endpoint.canned(BucketCannedACL::PRIVATE).grants;
    Ok(GetObjectAclOutput { grants, owner: Some(endpoint.owner()), request_charged: None })
}

impl Endpoint {
    /// Returns the grants of a canned list; of an unknown one those of `private`.
    fn canned(&self, name: &str) -> AccessControlPolicy {
        let groups: &[(&str, &'static str)] = match name {
            BucketCannedACL::PUBLIC_READ => &[(ALL_USERS, Permission::READ)],
            BucketCannedACL::PUBLIC_READ_WRITE => &[(ALL_USERS, Permission::READ), (ALL_USERS, Permission::WRITE)],
            BucketCannedACL::AUTHENTICATED_READ => &[(AUTHENTICATED_USERS, Permission::READ)],
            "log-delivery-write" => &[(LOG_DELIVERY, Permission::WRITE), (LOG_DELIVERY, Permission::READ_ACP)],
            _ => &[],
        };
        let grantee = |kind: &'static str, id: Option<String>, uri: Option<String>| Grantee {
            type_: Type::from_static(kind),
            id,
            uri,
            display_name: None,
            email_address: None,
        };
        let grant = |grantee: Grantee, permission: &'static str| Grant {
            grantee: Some(grantee),
            permission: Some(Permission::from_static(permission)),
        };
        let owner = grantee(Type::CANONICAL_USER, self.owner().id, None);
        let mut grants = vec![grant(owner, Permission::FULL_CONTROL)];
        for (group, permission) in groups {
            grants.push(grant(grantee(Type::GROUP, None, Some((*group).to_owned())), permission));
        }
        AccessControlPolicy { grants: Some(grants), owner: Some(self.owner()) }
    }
}

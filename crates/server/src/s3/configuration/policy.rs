//! Policies of buckets.

use policy::ResourcePolicy;
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput, PutBucketPolicyOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::{POLICY, public_access_block};
use crate::s3::endpoint::{Endpoint, requester};
use crate::s3::fault::{failed, fault};

/// The largest policy: 20 KB.
const POLICY_BYTES_MAX: usize = 20 << 10;

pub(in crate::s3) fn get(
    endpoint: &Endpoint,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<GetBucketPolicyOutput> {
    Ok(GetBucketPolicyOutput { policy: Some(endpoint.policy_text(&request.input.bucket)?) })
}

pub(in crate::s3) fn put(
    endpoint: &Endpoint,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<PutBucketPolicyOutput> {
    let requester = requester(&request)?.clone();
    let input = request.input;
    let bucket = endpoint.bucket(&input.bucket)?;
    if input.policy.len() > POLICY_BYTES_MAX {
        return Err(malformed("Policy exceeds the maximum allowed document size.".to_owned()));
    }
    let policy = ResourcePolicy::parse(&input.policy).map_err(|error| match error.fault {
        policy::Fault::InvalidJson => {
            malformed("Policies must be valid JSON and the first byte must be '{'".to_owned())
        }
        policy::Fault::InvalidPrincipal(_) => malformed("Invalid principal in policy".to_owned()),
        fault => malformed(fault.to_string()),
    })?;
    let arn = requester.arn(&input.bucket);
    let is_inside = |resource: &str| {
        let rest = resource.strip_prefix(&arn);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*', '?'])) || resource == "*"
    };
    if !policy.resources().all(is_inside) {
        return Err(malformed("Policy has invalid resource".to_owned()));
    }
    let blocks = public_access_block(&bucket)?.and_then(|block| block.block_public_policy).unwrap_or(false);
    if blocks && policy.is_public() {
        let message =
            "Access Denied: public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.";
        return Err(fault(S3ErrorCode::AccessDenied, message));
    }
    endpoint.set(&input.bucket, POLICY, Some(input.policy))?;
    Ok(PutBucketPolicyOutput {})
}

pub(in crate::s3) fn delete(
    endpoint: &Endpoint,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<DeleteBucketPolicyOutput> {
    endpoint.set(&request.input.bucket, POLICY, None)?;
    Ok(DeleteBucketPolicyOutput {})
}

pub(in crate::s3) fn status(
    endpoint: &Endpoint,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<GetBucketPolicyStatusOutput> {
    let text = endpoint.policy_text(&request.input.bucket)?;
    let is_public = ResourcePolicy::parse(&text).is_ok_and(|policy| policy.is_public());
    Ok(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public: Some(is_public) }) })
}

impl Endpoint {
    fn policy_text(&self, bucket: &str) -> S3Result<String> {
        let configuration = self.bucket(bucket)?.configuration().map_err(failed)?;
        let no_such = || fault(S3ErrorCode::NoSuchBucketPolicy, "The bucket policy does not exist");
        configuration.get(POLICY).cloned().ok_or_else(no_such)
    }
}

fn malformed(message: String) -> S3Error {
    fault(S3ErrorCode::MalformedPolicy, message)
}

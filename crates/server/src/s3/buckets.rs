//! Buckets: made, found, listed and removed.

#![expect(clippy::needless_pass_by_value, reason = "the table of operations gives each function its request")]

use std::collections::BTreeMap;
use std::io;
use std::time::SystemTime;

use aws::{Region, page_token};
use bucket::{BucketLocation, FolderBucket, Listing};
use s3s::dto::{
    Bucket, BucketCannedACL, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput, ObjectOwnership, Timestamp,
};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::configuration::{self, ACL, LOCATION, OWNERSHIP};
use super::endpoint::{Endpoint, call, remote};
use super::fault::{failed, fault};
use super::list::decode;

pub(super) fn list(endpoint: &Endpoint, request: S3Request<ListBucketsInput>) -> S3Result<ListBucketsOutput> {
    let ListBucketsInput { bucket_region, continuation_token, max_buckets, prefix } = request.input;
    let after = continuation_token.as_deref().map(|token| decode(&["ListBuckets"], token)).transpose()?;
    let max = usize::try_from(max_buckets.unwrap_or(i32::MAX)).unwrap_or(0).max(1);
    let start = prefix.as_deref().unwrap_or_default();
    let names = endpoint.buckets.names().map_err(failed)?.into_iter().filter(|name| name.starts_with(start));
    let names = names.filter(|name| after.as_ref().is_none_or(|after| name > after));
    let mut buckets = Vec::new();
    for name in names {
        let bucket = endpoint.buckets.folder(&name);
        let region = endpoint.region_of(&bucket)?;
        if bucket_region.as_ref().is_none_or(|wanted| *wanted == region) {
            buckets.push(Bucket {
                creation_date: Some(created(&bucket)),
                name: Some(name),
                bucket_region: Some(region),
            });
        }
    }
    let is_more = buckets.len() > max;
    buckets.truncate(max);
    let last = buckets.last().filter(|_| is_more).and_then(|bucket| bucket.name.as_ref());
    Ok(ListBucketsOutput {
        continuation_token: last.map(|last| page_token::encode(&["ListBuckets"], last.as_bytes())),
        buckets: Some(buckets),
        owner: Some(endpoint.owner()),
        prefix,
    })
}

pub(super) fn head(endpoint: &Endpoint, request: S3Request<HeadBucketInput>) -> S3Result<HeadBucketOutput> {
    let bucket = endpoint.bucket(&request.input.bucket)?;
    let bucket_region = Some(endpoint.region_of(&bucket)?);
    Ok(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() })
}

pub(super) fn location(
    endpoint: &Endpoint,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    let region = endpoint.region_of(&endpoint.bucket(&request.input.bucket)?)?;
    // The location of buckets in us-east-1 is empty.
    let location_constraint = Some(region).filter(|region| region != "us-east-1").map(BucketLocationConstraint::from);
    Ok(GetBucketLocationOutput { location_constraint })
}

/// Creates a bucket in the region of the request or in that of `LocationConstraint`.
pub(super) fn create(endpoint: &Endpoint, request: S3Request<CreateBucketInput>) -> S3Result<CreateBucketOutput> {
    let call = call(&request)?;
    let asked = request.input.create_bucket_configuration.as_ref();
    let constraint = asked.and_then(|configuration| configuration.location_constraint.as_ref());
    let region = region(&call.region, constraint.map(BucketLocationConstraint::as_str))?;
    let ownership = request.input.object_ownership.as_ref().map(ObjectOwnership::as_str);
    let acl = request.input.acl.as_ref().map(BucketCannedACL::as_str);
    let is_enforced = ownership.is_none_or(|ownership| ownership == ObjectOwnership::BUCKET_OWNER_ENFORCED);
    if is_enforced && acl.is_some_and(|acl| acl != BucketCannedACL::PRIVATE) {
        let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(fault(S3ErrorCode::InvalidBucketAclWithObjectOwnership, message));
    }
    let is_ours = call.caller.account_id == endpoint.owner;
    let name = &request.input.bucket;
    let _changes = endpoint.changes.lock();
    match endpoint.buckets.find(name) {
        Some(BucketLocation::Remote) => return Err(remote(name)),
        Some(BucketLocation::Folder(_)) if !is_ours => {
            let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                           Please select a different name and try again.";
            return Err(fault(S3ErrorCode::BucketAlreadyExists, message));
        }
        // In its oldest region, S3 accepts a bucket that exists already.
        Some(BucketLocation::Folder(_)) if call.region.as_str() == "us-east-1" => {}
        Some(BucketLocation::Folder(_)) => {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(fault(S3ErrorCode::BucketAlreadyOwnedByYou, message));
        }
        None => {
            let bucket = endpoint.buckets.folder(name);
            bucket.create().map_err(failed)?;
            let mut settings = BTreeMap::from([(LOCATION.to_owned(), region)]);
            if let Some(ownership) = ownership {
                settings.insert(OWNERSHIP.to_owned(), configuration::ownership_xml(ownership)?);
            }
            settings.extend(acl.map(|acl| (ACL.to_owned(), acl.to_owned())));
            bucket.set_configuration(&settings).map_err(failed)?;
        }
    }
    Ok(CreateBucketOutput { location: Some(format!("/{name}")) })
}

/// Deletes a bucket without objects.
pub(super) fn delete(endpoint: &Endpoint, request: S3Request<DeleteBucketInput>) -> S3Result<DeleteBucketOutput> {
    let name = &request.input.bucket;
    let bucket = endpoint.bucket(name)?;
    let _changes = endpoint.changes.lock();
    let not_empty = || fault(S3ErrorCode::BucketNotEmpty, "The bucket you tried to delete is not empty");
    let page = bucket.list(Listing { max: 1, ..Listing::default() }).map_err(failed)?;
    if !page.objects.is_empty() {
        return Err(not_empty());
    }
    if *name == endpoint.buckets.primary_name() {
        let message = format!("The bucket {name} is the trail directory of this server, which it cannot do without.");
        return Err(fault(S3ErrorCode::InvalidBucketState, message));
    }
    match bucket.delete() {
        Ok(()) => Ok(DeleteBucketOutput {}),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            tracing::warn!(%error, "a bucket is not deleted, as its folder has files that are no objects");
            Err(not_empty())
        }
        Err(error) => Err(failed(error)),
    }
}

impl Endpoint {
    /// Returns the region of a bucket.
    fn region_of(&self, bucket: &FolderBucket) -> S3Result<String> {
        let mut configuration = bucket.configuration().map_err(failed)?;
        Ok(configuration.remove(LOCATION).unwrap_or_else(|| self.region.to_string()))
    }
}

/// Returns the region of a new bucket: a constraint must be the region of the request, which for us-east-1 has none.
fn region(requested: &Region, constraint: Option<&str>) -> S3Result<String> {
    let incompatible = |constraint: &str| {
        let message = format!(
            "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        fault(S3ErrorCode::IllegalLocationConstraintException, message)
    };
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if requested.as_str() == "us-east-1" => Ok(requested.to_string()),
        None => Err(incompatible("unspecified")),
        Some(constraint) => {
            // The old name of eu-west-1.
            let constraint = if constraint == "EU" { "eu-west-1" } else { constraint };
            let known = constraint.parse::<Region>().ok().filter(|region| region.as_str() != "us-east-1");
            let Some(region) = known else {
                let message = "The specified location-constraint is not valid";
                return Err(fault(S3ErrorCode::InvalidLocationConstraint, message));
            };
            // The endpoint of us-east-1 makes buckets everywhere.
            if requested.as_str() == "us-east-1" || region == *requested {
                return Ok(region.to_string());
            }
            Err(incompatible(constraint))
        }
    }
}

/// Returns the creation time of a bucket; clients require one, so it is the epoch for remote buckets.
fn created(bucket: &FolderBucket) -> Timestamp {
    let folder = bucket.folder().metadata();
    let created = folder.and_then(|folder| folder.created().or_else(|_| folder.modified()));
    created.unwrap_or(SystemTime::UNIX_EPOCH).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_made_in_the_region_of_the_request() {
        for (requested, constraint, expected) in [
            ("us-east-1", None, Ok("us-east-1")),
            ("us-east-1", Some(""), Ok("us-east-1")),
            ("us-east-1", Some("eu-west-1"), Ok("eu-west-1")),
            ("us-east-1", Some("EU"), Ok("eu-west-1")),
            ("us-east-1", Some("us-east-1"), Err("InvalidLocationConstraint")),
            ("us-east-1", Some("the moon"), Err("InvalidLocationConstraint")),
            ("eu-west-1", Some("eu-west-1"), Ok("eu-west-1")),
            ("eu-west-1", None, Err("IllegalLocationConstraintException")),
            ("eu-west-1", Some("eu-west-2"), Err("IllegalLocationConstraintException")),
        ] {
            let made = region(&requested.parse().expect("the region exists"), constraint);
            let made = made.map_err(|error| error.code().as_str().to_owned());
            assert_eq!(made.as_deref().map_err(String::as_str), expected, "{requested} {constraint:?}");
        }
    }
}

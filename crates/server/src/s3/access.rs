//! Access to the S3 endpoint: identifies the operation of a request, and requests the permission for it.

use std::sync::Arc;

use ::policy::ResourcePolicy;
use aws::caller::Kind;
use aws::{AccountId, Call, Facts, GlobalArn};
use bucket::{BucketLocation, Buckets, FolderBucket};
use parking_lot::Mutex;
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3ErrorCode, S3Result};

use super::configuration::POLICY;
use super::endpoint::OPERATIONS;
use super::fault::{failed, fault};
use super::request_body::Document;

/// The operations whose action in policies has another name.
const ACTIONS: [(&str, &str); 36] = [
    ("ListBuckets", "ListAllMyBuckets"),
    ("HeadBucket", "ListBucket"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("ListParts", "ListMultipartUploadParts"),
    ("HeadObject", "GetObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    ("UploadPart", "PutObject"),
    ("UploadPartCopy", "PutObject"),
    ("CompleteMultipartUpload", "PutObject"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
    ("DeleteBucketTagging", "PutBucketTagging"),
    ("GetBucketCors", "GetBucketCORS"),
    ("PutBucketCors", "PutBucketCORS"),
    ("DeleteBucketCors", "PutBucketCORS"),
    ("GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("GetBucketReplication", "GetReplicationConfiguration"),
    ("PutBucketReplication", "PutReplicationConfiguration"),
    ("DeleteBucketReplication", "PutReplicationConfiguration"),
    ("GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
    ("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
];

/// The operation that requests a permission for each of its objects instead of one for itself.
const ON_MANY: &str = "DeleteObjects";

/// The operation of a request.
#[derive(Clone, Debug)]
pub(super) struct S3Operation {
    /// The operation's name.
    pub(super) name: String,
    /// The name of the bucket, which need not exist.
    pub(super) bucket: Option<String>,
    /// The key of the object, which need not exist.
    pub(super) key: Option<String>,
    /// Whether it changes something.
    pub(super) is_write: bool,
}

/// An extension of a request in which the access check stores the operation.
#[derive(Clone, Debug, Default)]
pub(super) struct OperationSlot(Arc<Mutex<Option<S3Operation>>>);

impl OperationSlot {
    /// Takes the operation; `None` if the request is no operation of S3.
    pub(super) fn take(&self) -> Option<S3Operation> {
        self.0.lock().take()
    }
}

/// An extension of a request with its call, whose permissions are requested, and the owner of the buckets.
#[derive(Clone, Debug)]
pub(super) struct Requester {
    pub(super) call: Arc<Call>,
    pub(super) owner: AccountId,
    /// The canned ACL of the request.
    pub(super) acl: Option<String>,
}

impl Requester {
    /// Returns the ARN of a bucket or object.
    pub(super) fn arn(&self, name: &str) -> String {
        GlobalArn::s3(self.call.region.partition(), name.to_owned()).to_string()
    }

    /// Requests the permission for an action on a bucket, or on an object `BUCKET/KEY`; the policy of the bucket decides, too.
    pub(super) fn allow(&self, bucket: &FolderBucket, action: &str, name: &str) -> S3Result<()> {
        let policy = if self.call.has_policies() { policy_of(bucket)? } else { None };
        self.permit(action, &self.arn(name), policy.as_ref())
    }

    fn permit(&self, action: &str, resource: &str, policy: Option<&ResourcePolicy>) -> S3Result<()> {
        let mut facts = Facts::default().with("aws:ResourceAccount", self.owner.as_str());
        if let Some(acl) = &self.acl {
            facts = facts.with("s3:x-amz-acl", acl);
        }
        // The root of its owner can always repair the policy of a bucket.
        let is_owner = self.call.caller.kind == Kind::Root && self.call.caller.account_id == self.owner;
        let policy = policy.filter(|_| !(is_owner && action.ends_with("BucketPolicy")));
        identity::resource_policy::permit(&self.call, action, resource, &facts, policy)
            .map_err(|denial| fault(S3ErrorCode::AccessDenied, denial.message))
    }

    /// Requests the permission for an operation, whether or not its bucket and object exist.
    fn allow_operation(&self, operation: &S3Operation, buckets: &Buckets) -> S3Result<()> {
        let renamed = ACTIONS.iter().find(|(name, _)| *name == operation.name).map(|(_, action)| *action);
        let action = format!("s3:{}", renamed.unwrap_or(&operation.name));
        let resource = match (&operation.bucket, &operation.key) {
            (None, _) => "*".to_owned(),
            (Some(bucket), None) => self.arn(bucket),
            (Some(bucket), Some(key)) => self.arn(&format!("{bucket}/{key}")),
        };
        let bucket = operation.bucket.as_deref().filter(|_| self.call.has_policies());
        let policy = match bucket.and_then(|bucket| buckets.find(bucket)) {
            Some(BucketLocation::Folder(bucket)) => policy_of(&bucket)?,
            _ => None,
        };
        self.permit(&action, &resource, policy.as_ref())
    }
}

/// Returns the policy of a bucket.
fn policy_of(bucket: &FolderBucket) -> S3Result<Option<ResourcePolicy>> {
    let text = bucket.configuration().map_err(failed)?.remove(POLICY);
    let policy = text.map(|text| ResourcePolicy::parse(&text)).transpose();
    policy.map_err(|error| {
        tracing::error!(%error, folder = %bucket.folder().display(), "the policy of a bucket cannot be read");
        fault(S3ErrorCode::AccessDenied, "Access Denied: the policy of the bucket cannot be read.")
    })
}

/// The access check.
pub(super) struct Access(pub(super) Arc<Buckets>);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = S3Operation {
            name: context.s3_op().name().to_owned(),
            bucket: context.s3_path().get_bucket_name().map(str::to_owned),
            key: context.s3_path().get_object_key().map(str::to_owned),
            is_write: !context.method().is_safe(),
        };
        let is_implemented = OPERATIONS.contains(&operation.name.as_str());
        let name = operation.name.clone();
        let requester = context.extensions_mut().get::<Requester>().cloned();
        let is_on_many = operation.name == ON_MANY;
        let allowed = requester
            .as_ref()
            .filter(|_| !is_on_many)
            .map_or(Ok(()), |requester| requester.allow_operation(&operation, &self.0));
        // A denied operation is recorded, too.
        if let Some(OperationSlot(slot)) = context.extensions_mut().get() {
            *slot.lock() = Some(operation);
        }
        allowed?;
        let owner = context.headers().get("x-amz-expected-bucket-owner");
        if owner.is_some_and(|owner| {
            requester.is_some_and(|requester| owner.as_bytes() != requester.owner.as_str().as_bytes())
        }) {
            return Err(fault(S3ErrorCode::AccessDenied, "Access Denied"));
        }
        if let Some(document) = context.extensions_mut().get::<Document>().cloned() {
            document.check(context.headers())?;
        }
        if is_implemented {
            return Ok(());
        }
        let message = format!("{name} is not implemented: this endpoint has what the bucket of a trail needs.");
        Err(fault(S3ErrorCode::NotImplemented, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operations_of_s3_have_actions_of_other_names() {
        for (position, (name, action)) in ACTIONS.iter().enumerate() {
            assert_ne!(name, action);
            assert!(ACTIONS[..position].iter().all(|(other, _)| other != name), "{name}");
        }
        assert!(OPERATIONS.contains(&"PutObject") && OPERATIONS.contains(&ON_MANY));
    }
}

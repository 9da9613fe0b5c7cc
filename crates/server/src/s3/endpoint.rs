//! The operations of S3. Nothing else lists them.

use std::sync::Arc;

use aws::{AccountId, Call, Clock, Region};
use bucket::{BucketLocation, Buckets, FolderBucket};
use parking_lot::Mutex;
use s3s::dto::{self, Owner};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::access::Requester;
use super::fault::{fault, no_such_bucket};
use super::{acl, attributes, buckets, configuration, copy, lifecycle, list, read, tags, upload, write};
use crate::blocking;

/// The implementation over all buckets, which belong to one account.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(super) buckets: Arc<Buckets>,
    pub(super) owner: AccountId,
    pub(super) region: Region,
    pub(super) clock: Arc<dyn Clock>,
    /// Held while a bucket or an object is changed, so that a condition still holds when the change is made.
    pub(super) changes: Arc<Mutex<()>>,
}

/// Implements the trait of `s3s` with a function for each operation: `wait` for those that wait for a client, `run` for those that only
/// read and write files.
macro_rules! operations {
    ($($kind:ident $name:ident $method:ident $input:ident $output:ident = $function:path;)*) => {
        /// The names of the operations.
        pub(super) const OPERATIONS: &[&str] = &[$(stringify!($name)),*];

        #[async_trait::async_trait]
        impl S3 for Endpoint {
            $(async fn $method(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                operations!($kind, self, request, $function).map(S3Response::new)
            })*
        }
    };
    (wait, $endpoint:expr, $request:expr, $function:path) => {
        $function($endpoint, $request).await
    };
    (run, $endpoint:expr, $request:expr, $function:path) => {{
        let (endpoint, request) = ($endpoint.clone(), $request);
        blocking::run(move || $function(&endpoint, request)).await
    }};
}

operations! {
    // Buckets.
    run ListBuckets list_buckets ListBucketsInput ListBucketsOutput = buckets::list;
    run CreateBucket create_bucket CreateBucketInput CreateBucketOutput = buckets::create;
    run HeadBucket head_bucket HeadBucketInput HeadBucketOutput = buckets::head;
    run DeleteBucket delete_bucket DeleteBucketInput DeleteBucketOutput = buckets::delete;
    run GetBucketLocation get_bucket_location GetBucketLocationInput GetBucketLocationOutput = buckets::location;
    // Configuration of buckets.
    run GetBucketPolicy get_bucket_policy GetBucketPolicyInput GetBucketPolicyOutput = configuration::policy::get;
    run PutBucketPolicy put_bucket_policy PutBucketPolicyInput PutBucketPolicyOutput = configuration::policy::put;
    run DeleteBucketPolicy delete_bucket_policy DeleteBucketPolicyInput DeleteBucketPolicyOutput = configuration::policy::delete;
    run GetBucketPolicyStatus get_bucket_policy_status GetBucketPolicyStatusInput GetBucketPolicyStatusOutput = configuration::policy::status;
    run GetBucketEncryption get_bucket_encryption GetBucketEncryptionInput GetBucketEncryptionOutput = configuration::get_encryption;
    run PutBucketEncryption put_bucket_encryption PutBucketEncryptionInput PutBucketEncryptionOutput = configuration::put_encryption;
    run DeleteBucketEncryption delete_bucket_encryption DeleteBucketEncryptionInput DeleteBucketEncryptionOutput = configuration::delete_encryption;
    run GetBucketLifecycleConfiguration get_bucket_lifecycle_configuration GetBucketLifecycleConfigurationInput GetBucketLifecycleConfigurationOutput = lifecycle::configuration::get;
    run PutBucketLifecycleConfiguration put_bucket_lifecycle_configuration PutBucketLifecycleConfigurationInput PutBucketLifecycleConfigurationOutput = lifecycle::configuration::put;
    run DeleteBucketLifecycle delete_bucket_lifecycle DeleteBucketLifecycleInput DeleteBucketLifecycleOutput = lifecycle::configuration::delete;
    run GetPublicAccessBlock get_public_access_block GetPublicAccessBlockInput GetPublicAccessBlockOutput = configuration::get_public_access_block;
    run PutPublicAccessBlock put_public_access_block PutPublicAccessBlockInput PutPublicAccessBlockOutput = configuration::put_public_access_block;
    run DeletePublicAccessBlock delete_public_access_block DeletePublicAccessBlockInput DeletePublicAccessBlockOutput = configuration::delete_public_access_block;
    run GetBucketOwnershipControls get_bucket_ownership_controls GetBucketOwnershipControlsInput GetBucketOwnershipControlsOutput = configuration::get_ownership;
    run PutBucketOwnershipControls put_bucket_ownership_controls PutBucketOwnershipControlsInput PutBucketOwnershipControlsOutput = configuration::put_ownership;
    run DeleteBucketOwnershipControls delete_bucket_ownership_controls DeleteBucketOwnershipControlsInput DeleteBucketOwnershipControlsOutput = configuration::delete_ownership;
    run GetBucketTagging get_bucket_tagging GetBucketTaggingInput GetBucketTaggingOutput = tags::get_of_bucket;
    run PutBucketTagging put_bucket_tagging PutBucketTaggingInput PutBucketTaggingOutput = tags::put_of_bucket;
    run DeleteBucketTagging delete_bucket_tagging DeleteBucketTaggingInput DeleteBucketTaggingOutput = tags::delete_of_bucket;
    run GetBucketVersioning get_bucket_versioning GetBucketVersioningInput GetBucketVersioningOutput = configuration::get_versioning;
    run PutBucketVersioning put_bucket_versioning PutBucketVersioningInput PutBucketVersioningOutput = configuration::put_versioning;
    run GetBucketLogging get_bucket_logging GetBucketLoggingInput GetBucketLoggingOutput = configuration::get_logging;
    run PutBucketLogging put_bucket_logging PutBucketLoggingInput PutBucketLoggingOutput = configuration::put_logging;
    run GetBucketCors get_bucket_cors GetBucketCorsInput GetBucketCorsOutput = configuration::get_cors;
    run PutBucketCors put_bucket_cors PutBucketCorsInput PutBucketCorsOutput = configuration::put_cors;
    run DeleteBucketCors delete_bucket_cors DeleteBucketCorsInput DeleteBucketCorsOutput = configuration::delete_cors;
    run GetBucketWebsite get_bucket_website GetBucketWebsiteInput GetBucketWebsiteOutput = configuration::get_website;
    run GetBucketNotificationConfiguration get_bucket_notification_configuration GetBucketNotificationConfigurationInput GetBucketNotificationConfigurationOutput = configuration::get_notification;
    run GetBucketReplication get_bucket_replication GetBucketReplicationInput GetBucketReplicationOutput = configuration::get_replication;
    run GetBucketRequestPayment get_bucket_request_payment GetBucketRequestPaymentInput GetBucketRequestPaymentOutput = configuration::get_request_payment;
    run GetBucketAccelerateConfiguration get_bucket_accelerate_configuration GetBucketAccelerateConfigurationInput GetBucketAccelerateConfigurationOutput = configuration::get_accelerate;
    run GetObjectLockConfiguration get_object_lock_configuration GetObjectLockConfigurationInput GetObjectLockConfigurationOutput = configuration::get_object_lock;
    run GetBucketAcl get_bucket_acl GetBucketAclInput GetBucketAclOutput = acl::get;
    run PutBucketAcl put_bucket_acl PutBucketAclInput PutBucketAclOutput = acl::put;
    // Listings.
    run ListObjects list_objects ListObjectsInput ListObjectsOutput = list::objects;
    run ListObjectsV2 list_objects_v2 ListObjectsV2Input ListObjectsV2Output = list::objects_v2;
    run ListObjectVersions list_object_versions ListObjectVersionsInput ListObjectVersionsOutput = list::versions;
    // Objects.
    run HeadObject head_object HeadObjectInput HeadObjectOutput = read::head;
    run GetObject get_object GetObjectInput GetObjectOutput = read::get;
    run GetObjectAttributes get_object_attributes GetObjectAttributesInput GetObjectAttributesOutput = attributes::get;
    run GetObjectAcl get_object_acl GetObjectAclInput GetObjectAclOutput = acl::get_of_object;
    run GetObjectTagging get_object_tagging GetObjectTaggingInput GetObjectTaggingOutput = tags::get;
    run PutObjectTagging put_object_tagging PutObjectTaggingInput PutObjectTaggingOutput = tags::put;
    run DeleteObjectTagging delete_object_tagging DeleteObjectTaggingInput DeleteObjectTaggingOutput = tags::delete;
    wait PutObject put_object PutObjectInput PutObjectOutput = write::put;
    run CopyObject copy_object CopyObjectInput CopyObjectOutput = copy::object;
    run DeleteObject delete_object DeleteObjectInput DeleteObjectOutput = write::delete;
    run DeleteObjects delete_objects DeleteObjectsInput DeleteObjectsOutput = write::delete_many;
    run RestoreObject restore_object RestoreObjectInput RestoreObjectOutput = lifecycle::restore::restore;
    // Multipart uploads.
    run CreateMultipartUpload create_multipart_upload CreateMultipartUploadInput CreateMultipartUploadOutput = upload::create;
    wait UploadPart upload_part UploadPartInput UploadPartOutput = upload::part;
    run UploadPartCopy upload_part_copy UploadPartCopyInput UploadPartCopyOutput = copy::part;
    run CompleteMultipartUpload complete_multipart_upload CompleteMultipartUploadInput CompleteMultipartUploadOutput = upload::complete::complete;
    run AbortMultipartUpload abort_multipart_upload AbortMultipartUploadInput AbortMultipartUploadOutput = upload::abort;
    run ListParts list_parts ListPartsInput ListPartsOutput = upload::list::parts;
    run ListMultipartUploads list_multipart_uploads ListMultipartUploadsInput ListMultipartUploadsOutput = upload::list::uploads;
}

impl Endpoint {
    /// Returns the clock.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Finds a folder bucket.
    pub(super) fn bucket(&self, name: &str) -> S3Result<FolderBucket> {
        match self.buckets.find(name) {
            Some(BucketLocation::Folder(bucket)) => Ok(bucket),
            Some(BucketLocation::Remote) => Err(remote(name)),
            None => Err(no_such_bucket()),
        }
    }

    /// Finds the folder bucket that an object is to be put into, and checks the key.
    pub(super) fn bucket_for(&self, name: &str, key: &str) -> S3Result<FolderBucket> {
        let bucket = self.bucket(name)?;
        if self.buckets.accepts_key(key) {
            return Ok(bucket);
        }
        let message = format!(
            "The key {key} is not one that this bucket can have: its keys are paths, whose parts are 1 to 240 bytes long, and neither \
             '.', '..' nor names of files of this server."
        );
        Err(fault(S3ErrorCode::InvalidArgument, message))
    }

    /// Returns the time of the machine, with which the times of files are compared, in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.machine_time().millis()
    }

    /// Returns the owner with a canonical user id, which is derived from the account id.
    pub(super) fn owner(&self) -> Owner {
        Owner { id: Some(canonical_user(&self.owner)), display_name: None }
    }
}

/// Returns the canonical user id of an account, which is derived from its id.
pub(super) fn canonical_user(account: &AccountId) -> String {
    let half = |name: &str| aws::stable_hash::fnv1a_128(&format!("{account}/{name}"));
    format!("{:032x}{:032x}", half("canonical"), half("user"))
}

/// Returns the requester of a request.
pub(super) fn requester<T>(request: &S3Request<T>) -> S3Result<&Requester> {
    let requester = request.extensions.get::<Requester>();
    requester.ok_or_else(|| fault(S3ErrorCode::InternalError, "The request has lost its caller."))
}

/// Returns the call of a request.
pub(super) fn call<T>(request: &S3Request<T>) -> S3Result<&Call> {
    requester(request).map(|requester| &*requester.call)
}

/// Returns the error of a bucket that is not kept here.
pub(super) fn remote(name: &str) -> S3Error {
    // No redirection: the AWS SDK for Python would follow it for ever.
    let message = format!("The bucket {name} is at another endpoint, which the settings file names; use it there.");
    fault(S3ErrorCode::InvalidBucketState, message)
}

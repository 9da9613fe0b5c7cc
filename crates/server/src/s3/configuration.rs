//! Configuration of buckets: kept as it was put, and returned; what is absent has S3's own error or its default.
//!
//! Each part of it is a text of the bucket's configuration, most of them XML in the form of their requests. An empty text means that a
//! part which new buckets have was deleted.

#![expect(clippy::needless_pass_by_value, reason = "the table of operations gives each function its request")]

pub(super) mod policy;

use bucket::{Attributes, FolderBucket};
use s3s::dto::{
    BucketLoggingStatus, CORSConfiguration, DeleteBucketCorsInput, DeleteBucketCorsOutput, DeleteBucketEncryptionInput,
    DeleteBucketEncryptionOutput, DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput,
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetBucketAccelerateConfigurationInput,
    GetBucketAccelerateConfigurationOutput, GetBucketCorsInput, GetBucketCorsOutput, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, GetBucketLoggingInput, GetBucketLoggingOutput, GetBucketNotificationConfigurationInput,
    GetBucketNotificationConfigurationOutput, GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput,
    GetBucketReplicationInput, GetBucketReplicationOutput, GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, GetBucketWebsiteInput, GetBucketWebsiteOutput,
    GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, ObjectOwnership, OwnershipControls, OwnershipControlsRule, Payer,
    PublicAccessBlockConfiguration, PutBucketCorsInput, PutBucketCorsOutput, PutBucketEncryptionInput,
    PutBucketEncryptionOutput, PutBucketLoggingInput, PutBucketLoggingOutput, PutBucketOwnershipControlsInput,
    PutBucketOwnershipControlsOutput, PutBucketVersioningInput, PutBucketVersioningOutput, PutPublicAccessBlockInput,
    PutPublicAccessBlockOutput, ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule, VersioningConfiguration,
};
use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::endpoint::Endpoint;
use super::fault::{failed, fault};
use super::stored::{ENCRYPTION, KMS_KEY};

/// The names of the parts of a configuration.
pub(super) const ACL: &str = "acl";
pub(super) const CORS: &str = "cors";
pub(super) const BUCKET_ENCRYPTION: &str = "encryption";
pub(super) const LIFECYCLE: &str = "lifecycle";
pub(super) const LOCATION: &str = "location";
pub(super) const LOGGING: &str = "logging";
pub(super) const OWNERSHIP: &str = "ownership";
pub(super) const POLICY: &str = "policy";
pub(super) const PUBLIC_ACCESS_BLOCK: &str = "public-access-block";
pub(super) const TAGGING: &str = "tagging";
pub(super) const VERSIONING: &str = "versioning";

/// A part of a configuration as it is kept.
pub(super) enum Kept<T> {
    Value(T),
    /// It was deleted.
    Deleted,
    /// It was never put.
    Never,
}

impl<T> Kept<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Deleted | Self::Never => None,
        }
    }
}

/// Reads a part of a configuration.
pub(super) fn load<T: for<'xml> Deserialize<'xml>>(bucket: &FolderBucket, name: &str) -> S3Result<Kept<T>> {
    let configuration = bucket.configuration().map_err(failed)?;
    let Some(text) = configuration.get(name) else { return Ok(Kept::Never) };
    if text.is_empty() {
        return Ok(Kept::Deleted);
    }
    let mut deserializer = Deserializer::new(text.as_bytes());
    let value = T::deserialize(&mut deserializer).map_err(S3Error::internal_error)?;
    Ok(Kept::Value(value))
}

/// Writes XML.
pub(super) fn xml<T: Serialize>(value: &T) -> S3Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::new(&mut text)).map_err(S3Error::internal_error)?;
    String::from_utf8(text).map_err(S3Error::internal_error)
}

impl Endpoint {
    /// Sets a part of a bucket's configuration; `None` removes it.
    pub(super) fn set(&self, bucket: &str, name: &str, text: Option<String>) -> S3Result<()> {
        let bucket = self.bucket(bucket)?;
        let _changes = self.changes.lock();
        let mut configuration = bucket.configuration().map_err(failed)?;
        match text {
            Some(text) => configuration.insert(name.to_owned(), text),
            None => configuration.remove(name),
        };
        bucket.set_configuration(&configuration).map_err(failed)
    }
}

fn absent(code: S3ErrorCode, message: &'static str) -> S3Error {
    fault(code, message)
}

//  of which every bucket has one.

pub(super) fn get_encryption(
    endpoint: &Endpoint,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<GetBucketEncryptionOutput> {
    let kept = load(&endpoint.bucket(&request.input.bucket)?, BUCKET_ENCRYPTION)?.value();
    let default = || {
        let by_default = ServerSideEncryptionByDefault {
            kms_master_key_id: None,
            sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
        };
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(by_default),
            bucket_key_enabled: Some(false),
        };
        ServerSideEncryptionConfiguration { rules: vec![rule] }
    };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(kept.unwrap_or_else(default)) })
}

pub(super) fn put_encryption(
    endpoint: &Endpoint,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<PutBucketEncryptionOutput> {
    let text = xml(&request.input.server_side_encryption_configuration)?;
    endpoint.set(&request.input.bucket, BUCKET_ENCRYPTION, Some(text))?;
    Ok(PutBucketEncryptionOutput {})
}

pub(super) fn delete_encryption(
    endpoint: &Endpoint,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<DeleteBucketEncryptionOutput> {
    endpoint.set(&request.input.bucket, BUCKET_ENCRYPTION, None)?;
    Ok(DeleteBucketEncryptionOutput {})
}

/// Adds the encryption of the bucket to an object that names none. Nothing is encrypted.
pub(super) fn add_encryption(bucket: &FolderBucket, attributes: &mut Attributes) -> S3Result<()> {
    if attributes.settings.contains_key(ENCRYPTION) {
        return Ok(());
    }
    let Some(configuration) = load::<ServerSideEncryptionConfiguration>(bucket, BUCKET_ENCRYPTION)?.value() else {
        return Ok(());
    };
    let rule = configuration.rules.into_iter().find_map(|rule| rule.apply_server_side_encryption_by_default);
    if let Some(rule) = rule {
        attributes.settings.insert(ENCRYPTION.to_owned(), rule.sse_algorithm.as_str().to_owned());
        attributes.settings.extend(rule.kms_master_key_id.map(|key| (KMS_KEY.to_owned(), key)));
    }
    Ok(())
}

// The block of public access and ownership, which new buckets have, and which can be deleted.

/// Returns the block of public access of a bucket; `None` if it was deleted.
pub(super) fn public_access_block(bucket: &FolderBucket) -> S3Result<Option<PublicAccessBlockConfiguration>> {
    Ok(match load(bucket, PUBLIC_ACCESS_BLOCK)? {
        Kept::Value(value) => Some(value),
        Kept::Deleted => None,
        Kept::Never => Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(true),
            block_public_policy: Some(true),
            ignore_public_acls: Some(true),
            restrict_public_buckets: Some(true),
        }),
    })
}

pub(super) fn get_public_access_block(
    endpoint: &Endpoint,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<GetPublicAccessBlockOutput> {
    let block = public_access_block(&endpoint.bucket(&request.input.bucket)?)?;
    let message = "The public access block configuration was not found";
    let no_such =
        || super::fault::other("NoSuchPublicAccessBlockConfiguration", axum::http::StatusCode::NOT_FOUND, message);
    let public_access_block_configuration = Some(block.ok_or_else(no_such)?);
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration })
}

pub(super) fn put_public_access_block(
    endpoint: &Endpoint,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<PutPublicAccessBlockOutput> {
    let mut block = request.input.public_access_block_configuration;
    // What a request leaves out is off.
    for setting in [
        &mut block.block_public_acls,
        &mut block.block_public_policy,
        &mut block.ignore_public_acls,
        &mut block.restrict_public_buckets,
    ] {
        setting.get_or_insert(false);
    }
    endpoint.set(&request.input.bucket, PUBLIC_ACCESS_BLOCK, Some(xml(&block)?))?;
    Ok(PutPublicAccessBlockOutput {})
}

pub(super) fn delete_public_access_block(
    endpoint: &Endpoint,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<DeletePublicAccessBlockOutput> {
    endpoint.set(&request.input.bucket, PUBLIC_ACCESS_BLOCK, Some(String::new()))?;
    Ok(DeletePublicAccessBlockOutput {})
}

/// Returns the ownership of the objects of a bucket as XML.
pub(super) fn ownership_xml(ownership: &str) -> S3Result<String> {
    xml(&OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership: ownership.to_owned().into() }] })
}

fn ownership(bucket: &FolderBucket) -> S3Result<Option<OwnershipControls>> {
    let enforced = ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED);
    Ok(match load(bucket, OWNERSHIP)? {
        Kept::Value(value) => Some(value),
        Kept::Deleted => None,
        Kept::Never => Some(OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership: enforced }] }),
    })
}

/// Tells whether a bucket's owner owns all objects, so that there are no ACLs.
pub(super) fn is_owner_enforced(bucket: &FolderBucket) -> S3Result<bool> {
    let is_enforced =
        |rule: &OwnershipControlsRule| rule.object_ownership.as_str() == ObjectOwnership::BUCKET_OWNER_ENFORCED;
    Ok(ownership(bucket)?.is_some_and(|controls| controls.rules.iter().any(is_enforced)))
}

pub(super) fn get_ownership(
    endpoint: &Endpoint,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<GetBucketOwnershipControlsOutput> {
    let controls = ownership(&endpoint.bucket(&request.input.bucket)?)?;
    let message = "The bucket ownership controls were not found";
    let no_such = || absent(S3ErrorCode::OwnershipControlsNotFoundError, message);
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(controls.ok_or_else(no_such)?) })
}

pub(super) fn put_ownership(
    endpoint: &Endpoint,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<PutBucketOwnershipControlsOutput> {
    endpoint.set(&request.input.bucket, OWNERSHIP, Some(xml(&request.input.ownership_controls)?))?;
    Ok(PutBucketOwnershipControlsOutput {})
}

pub(super) fn delete_ownership(
    endpoint: &Endpoint,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<DeleteBucketOwnershipControlsOutput> {
    endpoint.set(&request.input.bucket, OWNERSHIP, Some(String::new()))?;
    Ok(DeleteBucketOwnershipControlsOutput {})
}

// Versioning, which is a status only: each object has one version.

pub(super) fn get_versioning(
    endpoint: &Endpoint,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<GetBucketVersioningOutput> {
    let bucket = endpoint.bucket(&request.input.bucket)?;
    let kept = load::<VersioningConfiguration>(&bucket, VERSIONING)?.value();
    let (status, mfa_delete) = kept.map(|kept| (kept.status, kept.mfa_delete)).unwrap_or_default();
    let mfa_delete = mfa_delete.map(|mfa_delete| mfa_delete.as_str().to_owned().into());
    Ok(GetBucketVersioningOutput { mfa_delete, status })
}

pub(super) fn put_versioning(
    endpoint: &Endpoint,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<PutBucketVersioningOutput> {
    endpoint.set(&request.input.bucket, VERSIONING, Some(xml(&request.input.versioning_configuration)?))?;
    Ok(PutBucketVersioningOutput {})
}

// Access logs, which are not written.

pub(super) fn get_logging(
    endpoint: &Endpoint,
    request: S3Request<GetBucketLoggingInput>,
) -> S3Result<GetBucketLoggingOutput> {
    let kept = load::<BucketLoggingStatus>(&endpoint.bucket(&request.input.bucket)?, LOGGING)?.value();
    Ok(GetBucketLoggingOutput { logging_enabled: kept.and_then(|status| status.logging_enabled) })
}

pub(super) fn put_logging(
    endpoint: &Endpoint,
    request: S3Request<PutBucketLoggingInput>,
) -> S3Result<PutBucketLoggingOutput> {
    let status = &request.input.bucket_logging_status;
    if let Some(target) = &status.logging_enabled
        && endpoint.buckets.find(&target.target_bucket).is_none()
    {
        let message = "The target bucket for logging does not exist";
        return Err(fault(S3ErrorCode::InvalidTargetBucketForLogging, message));
    }
    endpoint.set(&request.input.bucket, LOGGING, Some(xml(status)?))?;
    Ok(PutBucketLoggingOutput {})
}

// Rules for other origins, which are not applied.

pub(super) fn get_cors(endpoint: &Endpoint, request: S3Request<GetBucketCorsInput>) -> S3Result<GetBucketCorsOutput> {
    let kept = load::<CORSConfiguration>(&endpoint.bucket(&request.input.bucket)?, CORS)?.value();
    let message = "The CORS configuration does not exist";
    let kept = kept.ok_or_else(|| absent(S3ErrorCode::NoSuchCORSConfiguration, message))?;
    Ok(GetBucketCorsOutput { cors_rules: Some(kept.cors_rules) })
}

pub(super) fn put_cors(endpoint: &Endpoint, request: S3Request<PutBucketCorsInput>) -> S3Result<PutBucketCorsOutput> {
    endpoint.set(&request.input.bucket, CORS, Some(xml(&request.input.cors_configuration)?))?;
    Ok(PutBucketCorsOutput {})
}

pub(super) fn delete_cors(
    endpoint: &Endpoint,
    request: S3Request<DeleteBucketCorsInput>,
) -> S3Result<DeleteBucketCorsOutput> {
    endpoint.set(&request.input.bucket, CORS, None)?;
    Ok(DeleteBucketCorsOutput {})
}

// What no bucket has here; tools read it of every bucket.

pub(super) fn get_website(
    endpoint: &Endpoint,
    request: S3Request<GetBucketWebsiteInput>,
) -> S3Result<GetBucketWebsiteOutput> {
    endpoint.bucket(&request.input.bucket)?;
    let message = "The specified bucket does not have a website configuration";
    Err(absent(S3ErrorCode::NoSuchWebsiteConfiguration, message))
}

pub(super) fn get_notification(
    endpoint: &Endpoint,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<GetBucketNotificationConfigurationOutput> {
    endpoint.bucket(&request.input.bucket)?;
    Ok(GetBucketNotificationConfigurationOutput::default())
}

pub(super) fn get_replication(
    endpoint: &Endpoint,
    request: S3Request<GetBucketReplicationInput>,
) -> S3Result<GetBucketReplicationOutput> {
    endpoint.bucket(&request.input.bucket)?;
    Err(absent(S3ErrorCode::ReplicationConfigurationNotFoundError, "The replication configuration was not found"))
}

pub(super) fn get_request_payment(
    endpoint: &Endpoint,
    request: S3Request<GetBucketRequestPaymentInput>,
) -> S3Result<GetBucketRequestPaymentOutput> {
    endpoint.bucket(&request.input.bucket)?;
    Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) })
}

pub(super) fn get_accelerate(
    endpoint: &Endpoint,
    request: S3Request<GetBucketAccelerateConfigurationInput>,
) -> S3Result<GetBucketAccelerateConfigurationOutput> {
    endpoint.bucket(&request.input.bucket)?;
    Ok(GetBucketAccelerateConfigurationOutput::default())
}

pub(super) fn get_object_lock(
    endpoint: &Endpoint,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<GetObjectLockConfigurationOutput> {
    endpoint.bucket(&request.input.bucket)?;
    let message = "Object Lock configuration does not exist for this bucket";
    Err(absent(S3ErrorCode::ObjectLockConfigurationNotFoundError, message))
}

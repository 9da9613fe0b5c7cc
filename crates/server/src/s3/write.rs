//! Putting and deleting objects.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition,
    ObjectCannedACL, PutObjectInput, PutObjectOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::checksum;
use super::configuration;
use super::endpoint::{Endpoint, call, requester};
use super::fault::{failed, fault, invalid_argument, no_such_key, precondition_failed};
use super::read;
use super::receive::{self, BodyClaims, ContentClaims};
use super::stored::{self, Stored, attributes_of};
use crate::blocking;

/// The most keys that one request deletes.
const DELETED_KEYS_MAX: usize = 1000;

/// The condition of a put: about the object of the same key.
#[derive(Clone, Debug, Default)]
pub(super) struct PutCondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

pub(super) async fn put(endpoint: &Endpoint, mut request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let bucket = endpoint.bucket_for(&request.input.bucket, &request.input.key)?;
    check_acl(&bucket, request.input.acl.as_ref())?;
    let body_claims = request.extensions.get::<BodyClaims>().cloned().unwrap_or_default();
    let id = call(&request)?.request_id().to_owned();
    let body = request.input.body.take();
    let input = request.input;
    let claims = ContentClaims {
        md5: input.content_md5.clone(),
        checksums: checksum::given!(input),
        algorithm: input.checksum_algorithm.as_ref().and_then(|name| checksum::Algorithm::find(name.as_str())),
    };
    let mut attributes = attributes_of!(input);
    configuration::add_encryption(&bucket, &mut attributes)?;
    let condition = PutCondition { if_match: input.if_match, if_none_match: input.if_none_match };
    condition.check_form()?;
    let received = receive::receive(bucket.clone(), id, body, body_claims, claims).await?;
    attributes.of_content = received.attributes;
    let endpoint = endpoint.clone();
    let stored = blocking::run(move || {
        let _changes = endpoint.changes.lock();
        condition.check(Stored::open(&bucket, &input.key).map_err(failed)?.map(|(stored, _)| stored).as_ref())?;
        let object = bucket.put_received(&input.key, received.incoming, &attributes).map_err(failed)?;
        Ok::<_, S3Error>(Stored { object, attributes })
    })
    .await?;
    let mut output = PutObjectOutput {
        e_tag: Some(stored.tag()),
        checksum_type: stored::checksum_type(&stored.attributes.of_content).map(Into::into),
        server_side_encryption: Some(read::encryption(&stored)),
        ssekms_key_id: stored.setting(stored::KMS_KEY),
        ..PutObjectOutput::default()
    };
    checksum::show!(output, stored.attributes.of_content);
    Ok(output)
}

/// Deletes an object; it is no failure if there is none.
pub(super) fn delete(endpoint: &Endpoint, request: S3Request<DeleteObjectInput>) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    read::is_only_version(input.version_id.as_deref(), None)?;
    let bucket = endpoint.bucket(&input.bucket)?;
    let _changes = endpoint.changes.lock();
    if input.if_match.is_some() {
        let condition = PutCondition { if_match: input.if_match, if_none_match: None };
        condition.check(Stored::open(&bucket, &input.key).map_err(failed)?.map(|(stored, _)| stored).as_ref())?;
    }
    bucket.remove(&input.key).map_err(failed)?;
    Ok(DeleteObjectOutput { version_id: input.version_id, ..DeleteObjectOutput::default() })
}

/// Deletes objects, each with the permission for it.
pub(super) fn delete_many(
    endpoint: &Endpoint,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let requester = requester(&request)?.clone();
    let input = request.input;
    let bucket = endpoint.bucket(&input.bucket)?;
    if input.delete.objects.is_empty() || input.delete.objects.len() > DELETED_KEYS_MAX {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(fault(S3ErrorCode::MalformedXML, message));
    }
    let _changes = endpoint.changes.lock();
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let allowed = requester.allow(&bucket, "s3:DeleteObject", &format!("{}/{}", input.bucket, object.key));
        let removed = allowed
            .and_then(|()| read::is_only_version(object.version_id.as_deref(), None))
            .and_then(|()| bucket.remove(&object.key).map_err(failed));
        match removed {
            Ok(_) => deleted.push(DeletedObject {
                key: Some(object.key),
                version_id: object.version_id,
                ..DeletedObject::default()
            }),
            Err(error) => errors.push(s3s::dto::Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: Some(
                    error.message().unwrap_or("We encountered an internal error. Please try again.").to_owned(),
                ),
                version_id: object.version_id,
            }),
        }
    }
    let is_quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted).filter(|_| !is_quiet),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
        request_charged: None,
    })
}

/// Fails for an ACL that the bucket's ownership does not allow.
pub(super) fn check_acl(bucket: &bucket::FolderBucket, acl: Option<&ObjectCannedACL>) -> S3Result<()> {
    let is_usual = |acl: &ObjectCannedACL| acl.as_str() == ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL;
    if acl.is_none_or(is_usual) || !configuration::is_owner_enforced(bucket)? {
        return Ok(());
    }
    Err(fault(S3ErrorCode::AccessControlListNotSupported, "The bucket does not allow ACLs"))
}

impl PutCondition {
    /// Fails for a condition that S3 does not have.
    pub(super) fn check_form(&self) -> S3Result<()> {
        match (&self.if_match, &self.if_none_match) {
            (_, Some(ETagCondition::ETag(_))) | (Some(ETagCondition::Any), _) => {
                let message = "A header you provided implies functionality that is not implemented";
                Err(fault(S3ErrorCode::NotImplemented, message))
            }
            (Some(_), Some(_)) => Err(invalid_argument("If-Match and If-None-Match exclude each other.")),
            _ => Ok(()),
        }
    }

    /// Checks the condition for the object of the key, if there is one.
    pub(super) fn check(&self, existing: Option<&Stored>) -> S3Result<()> {
        if self.if_none_match.is_some() && existing.is_some() {
            return Err(precondition_failed());
        }
        match (&self.if_match, existing) {
            (None, _) | (Some(ETagCondition::Any), Some(_)) => Ok(()),
            (Some(_), None) => Err(no_such_key()),
            (Some(ETagCondition::ETag(tag)), Some(existing)) if tag.strong_cmp(&existing.tag()) => Ok(()),
            (Some(_), Some(_)) => Err(precondition_failed()),
        }
    }
}

//! Multipart uploads: begun, filled with parts and aborted.

#![expect(clippy::needless_pass_by_value, reason = "the table of operations gives each function its request")]

pub(super) mod complete;
pub(super) mod list;

use bucket::{FolderBucket, Upload};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::checksum::{self, Algorithm};
use super::configuration;
use super::endpoint::{Endpoint, call};
use super::fault::{failed, fault, invalid_argument};
use super::receive::{self, BodyClaims, ContentClaims, ETAG};
use super::stored::attributes_of;
use super::write;
use crate::blocking;

/// The attributes of an upload itself.
const KEY: &str = "key";
const INITIATOR: &str = "initiator";
const ALGORITHM: &str = "checksum-algorithm";

/// The largest number of a part.
const PARTS_MAX: u32 = 10_000;

pub(super) fn create(
    endpoint: &Endpoint,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let call = call(&request)?;
    let input = &request.input;
    let bucket = endpoint.bucket_for(&input.bucket, &input.key)?;
    write::check_acl(&bucket, input.acl.as_ref())?;
    let mut description = attributes_of!(input);
    configuration::add_encryption(&bucket, &mut description)?;
    let algorithm = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let kind = checksum_type(algorithm, input.checksum_type.as_ref().map(ChecksumType::as_str))?;
    let mut note = |name: &str, value: String| description.of_content.insert(name.to_owned(), value);
    note(KEY, input.key.clone());
    note(INITIATOR, call.caller.arn.clone());
    if let (Some(algorithm), Some(kind)) = (algorithm, kind) {
        note(ALGORITHM, algorithm.to_owned());
        note(checksum::TYPE, kind.to_owned());
    }
    let id = call.new_id();
    let upload = bucket.create_upload(&id, description).map_err(failed)?;
    let setting = |name: &str| upload.description.settings.get(name).cloned();
    let encryption = setting(super::stored::ENCRYPTION).unwrap_or_else(|| "AES256".to_owned());
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(id),
        checksum_algorithm: algorithm.map(|name| name.to_owned().into()),
        checksum_type: kind.map(|kind| kind.to_owned().into()),
        server_side_encryption: Some(encryption.into()),
        ssekms_key_id: setting(super::stored::KMS_KEY),
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn part(endpoint: &Endpoint, mut request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let bucket = endpoint.bucket(&request.input.bucket)?;
    let number = part_number(request.input.part_number)?;
    let upload = find(&bucket, &request.input.upload_id, &request.input.key)?;
    let body_claims = request.extensions.get::<BodyClaims>().cloned().unwrap_or_default();
    let id = call(&request)?.request_id().to_owned();
    let body = request.input.body.take();
    let input = request.input;
    let claims = ContentClaims {
        md5: input.content_md5.clone(),
        checksums: checksum::given!(input),
        algorithm: algorithm(&upload),
    };
    let received = receive::receive(bucket.clone(), id, body, body_claims, claims).await?;
    let attributes = received.attributes.clone();
    let endpoint = endpoint.clone();
    blocking::run(move || {
        let _changes = endpoint.changes.lock();
        // The upload may have been completed or aborted meanwhile.
        let upload = find(&bucket, &input.upload_id, &input.key)?;
        upload.put_part(number, received.incoming, received.attributes).map_err(failed)
    })
    .await?;
    let mut output = UploadPartOutput {
        e_tag: attributes.get(ETAG).cloned().map(ETag::Strong),
        server_side_encryption: Some("AES256".to_owned().into()),
        ..UploadPartOutput::default()
    };
    checksum::show!(output, attributes);
    Ok(output)
}

pub(super) fn abort(
    endpoint: &Endpoint,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    let bucket = endpoint.bucket(&input.bucket)?;
    let _changes = endpoint.changes.lock();
    find(&bucket, &input.upload_id, &input.key)?.remove().map_err(failed)?;
    Ok(AbortMultipartUploadOutput::default())
}

/// Finds an upload of a key.
pub(super) fn find(bucket: &FolderBucket, id: &str, key: &str) -> S3Result<Upload> {
    let upload = bucket.upload(id).map_err(failed)?;
    upload.filter(|upload| upload.description.of_content.get(KEY).is_some_and(|own| own == key)).ok_or_else(|| {
        let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                       completed.";
        fault(S3ErrorCode::NoSuchUpload, message)
    })
}

/// Returns the key of an upload.
pub(super) fn key(upload: &Upload) -> &str {
    upload.description.of_content.get(KEY).map_or("", String::as_str)
}

/// Returns the algorithm of the checksums of an upload.
pub(super) fn algorithm(upload: &Upload) -> Option<Algorithm> {
    Algorithm::find(upload.description.of_content.get(ALGORITHM)?)
}

/// Checks the number of a part.
pub(super) fn part_number(number: i32) -> S3Result<u32> {
    let number = u32::try_from(number).ok().filter(|number| (1..=PARTS_MAX).contains(number));
    number.ok_or_else(|| invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
}

/// Returns the type of the checksums of an upload, whose default depends on the algorithm.
fn checksum_type<'t>(algorithm: Option<&str>, kind: Option<&'t str>) -> Result<Option<&'t str>, S3Error> {
    let invalid = |message: String| Err(fault(S3ErrorCode::InvalidRequest, message));
    let Some(name) = algorithm else {
        let message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
        return if kind.is_some() { invalid(message.to_owned()) } else { Ok(None) };
    };
    let Some(algorithm) = Algorithm::find(name) else {
        let message = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, \
                       CRC64NVME, SHA1, SHA256]";
        return invalid(message.to_owned());
    };
    let default = match algorithm {
        Algorithm::Crc64Nvme => ChecksumType::FULL_OBJECT,
        _ => ChecksumType::COMPOSITE,
    };
    let kind = kind.unwrap_or(default);
    let is_possible = match algorithm {
        Algorithm::Crc64Nvme => kind == ChecksumType::FULL_OBJECT,
        Algorithm::Crc32 | Algorithm::Crc32c => [ChecksumType::FULL_OBJECT, ChecksumType::COMPOSITE].contains(&kind),
        Algorithm::Sha1 | Algorithm::Sha256 => kind == ChecksumType::COMPOSITE,
    };
    if is_possible {
        return Ok(Some(kind));
    }
    invalid(format!(
        "The {kind} checksum type cannot be used with the {} checksum algorithm.",
        algorithm.name().to_lowercase()
    ))
}

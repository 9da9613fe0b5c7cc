//! Reading objects and what belongs to them.

use std::sync::Arc;

use git::FilePart;
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ServerSideEncryption,
    StreamingBlob, Timestamp, TimestampFormat,
};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::checksum;
use super::condition::{Condition, last_modified, selected};
use super::endpoint::Endpoint;
use super::fault::{failed, fault, invalid_argument, no_such_key};
use super::stored::{self, Stored};
use crate::body;

pub(super) fn head(endpoint: &Endpoint, request: S3Request<HeadObjectInput>) -> S3Result<HeadObjectOutput> {
    let input = request.input;
    is_only_version(input.version_id.as_deref(), input.part_number)?;
    let condition = Condition {
        matching: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    let bucket = endpoint.bucket(&input.bucket)?;
    let (stored, _file) = Stored::open(&bucket, &input.key).map_err(failed)?.ok_or_else(no_such_key)?;
    condition.check(&stored)?;
    let [content_type, content_encoding] = stored.content();
    let checksums = stored.checksums(is_enabled(input.checksum_mode.as_ref()));
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(length(stored.object.bytes)),
        content_type,
        content_encoding,
        content_language: stored.setting(stored::CONTENT_LANGUAGE),
        content_disposition: stored.setting(stored::CONTENT_DISPOSITION),
        cache_control: stored.setting(stored::CACHE_CONTROL),
        expires: expires(&stored),
        checksum_type: stored::checksum_type(&checksums).map(Into::into),
        e_tag: Some(stored.tag()),
        last_modified: Some(last_modified(&stored.object)),
        metadata: Some(stored.attributes.metadata.clone().into_iter().collect()).filter(|_| has_metadata(&stored)),
        restore: stored.restore_header(|| endpoint.now()),
        server_side_encryption: Some(encryption(&stored)),
        ssekms_key_id: stored.setting(stored::KMS_KEY),
        storage_class: stored.class_header(),
        ..HeadObjectOutput::default()
    };
    checksum::show!(output, checksums);
    Ok(output)
}

pub(super) fn get(endpoint: &Endpoint, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
    let input = request.input;
    is_only_version(input.version_id.as_deref(), input.part_number)?;
    let condition = Condition {
        matching: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    let bucket = endpoint.bucket(&input.bucket)?;
    let (stored, file) = Stored::open(&bucket, &input.key).map_err(failed)?.ok_or_else(no_such_key)?;
    condition.check(&stored)?;
    check_class(&stored, || endpoint.now())?;
    let bytes = stored.object.bytes;
    let range = input.range.map(|range| selected(range, bytes)).transpose()?;
    let content_range = range.as_ref().map(|range| format!("bytes {}-{}/{bytes}", range.start, range.end - 1));
    // A checksum is that of the whole content, so SDKs would compare it with a part.
    let checksums = stored.checksums(is_enabled(input.checksum_mode.as_ref()) && range.is_none());
    let range = range.unwrap_or(0..bytes);
    let content_length = Some(length(range.end - range.start));
    // The file is read as the client receives it; after a read error the client receives less than the announced length.
    let body = body::FileBody(FilePart::new(Arc::new(file), range));
    let [content_type, content_encoding] = stored.content();
    let tags = i32::try_from(stored.tags().len()).ok().filter(|count| *count > 0);
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::wrap(body)),
        content_length,
        content_range,
        content_type,
        content_encoding,
        content_language: stored.setting(stored::CONTENT_LANGUAGE),
        content_disposition: stored.setting(stored::CONTENT_DISPOSITION),
        cache_control: stored.setting(stored::CACHE_CONTROL),
        expires: expires(&stored),
        checksum_type: stored::checksum_type(&checksums).map(Into::into),
        e_tag: Some(stored.tag()),
        last_modified: Some(last_modified(&stored.object)),
        metadata: Some(stored.attributes.metadata.clone().into_iter().collect()).filter(|_| has_metadata(&stored)),
        restore: stored.restore_header(|| endpoint.now()),
        server_side_encryption: Some(encryption(&stored)),
        ssekms_key_id: stored.setting(stored::KMS_KEY),
        storage_class: stored.class_header(),
        tag_count: tags,
        ..GetObjectOutput::default()
    };
    checksum::show!(output, checksums);
    Ok(output)
}

/// Fails for an object that is archived and not restored.
pub(super) fn check_class(stored: &Stored, now: impl FnOnce() -> i64) -> S3Result<()> {
    if !stored.is_archived(now) {
        return Ok(());
    }
    let message = "The operation is not valid for the object's storage class";
    Err(fault(S3ErrorCode::InvalidObjectState, message))
}

/// Returns the encryption of an object, of which S3 has one for every object.
pub(super) fn encryption(stored: &Stored) -> ServerSideEncryption {
    let name = stored.setting(stored::ENCRYPTION).unwrap_or_else(|| ServerSideEncryption::AES256.to_owned());
    name.into()
}

/// Refuses versions and parts of an object other than the only one.
pub(super) fn is_only_version(version: Option<&str>, part: Option<i32>) -> S3Result<()> {
    if version.is_some_and(|version| version != "null") {
        return Err(invalid_argument("Invalid version id specified"));
    }
    if part.is_some_and(|part| part != 1) {
        return Err(invalid_argument("The object has one part, whose number is 1."));
    }
    Ok(())
}

fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn has_metadata(stored: &Stored) -> bool {
    !stored.attributes.metadata.is_empty()
}

fn expires(stored: &Stored) -> Option<Timestamp> {
    Timestamp::parse(TimestampFormat::HttpDate, &stored.setting(stored::EXPIRES)?).ok()
}

/// Converts a number of bytes.
pub(super) fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

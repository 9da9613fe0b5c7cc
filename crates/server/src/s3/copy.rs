//! Copies of objects, and of ranges of them into parts of uploads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Take};

use bucket::{FolderBucket, Incoming};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, MetadataDirective,
    TaggingDirective, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::access::Requester;
use super::checksum::{self, Algorithm, Hasher};
use super::condition::{Condition, last_modified};
use super::endpoint::{Endpoint, requester};
use super::fault::{failed, fault, invalid_argument, no_such_key, precondition_failed};
use super::receive::{ETAG, OBJECT_BYTES_MAX};
use super::stored::{self, Stored, attributes_of};
use super::{configuration, read, upload, write};

/// Bytes that are copied at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Copies an object with its metadata, or with that of the request.
pub(super) fn object(endpoint: &Endpoint, request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let requester = requester(&request)?.clone();
    let input = request.input;
    let bucket = endpoint.bucket_for(&input.bucket, &input.key)?;
    write::check_acl(&bucket, input.acl.as_ref())?;
    let condition = Condition {
        matching: input.copy_source_if_match.clone(),
        none_match: input.copy_source_if_none_match.clone(),
        modified_since: input.copy_source_if_modified_since.clone(),
        unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    let (source, file) = endpoint.source(&requester, &input.copy_source, &condition)?;
    if source.object.bytes > OBJECT_BYTES_MAX {
        let message =
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(fault(S3ErrorCode::InvalidRequest, message));
    }
    let replaces = input.metadata_directive.as_ref().is_some_and(|one| one.as_str() == MetadataDirective::REPLACE);
    let given = attributes_of!(input);
    let mut attributes = if replaces { given.clone() } else { source.attributes.clone() };
    let changes = [stored::STORAGE_CLASS, stored::ENCRYPTION, stored::KMS_KEY, stored::RESTORED_UNTIL, stored::TAGS];
    for name in changes {
        attributes.settings.remove(name);
        attributes.settings.extend(given.settings.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    if input.tagging_directive.as_ref().is_none_or(|one| one.as_str() != TaggingDirective::REPLACE) {
        attributes.settings.remove(stored::TAGS);
        attributes.settings.extend(source.setting(stored::TAGS).map(|tags| (stored::TAGS.to_owned(), tags)));
    }
    let is_same = source.object.key == input.key && is_bucket(&input.copy_source, &input.bucket);
    let is_moved = [stored::STORAGE_CLASS, stored::ENCRYPTION].iter().any(|name| given.settings.contains_key(*name));
    if is_same && !replaces && !is_moved {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
                       metadata, storage class, website redirect location or encryption attributes.";
        return Err(fault(S3ErrorCode::InvalidRequest, message));
    }
    configuration::add_encryption(&bucket, &mut attributes)?;
    let algorithm = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::find(name.as_str()));
    let (incoming, of_content) = copy(&bucket, requester.call.request_id(), file.take(u64::MAX), algorithm)?;
    attributes.of_content = of_content;
    let _changes = endpoint.changes.lock();
    let object = bucket.put_received(&input.key, incoming, &attributes).map_err(failed)?;
    let copied = Stored { object, attributes };
    let mut result = CopyObjectResult {
        e_tag: Some(copied.tag()),
        last_modified: Some(last_modified(&copied.object)),
        checksum_type: stored::checksum_type(&copied.attributes.of_content).map(Into::into),
        ..CopyObjectResult::default()
    };
    checksum::show!(result, copied.attributes.of_content);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: Some(read::encryption(&copied)),
        ssekms_key_id: copied.setting(stored::KMS_KEY),
        ..CopyObjectOutput::default()
    })
}

/// Copies an object, or a range of it, into a part of an upload.
pub(super) fn part(endpoint: &Endpoint, request: S3Request<UploadPartCopyInput>) -> S3Result<UploadPartCopyOutput> {
    let requester = requester(&request)?.clone();
    let input = request.input;
    let bucket = endpoint.bucket(&input.bucket)?;
    let upload = upload::find(&bucket, &input.upload_id, &input.key)?;
    let number = upload::part_number(input.part_number)?;
    let condition = Condition {
        matching: input.copy_source_if_match,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let (source, mut file) = endpoint.source(&requester, &input.copy_source, &condition)?;
    let range = input.copy_source_range.as_deref().map(|range| parse_range(range, source.object.bytes)).transpose()?;
    let (first, bytes) = range.unwrap_or((0, source.object.bytes));
    file.seek(SeekFrom::Start(first)).map_err(failed)?;
    let algorithm = upload::algorithm(&upload);
    let (incoming, attributes) = copy(&bucket, requester.call.request_id(), file.take(bytes), algorithm)?;
    let _changes = endpoint.changes.lock();
    let upload = upload::find(&bucket, &input.upload_id, &input.key)?;
    upload.put_part(number, incoming, attributes.clone()).map_err(failed)?;
    let mut result = CopyPartResult {
        e_tag: attributes.get(ETAG).cloned().map(s3s::dto::ETag::Strong),
        last_modified: Some(std::time::SystemTime::UNIX_EPOCH.into()),
        ..CopyPartResult::default()
    };
    let part = upload.parts().map_err(failed)?.remove(&number);
    result.last_modified = part.map(|part| part.modified.into());
    if algorithm.is_some() {
        checksum::show!(result, attributes);
    }
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
}

/// Copies a file; returns the copy and its attributes.
fn copy(
    bucket: &FolderBucket,
    id: &str,
    mut source: Take<File>,
    algorithm: Option<Algorithm>,
) -> S3Result<(Incoming, BTreeMap<String, String>)> {
    let mut incoming = bucket.receive(id).map_err(failed)?;
    let algorithm = algorithm.unwrap_or(Algorithm::Crc64Nvme);
    let (mut md5, mut checksum) = (Md5::new(), Hasher::new(algorithm));
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = source.read(&mut piece).map_err(failed)?;
        if count == 0 {
            break;
        }
        let piece = &piece[..count];
        md5.update(piece);
        checksum.update(piece);
        incoming.append(piece).map_err(failed)?;
    }
    let tag = aws::hex::encode(md5.finalize().as_ref());
    Ok((incoming, BTreeMap::from([(ETAG.to_owned(), tag), (algorithm.header(), checksum.finish())])))
}

impl Endpoint {
    /// Opens the source of a copy, which the caller must be allowed to read.
    fn source(&self, requester: &Requester, source: &CopySource, condition: &Condition) -> S3Result<(Stored, File)> {
        let CopySource::Bucket { bucket: name, key, version_id } = source else {
            return Err(invalid_argument("Copy sources are objects of buckets: access points are not implemented."));
        };
        read::is_only_version(version_id.as_deref(), None)?;
        let bucket = self.bucket(name)?;
        requester.allow(&bucket, "s3:GetObject", &format!("{name}/{key}"))?;
        let (stored, file) = Stored::open(&bucket, key).map_err(failed)?.ok_or_else(no_such_key)?;
        // A copy has no reply for an object that is not modified.
        condition.check(&stored).map_err(|_| precondition_failed())?;
        read::check_class(&stored, || self.now())?;
        Ok((stored, file))
    }
}

fn is_bucket(source: &CopySource, name: &str) -> bool {
    matches!(source, CopySource::Bucket { bucket, .. } if **bucket == *name)
}

/// Parses `bytes=FIRST-LAST` for a source of a size; returns the first byte and the number of bytes.
fn parse_range(range: &str, bytes: u64) -> S3Result<(u64, u64)> {
    let parsed = range.strip_prefix("bytes=").and_then(|range| {
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some((first, last))
    });
    match parsed {
        None => {
            let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                           zero-based offsets of the first and last bytes to copy";
            Err(invalid_argument(message))
        }
        Some((first, last)) if last < bytes => Ok((first, last - first + 1)),
        Some(_) => {
            let message = format!("Range specified is not valid for source object of size: {bytes}");
            Err(invalid_argument(message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_inside_its_source() {
        assert_eq!(parse_range("bytes=2-4", 5).ok(), Some((2, 3)));
        for range in ["bytes=2-5", "bytes=4-2", "bytes=-2", "bytes=2-", "2-4", "bytes=a-b", "bytes=0-1,3-4"] {
            assert!(parse_range(range, 5).is_err(), "{range}");
        }
    }
}

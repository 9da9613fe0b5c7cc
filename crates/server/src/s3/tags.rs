//! Tags of buckets and of objects.

#![expect(clippy::needless_pass_by_value, reason = "the table of operations gives each function its request")]

use std::collections::HashSet;

use bucket::FolderBucket;
use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag, Tagging,
};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::configuration::{TAGGING, load, xml};
use super::endpoint::Endpoint;
use super::fault::{failed, fault, no_such_key};
use super::read;
use super::stored::{Stored, TAGS};

/// The most tags of a bucket, and of an object.
const BUCKET_TAGS_MAX: usize = 50;
const OBJECT_TAGS_MAX: usize = 10;

pub(super) fn get_of_bucket(
    endpoint: &Endpoint,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<GetBucketTaggingOutput> {
    let tagging = load::<Tagging>(&endpoint.bucket(&request.input.bucket)?, TAGGING)?.value();
    let tagging = tagging.ok_or_else(|| fault(S3ErrorCode::NoSuchTagSet, "The TagSet does not exist"))?;
    Ok(GetBucketTaggingOutput { tag_set: tagging.tag_set })
}

pub(super) fn put_of_bucket(
    endpoint: &Endpoint,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<PutBucketTaggingOutput> {
    check(&request.input.tagging, BUCKET_TAGS_MAX)?;
    // A bucket with an empty set of tags has none.
    let text = (!request.input.tagging.tag_set.is_empty()).then(|| xml(&request.input.tagging)).transpose()?;
    endpoint.set(&request.input.bucket, TAGGING, text)?;
    Ok(PutBucketTaggingOutput {})
}

pub(super) fn delete_of_bucket(
    endpoint: &Endpoint,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<DeleteBucketTaggingOutput> {
    endpoint.set(&request.input.bucket, TAGGING, None)?;
    Ok(DeleteBucketTaggingOutput {})
}

pub(super) fn get(endpoint: &Endpoint, request: S3Request<GetObjectTaggingInput>) -> S3Result<GetObjectTaggingOutput> {
    let input = request.input;
    read::is_only_version(input.version_id.as_deref(), None)?;
    let stored = find(&endpoint.bucket(&input.bucket)?, &input.key)?;
    let tags = stored.tags().into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) });
    Ok(GetObjectTaggingOutput { tag_set: tags.collect(), version_id: None })
}

pub(super) fn put(endpoint: &Endpoint, request: S3Request<PutObjectTaggingInput>) -> S3Result<PutObjectTaggingOutput> {
    let input = request.input;
    read::is_only_version(input.version_id.as_deref(), None)?;
    check(&input.tagging, OBJECT_TAGS_MAX)?;
    let mut text = form_urlencoded::Serializer::new(String::new());
    for tag in &input.tagging.tag_set {
        text.append_pair(tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default());
    }
    endpoint.set_tags(&input.bucket, &input.key, Some(text.finish()))?;
    Ok(PutObjectTaggingOutput::default())
}

pub(super) fn delete(
    endpoint: &Endpoint,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<DeleteObjectTaggingOutput> {
    read::is_only_version(request.input.version_id.as_deref(), None)?;
    endpoint.set_tags(&request.input.bucket, &request.input.key, None)?;
    Ok(DeleteObjectTaggingOutput::default())
}

impl Endpoint {
    fn set_tags(&self, bucket: &str, key: &str, tags: Option<String>) -> S3Result<()> {
        let bucket = self.bucket(bucket)?;
        let _changes = self.changes.lock();
        let mut stored = find(&bucket, key)?;
        stored.attributes.settings.remove(TAGS);
        stored.attributes.settings.extend(tags.filter(|tags| !tags.is_empty()).map(|tags| (TAGS.to_owned(), tags)));
        bucket.set_attributes(&stored.object, &stored.attributes).map_err(failed)
    }
}

fn find(bucket: &FolderBucket, key: &str) -> S3Result<Stored> {
    let found = Stored::open(bucket, key).map_err(failed)?;
    found.map(|(stored, _)| stored).ok_or_else(no_such_key)
}

fn check(tagging: &Tagging, max: usize) -> S3Result<()> {
    let invalid = |message: String| Err(fault(S3ErrorCode::InvalidTag, message));
    if tagging.tag_set.len() > max {
        let message = format!("Object tags cannot be greater than {max}");
        return Err(super::fault::other("BadRequest", axum::http::StatusCode::BAD_REQUEST, message));
    }
    let mut keys = HashSet::new();
    for tag in &tagging.tag_set {
        let (key, value) = (tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 {
            return invalid("The TagKey you have provided is invalid".to_owned());
        }
        if value.chars().count() > 256 {
            return invalid("The TagValue you have provided is invalid".to_owned());
        }
        if key.starts_with("aws:") {
            return invalid("System tags cannot be added/updated by requester".to_owned());
        }
        if !keys.insert(key) {
            return invalid("Cannot provide multiple Tags with the same key".to_owned());
        }
    }
    Ok(())
}

//! The operations of S3 that read, over folder buckets.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use aws::{AccountId, Region, page_token};
use bucket::{BucketLocation, Buckets, FolderBucket, Listing};
use git::FilePart;
use s3s::dto::{
    Bucket, BucketLocationConstraint, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Metadata, Owner,
    ServerSideEncryption, StreamingBlob, Timestamp,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::condition::{Condition, last_modified, selected};
use super::listing::{Encoding, Entries, entity_tag, keys_max};
use crate::{blocking, body};

/// The implementation over all buckets, which belong to one account and region.
pub(super) struct Reader {
    pub(super) buckets: Arc<Buckets>,
    pub(super) owner: AccountId,
    pub(super) region: Region,
}

/// The arguments of a listing, of either version.
struct ListRequest {
    bucket: String,
    prefix: String,
    delimiter: String,
    after: String,
    keys_max: i32,
}

#[async_trait::async_trait]
impl S3 for Reader {
    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let ListBucketsInput { bucket_region, continuation_token, max_buckets, prefix } = request.input;
        let after = continuation_token.as_deref().map(|token| decode(&["ListBuckets"], token)).transpose()?;
        let here = bucket_region.is_none_or(|region| region == self.region.as_str());
        let max = usize::try_from(max_buckets.unwrap_or(i32::MAX)).unwrap_or(0).max(1);
        let start = prefix.clone().unwrap_or_default();
        let buckets = Arc::clone(&self.buckets);
        let mut names: Vec<(String, Timestamp)> = blocking::run(move || {
            let names = buckets.names()?.into_iter().filter(|name| here && name.starts_with(&start));
            let names = names.filter(|name| after.as_ref().is_none_or(|after| name > after));
            Ok(names.map(|name| (name.clone(), created(&buckets.folder(&name)))).collect())
        })
        .await
        .map_err(unreadable)?;
        let is_more = names.len() > max;
        names.truncate(max);
        let last = names.last().filter(|_| is_more).map(|(name, _)| name.as_bytes());
        let bucket = |(name, created)| Bucket { name: Some(name), creation_date: Some(created), bucket_region: None };
        Ok(S3Response::new(ListBucketsOutput {
            continuation_token: last.map(|last| page_token::encode(&["ListBuckets"], last)),
            buckets: Some(names.into_iter().map(bucket).collect()),
            owner: Some(self.owner()),
            prefix,
        }))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&request.input.bucket)?;
        let bucket_region = Some(self.region.as_str().to_owned());
        Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.bucket(&request.input.bucket)?;
        // The location of buckets in us-east-1 is empty.
        let region = Some(self.region.as_str()).filter(|region| *region != "us-east-1");
        let location_constraint = region.map(|region| BucketLocationConstraint::from(region.to_owned()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let encoding = Encoding::parse(input.encoding_type.as_ref())?;
        let list = ListRequest {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: input.marker.clone().unwrap_or_default(),
            keys_max: keys_max(input.max_keys)?,
        };
        let keys_max = list.keys_max;
        let page = self.page(list).await?;
        let Entries { objects, prefixes } = encoding.entries(&page, Some(&self.owner()));
        let write = |text: Option<String>| text.map(|text| encoding.write(&text));
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            is_truncated: Some(page.next.is_some()),
            // Without a delimiter, clients continue after the last key.
            next_marker: write(page.next.filter(|_| input.delimiter.is_some())),
            marker: Some(encoding.write(input.marker.as_deref().unwrap_or_default())),
            prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
            delimiter: write(input.delimiter),
            max_keys: Some(keys_max),
            contents: Some(objects),
            common_prefixes: Some(prefixes),
            encoding_type: input.encoding_type,
            request_charged: None,
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let encoding = Encoding::parse(input.encoding_type.as_ref())?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let delimiter = input.delimiter.clone().unwrap_or_default();
        let scope = ["ListObjectsV2", &input.bucket, &prefix, &delimiter];
        let token = input.continuation_token.as_deref().map(|token| decode(&scope, token)).transpose()?;
        let list = ListRequest {
            bucket: input.bucket.clone(),
            prefix: prefix.clone(),
            delimiter: delimiter.clone(),
            after: token.or_else(|| input.start_after.clone()).unwrap_or_default(),
            keys_max: keys_max(input.max_keys)?,
        };
        let keys_max = list.keys_max;
        let page = self.page(list).await?;
        let owner = input.fetch_owner.unwrap_or(false).then(|| self.owner());
        let Entries { objects, prefixes } = encoding.entries(&page, owner.as_ref());
        let write = |text: Option<String>| text.map(|text| encoding.write(&text));
        Ok(S3Response::new(ListObjectsV2Output {
            next_continuation_token: page.next.as_ref().map(|next| page_token::encode(&scope, next.as_bytes())),
            name: Some(input.bucket),
            is_truncated: Some(page.next.is_some()),
            prefix: Some(encoding.write(&prefix)),
            delimiter: write(input.delimiter),
            start_after: write(input.start_after),
            continuation_token: input.continuation_token,
            max_keys: Some(keys_max),
            key_count: i32::try_from(objects.len() + prefixes.len()).ok(),
            contents: Some(objects),
            common_prefixes: Some(prefixes),
            encoding_type: input.encoding_type,
            request_charged: None,
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        is_only_version(input.version_id.as_deref(), input.part_number)?;
        let condition = Condition {
            matching: input.if_match,
            none_match: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        };
        let (object, _file, metadata) = self.object(&input.bucket, &input.key).await?;
        condition.check(&object)?;
        let [content_type, content_encoding] = content(&object.key);
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(length(object.bytes)),
            content_type,
            content_encoding,
            e_tag: Some(entity_tag(&object)),
            last_modified: Some(last_modified(&object)),
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
            server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        is_only_version(input.version_id.as_deref(), input.part_number)?;
        let condition = Condition {
            matching: input.if_match,
            none_match: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        };
        let (object, file, metadata) = self.object(&input.bucket, &input.key).await?;
        condition.check(&object)?;
        let range = input.range.map(|range| selected(range, object.bytes)).transpose()?;
        let content_range =
            range.as_ref().map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, object.bytes));
        let range = range.unwrap_or(0..object.bytes);
        let bytes = range.end - range.start;
        // The file is read as the client receives it; after a read error the client receives less than the announced length.
        let body = body::FileBody(FilePart::new(Arc::new(file), range));
        let [content_type, content_encoding] = content(&object.key);
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(body)),
            content_length: Some(length(bytes)),
            content_range,
            content_type,
            content_encoding,
            e_tag: Some(entity_tag(&object)),
            last_modified: Some(last_modified(&object)),
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
            server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
            ..GetObjectOutput::default()
        }))
    }
}

impl Reader {
    /// Finds a folder bucket.
    fn bucket(&self, name: &str) -> S3Result<FolderBucket> {
        match self.buckets.find(name) {
            Some(BucketLocation::Folder(bucket)) => Ok(bucket),
            Some(BucketLocation::Remote) => {
                // No redirection: the AWS SDK for Python would follow it for ever.
                let message =
                    format!("The bucket {name} is at another endpoint, which the settings file names; read it there.");
                Err(S3Error::with_message(S3ErrorCode::InvalidBucketState, message))
            }
            None => Err(S3Error::with_message(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist")),
        }
    }

    /// Lists a page of objects.
    async fn page(&self, list: ListRequest) -> S3Result<bucket::Page> {
        let bucket = self.bucket(&list.bucket)?;
        blocking::run(move || {
            bucket.list(Listing {
                prefix: &list.prefix,
                delimiter: &list.delimiter,
                after: &list.after,
                max: usize::try_from(list.keys_max).unwrap_or(0),
            })
        })
        .await
        .map_err(unreadable)
    }

    /// Opens an object and reads its metadata.
    async fn object(&self, bucket: &str, key: &str) -> S3Result<(bucket::Object, File, Metadata)> {
        let bucket = self.bucket(bucket)?;
        let wanted_key = key.to_owned();
        let read = move || {
            let Some((object, file)) = bucket.open(&wanted_key)? else { return Ok(None) };
            let metadata = bucket.metadata(&wanted_key)?.into_iter().collect();
            Ok(Some((object, file, metadata)))
        };
        let read = blocking::run(read).await.map_err(unreadable)?;
        read.ok_or_else(|| S3Error::with_message(S3ErrorCode::NoSuchKey, "The specified key does not exist."))
    }

    /// Returns the owner with a canonical user id, which is derived from the account id.
    fn owner(&self) -> Owner {
        let half = |name: &str| aws::stable_hash::fnv1a_128(&format!("{}/{name}", self.owner));
        Owner { id: Some(format!("{:032x}{:032x}", half("canonical"), half("user"))), display_name: None }
    }
}

/// Returns the creation time of a bucket; clients require one, so it is the epoch for remote buckets.
fn created(bucket: &FolderBucket) -> Timestamp {
    let folder = bucket.folder().metadata();
    let created = folder.and_then(|folder| folder.created().or_else(|_| folder.modified()));
    created.unwrap_or(SystemTime::UNIX_EPOCH).into()
}

/// Returns the content type and encoding of an object: those of CloudTrail's files, or the default of S3.
fn content(key: &str) -> [Option<String>; 2] {
    if key.ends_with(".json.gz") {
        [Some("application/json".to_owned()), Some("gzip".to_owned())]
    } else {
        [Some("binary/octet-stream".to_owned()), None]
    }
}

/// Refuses versions and parts of an object other than the only one.
fn is_only_version(version: Option<&str>, part: Option<i32>) -> S3Result<()> {
    if version.is_some_and(|version| version != "null") {
        return Err(S3Error::with_message(S3ErrorCode::InvalidArgument, "Invalid version id specified"));
    }
    if part.is_some_and(|part| part != 1) {
        let message = "The object has one part, whose number is 1.";
        return Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message));
    }
    Ok(())
}

/// Decodes a continuation token.
fn decode(scope: &[&str], token: &str) -> S3Result<String> {
    let last = page_token::decode(scope, token).and_then(|last| String::from_utf8(last).ok());
    let message = "The continuation token provided is incorrect";
    last.ok_or_else(|| S3Error::with_message(S3ErrorCode::InvalidArgument, message))
}

fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn unreadable(error: io::Error) -> S3Error {
    tracing::error!(%error, "cannot read a bucket");
    S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))
}

//! Listings of objects, in both versions, and of their versions, of which each object has one.

use aws::page_token;
use bucket::Listing;
use s3s::dto::{
    ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, ObjectVersion,
};
use s3s::{S3Request, S3Result};

use super::endpoint::Endpoint;
use super::fault::{failed, invalid_argument};
use super::listing::{Encoding, Entries, StoredPage, keys_max};
use super::read::length;
use super::stored::Stored;

/// The arguments of a listing, of either version.
struct ListRequest<'a> {
    bucket: &'a str,
    prefix: &'a str,
    delimiter: &'a str,
    after: &'a str,
    keys_max: i32,
}

impl<'a> ListRequest<'a> {
    /// Reads the arguments; a missing text is as an empty one.
    fn new(
        bucket: &'a str,
        prefix: Option<&'a str>,
        delimiter: Option<&'a str>,
        after: Option<&'a str>,
        keys: Option<i32>,
    ) -> S3Result<Self> {
        let [prefix, delimiter, after] = [prefix, delimiter, after].map(Option::unwrap_or_default);
        Ok(Self { bucket, prefix, delimiter, after, keys_max: keys_max(keys)? })
    }
}

pub(super) fn objects(endpoint: &Endpoint, request: S3Request<ListObjectsInput>) -> S3Result<ListObjectsOutput> {
    let input = request.input;
    let encoding = Encoding::parse(input.encoding_type.as_ref())?;
    let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
    let list = ListRequest::new(&input.bucket, prefix, delimiter, input.marker.as_deref(), input.max_keys)?;
    let page = endpoint.page(&list)?;
    let Entries { objects, prefixes } = encoding.entries(&page, Some(&endpoint.owner()));
    let write = |text: Option<String>| text.map(|text| encoding.write(&text));
    Ok(ListObjectsOutput {
        is_truncated: Some(page.next.is_some()),
        // Without a delimiter, clients continue after the last key.
        next_marker: write(page.next.filter(|_| input.delimiter.is_some())),
        marker: Some(encoding.write(list.after)),
        prefix: Some(encoding.write(list.prefix)),
        max_keys: Some(list.keys_max),
        delimiter: write(input.delimiter),
        name: Some(input.bucket),
        contents: Some(objects),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

pub(super) fn objects_v2(endpoint: &Endpoint, request: S3Request<ListObjectsV2Input>) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let encoding = Encoding::parse(input.encoding_type.as_ref())?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().unwrap_or_default();
    let scope = ["ListObjectsV2", &input.bucket, prefix, delimiter];
    let token = input.continuation_token.as_deref().map(|token| decode(&scope, token)).transpose()?;
    let after = token.as_deref().or(input.start_after.as_deref());
    let list = ListRequest::new(&input.bucket, Some(prefix), Some(delimiter), after, input.max_keys)?;
    let page = endpoint.page(&list)?;
    let owner = input.fetch_owner.unwrap_or(false).then(|| endpoint.owner());
    let Entries { objects, prefixes } = encoding.entries(&page, owner.as_ref());
    let write = |text: Option<&str>| text.map(|text| encoding.write(text));
    Ok(ListObjectsV2Output {
        next_continuation_token: page.next.as_ref().map(|next| page_token::encode(&scope, next.as_bytes())),
        is_truncated: Some(page.next.is_some()),
        prefix: Some(encoding.write(prefix)),
        delimiter: write(input.delimiter.as_deref()),
        start_after: write(input.start_after.as_deref()),
        max_keys: Some(list.keys_max),
        key_count: i32::try_from(objects.len() + prefixes.len()).ok(),
        name: Some(input.bucket),
        continuation_token: input.continuation_token,
        contents: Some(objects),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

pub(super) fn versions(
    endpoint: &Endpoint,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<ListObjectVersionsOutput> {
    let input = request.input;
    let encoding = Encoding::parse(input.encoding_type.as_ref())?;
    let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
    let list = ListRequest::new(&input.bucket, prefix, delimiter, input.key_marker.as_deref(), input.max_keys)?;
    let page = endpoint.page(&list)?;
    let version = |stored: &Stored| ObjectVersion {
        key: Some(encoding.write(&stored.object.key)),
        version_id: Some("null".to_owned()),
        is_latest: Some(true),
        last_modified: Some(stored.object.modified.into()),
        e_tag: Some(stored.tag()),
        size: Some(length(stored.object.bytes)),
        owner: Some(endpoint.owner()),
        storage_class: Some(stored.class().to_owned().into()),
        ..ObjectVersion::default()
    };
    let versions = page.objects.iter().map(version).collect();
    let Entries { prefixes, .. } = encoding.entries(&page, None);
    let next = page.next.as_deref().map(|next| encoding.write(next));
    Ok(ListObjectVersionsOutput {
        is_truncated: Some(next.is_some()),
        next_version_id_marker: next.as_ref().map(|_| "null".to_owned()),
        next_key_marker: next,
        key_marker: Some(encoding.write(list.after)),
        prefix: Some(encoding.write(list.prefix)),
        max_keys: Some(list.keys_max),
        delimiter: input.delimiter.as_deref().map(|text| encoding.write(text)),
        version_id_marker: input.version_id_marker,
        name: Some(input.bucket),
        versions: Some(versions),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type,
        ..ListObjectVersionsOutput::default()
    })
}

impl Endpoint {
    /// Lists a page of objects with their attributes.
    fn page(&self, list: &ListRequest<'_>) -> S3Result<StoredPage> {
        let bucket = self.bucket(list.bucket)?;
        let page = bucket.list(Listing {
            prefix: list.prefix,
            delimiter: list.delimiter,
            after: list.after,
            max: usize::try_from(list.keys_max).unwrap_or(0),
        });
        let page = page.map_err(failed)?;
        let objects = page.objects.into_iter().map(|object| Stored::read(&bucket, object));
        let objects = objects.collect::<Result<_, _>>().map_err(failed)?;
        Ok(StoredPage { objects, prefixes: page.prefixes, next: page.next })
    }
}

/// Decodes a continuation token.
pub(super) fn decode(scope: &[&str], token: &str) -> S3Result<String> {
    let last = page_token::decode(scope, token).and_then(|last| String::from_utf8(last).ok());
    last.ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

//! The attributes of an object without its content: entity tag, checksum, size, storage class and parts.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Response;
use axum::http::header::CONTENT_LENGTH;
use bucket::Part;
use http_body_util::{BodyExt, Collected};
use s3s::dto::{
    Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectAttributes,
    ObjectPart,
};
use s3s::{S3Request, S3Result};

use super::checksum::{self, Algorithm};
use super::condition::last_modified;
use super::endpoint::{Endpoint, requester};
use super::fault::{failed, invalid_argument, no_such_key};
use super::listing::keys_max;
use super::read::{is_only_version, length};
use super::receive::ETAG;
use super::stored::{self, Stored};

/// The operation.
pub(super) const NAME: &str = "GetObjectAttributes";

/// The attribute of a content with the parts that it was uploaded in: `NUMBER:BYTES:CHECKSUM` of each, with blanks between them.
const PARTS: &str = "parts";

/// What a request can ask for.
const KNOWN: [&str; 5] = [
    ObjectAttributes::ETAG,
    ObjectAttributes::CHECKSUM,
    ObjectAttributes::OBJECT_PARTS,
    ObjectAttributes::STORAGE_CLASS,
    ObjectAttributes::OBJECT_SIZE,
];

pub(super) fn get(
    endpoint: &Endpoint,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<GetObjectAttributesOutput> {
    let requester = requester(&request)?.clone();
    let input = request.input;
    is_only_version(input.version_id.as_deref(), None)?;
    let wanted: Vec<&str> =
        input.object_attributes.iter().flat_map(|names| names.as_str().split(',')).map(str::trim).collect();
    if wanted.iter().any(|name| !KNOWN.contains(name)) {
        return Err(invalid_argument("Invalid attribute name specified."));
    }
    let bucket = endpoint.bucket(&input.bucket)?;
    // As at S3, the action of the operation alone does not let its caller read anything.
    requester.allow(&bucket, "s3:GetObject", &format!("{}/{}", input.bucket, input.key))?;
    let (stored, _file) = Stored::open(&bucket, &input.key).map_err(failed)?.ok_or_else(no_such_key)?;
    let is_wanted = |name: &str| wanted.contains(&name);
    let of_content = &stored.attributes.of_content;
    let parts = is_wanted(ObjectAttributes::OBJECT_PARTS)
        .then(|| parts(of_content, input.max_parts, input.part_number_marker.unwrap_or(0)))
        .flatten();
    Ok(GetObjectAttributesOutput {
        checksum: checksum_of(of_content).filter(|_| is_wanted(ObjectAttributes::CHECKSUM)),
        e_tag: is_wanted(ObjectAttributes::ETAG).then(|| stored.tag()),
        last_modified: Some(last_modified(&stored.object)),
        object_parts: parts.transpose()?,
        object_size: is_wanted(ObjectAttributes::OBJECT_SIZE).then(|| length(stored.object.bytes)),
        storage_class: is_wanted(ObjectAttributes::STORAGE_CLASS).then(|| stored.class().to_owned().into()),
        ..GetObjectAttributesOutput::default()
    })
}

/// Returns the attributes of a content that was put together of parts with checksums.
pub(super) fn of_parts(parts: &[(u32, Part)], algorithm: Algorithm) -> Option<(String, String)> {
    let written = parts.iter().map(|(number, part)| {
        let checksum = part.attributes.get(&algorithm.header())?;
        Some(format!("{number}:{}:{checksum}", part.bytes))
    });
    Some((PARTS.to_owned(), written.collect::<Option<Vec<_>>>()?.join(" ")))
}

/// Writes the entity tag without its quotes, as S3 does in this reply only.
pub(super) async fn without_quotes(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let document = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let document = String::from_utf8_lossy(&document).replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>");
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, document.into())
}

fn checksum_of(of_content: &BTreeMap<String, String>) -> Option<Checksum> {
    let checksum_type = stored::checksum_type(of_content)?;
    let mut checksum = Checksum { checksum_type: Some(checksum_type.into()), ..Checksum::default() };
    checksum::show!(checksum, of_content);
    Some(checksum)
}

/// Returns the parts of an object that was uploaded in parts: their number, and those with checksums after `marker`.
fn parts(
    of_content: &BTreeMap<String, String>,
    max: Option<i32>,
    marker: i32,
) -> Option<S3Result<GetObjectAttributesParts>> {
    let count: i32 = of_content.get(ETAG)?.split_once('-')?.1.parse().ok()?;
    let total = GetObjectAttributesParts { total_parts_count: Some(count), ..GetObjectAttributesParts::default() };
    let Some(written) = of_content.get(PARTS) else { return Some(Ok(total)) };
    let max = match keys_max(max) {
        Ok(max) => max,
        Err(error) => return Some(Err(error)),
    };
    let algorithm = of_content.keys().find_map(|name| Algorithm::of_header(name));
    let rest: Vec<ObjectPart> = written.split(' ').filter_map(|part| read_part(part, algorithm?)).collect();
    let rest: Vec<ObjectPart> = rest.into_iter().filter(|part| part.part_number > Some(marker)).collect();
    let room = usize::try_from(max).unwrap_or(0);
    let is_truncated = rest.len() > room;
    let shown: Vec<ObjectPart> = rest.into_iter().take(room).collect();
    Some(Ok(GetObjectAttributesParts {
        is_truncated: Some(is_truncated),
        max_parts: Some(max),
        next_part_number_marker: Some(shown.last().and_then(|part| part.part_number).unwrap_or(marker)),
        part_number_marker: Some(marker),
        parts: Some(shown),
        ..total
    }))
}

fn read_part(written: &str, algorithm: Algorithm) -> Option<ObjectPart> {
    let mut members = written.splitn(3, ':');
    let (number, bytes, checksum) = (members.next()?, members.next()?, members.next()?);
    let mut part = ObjectPart { part_number: number.parse().ok(), size: bytes.parse().ok(), ..ObjectPart::default() };
    checksum::show!(part, BTreeMap::from([(algorithm.header(), checksum.to_owned())]));
    Some(part)
}

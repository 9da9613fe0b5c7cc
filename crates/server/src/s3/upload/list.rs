//! Listings of multipart uploads and of their parts.

use std::collections::BTreeSet;

use bucket::{Part, Upload};
use s3s::dto::{
    CommonPrefix, ETag, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part as PartOutput, StorageClass,
};
use s3s::{S3Request, S3Result};

use super::{ALGORITHM, INITIATOR, find, key};
use crate::s3::checksum;
use crate::s3::endpoint::Endpoint;
use crate::s3::fault::failed;
use crate::s3::listing::{Encoding, keys_max};
use crate::s3::read::length;
use crate::s3::receive::ETAG;
use crate::s3::stored::STORAGE_CLASS;

pub(in crate::s3) fn parts(endpoint: &Endpoint, request: S3Request<ListPartsInput>) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let bucket = endpoint.bucket(&input.bucket)?;
    let upload = find(&bucket, &input.upload_id, &input.key)?;
    let max = keys_max(input.max_parts)?;
    let after = input.part_number_marker.unwrap_or(0);
    let all = upload.parts().map_err(failed)?;
    let rest = all.iter().filter_map(|(number, part)| Some((i32::try_from(*number).ok()?, part)));
    let rest: Vec<(i32, &Part)> = rest.filter(|(number, _)| *number > after).collect();
    let shown = &rest[..rest.len().min(usize::try_from(max).unwrap_or(0))];
    let has_checksums = upload.description.of_content.contains_key(ALGORITHM);
    let parts = shown.iter().map(|(number, part)| {
        let mut output = PartOutput {
            part_number: Some(*number),
            size: Some(length(part.bytes)),
            e_tag: part.attributes.get(ETAG).cloned().map(ETag::Strong),
            last_modified: Some(part.modified.into()),
            ..PartOutput::default()
        };
        if has_checksums {
            checksum::show!(output, part.attributes);
        }
        output
    });
    let of_upload = |name: &str| upload.description.of_content.get(name).cloned();
    Ok(ListPartsOutput {
        is_truncated: Some(shown.len() < rest.len()),
        next_part_number_marker: shown.last().map(|(number, _)| *number).filter(|_| shown.len() < rest.len()),
        parts: Some(parts.collect()),
        part_number_marker: Some(after),
        max_parts: Some(max),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: of_upload(ALGORITHM).map(Into::into),
        checksum_type: of_upload(checksum::TYPE).map(Into::into),
        initiator: Some(initiator(&upload)),
        owner: Some(endpoint.owner()),
        storage_class: Some(class(&upload).into()),
        ..ListPartsOutput::default()
    })
}

/// Lists the uploads of a bucket by key, and those of one key by their time.
pub(in crate::s3) fn uploads(
    endpoint: &Endpoint,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    let encoding = Encoding::parse(input.encoding_type.as_ref())?;
    let bucket = endpoint.bucket(&input.bucket)?;
    let max = keys_max(input.max_uploads)?;
    let room = usize::try_from(max).unwrap_or(0);
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().unwrap_or_default();
    let (after, after_id) = (input.key_marker.as_deref().unwrap_or_default(), input.upload_id_marker.as_deref());
    let mut all = bucket.uploads().map_err(failed)?;
    all.sort_by_cached_key(|(id, upload)| (key(upload).to_owned(), upload.begun, id.clone()));
    let marked = after_id.and_then(|id| all.iter().position(|(other, upload)| other == id && key(upload) == after));
    let mut rest: Vec<&(String, Upload)> = match marked {
        Some(position) => all[position + 1..].iter().collect(),
        None => all.iter().filter(|(_, upload)| key(upload) > after || after.is_empty()).collect(),
    };
    rest.retain(|(_, upload)| key(upload).starts_with(prefix));
    let (mut uploads, mut prefixes, mut last, mut is_truncated) = (Vec::new(), BTreeSet::new(), None, false);
    for (id, upload) in rest {
        let own = key(upload);
        let group = if delimiter.is_empty() { None } else { own[prefix.len()..].find(delimiter) };
        let group = group.map(|at| &own[..prefix.len() + at + delimiter.len()]);
        if group.is_some_and(|group| prefixes.contains(group)) {
            continue;
        }
        if uploads.len() + prefixes.len() == room {
            is_truncated = true;
            break;
        }
        last = Some((own, id));
        match group {
            Some(group) => drop(prefixes.insert(group.to_owned())),
            None => uploads.push(MultipartUpload {
                key: Some(encoding.write(own)),
                upload_id: Some(id.clone()),
                initiated: Some(upload.begun.into()),
                initiator: Some(initiator(upload)),
                owner: Some(endpoint.owner()),
                storage_class: Some(class(upload).into()),
                checksum_algorithm: upload.description.of_content.get(ALGORITHM).cloned().map(Into::into),
                checksum_type: upload.description.of_content.get(checksum::TYPE).cloned().map(Into::into),
            }),
        }
    }
    let last = last.filter(|_| is_truncated);
    let prefixes = prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(encoding.write(prefix)) });
    Ok(ListMultipartUploadsOutput {
        next_key_marker: last.map(|(key, _)| encoding.write(key)),
        next_upload_id_marker: last.map(|(_, id)| id.clone()),
        common_prefixes: Some(prefixes.collect()),
        uploads: Some(uploads),
        is_truncated: Some(is_truncated),
        max_uploads: Some(max),
        prefix: Some(encoding.write(prefix)),
        delimiter: input.delimiter.as_deref().map(|text| encoding.write(text)),
        key_marker: Some(encoding.write(after)),
        upload_id_marker: input.upload_id_marker,
        bucket: Some(input.bucket),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

fn initiator(upload: &Upload) -> Initiator {
    let arn = upload.description.of_content.get(INITIATOR).cloned();
    Initiator { display_name: arn.as_deref().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned), id: arn }
}

fn class(upload: &Upload) -> String {
    upload.description.settings.get(STORAGE_CLASS).cloned().unwrap_or_else(|| StorageClass::STANDARD.to_owned())
}

//! The completion of a multipart upload: its parts are put together in the order of their numbers.

use std::collections::BTreeMap;
use std::io::Read;

use bucket::{FolderBucket, Incoming, Part, Upload};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::{algorithm, find};
use crate::s3::attributes;
use crate::s3::checksum::{self, Algorithm, Hasher};
use crate::s3::endpoint::{Endpoint, call};
use crate::s3::fault::{failed, fault, invalid_argument};
use crate::s3::read;
use crate::s3::receive::ETAG;
use crate::s3::stored::{self, Stored};
use crate::s3::write::PutCondition;

/// The smallest part but the last one, in bytes.
const PART_BYTES_MIN: u64 = 5 << 20;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

pub(in crate::s3) fn complete(
    endpoint: &Endpoint,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let id = call(&request)?.request_id().to_owned();
    let host = call(&request)?.host.clone().unwrap_or_default();
    let input = request.input;
    let bucket = endpoint.bucket(&input.bucket)?;
    let upload = find(&bucket, &input.upload_id, &input.key)?;
    let asked = input.multipart_upload.as_ref().and_then(|upload| upload.parts.clone()).unwrap_or_default();
    let parts = selected(&upload, &asked)?;
    let bytes: u64 = parts.iter().map(|(_, part)| part.bytes).sum();
    if input.mpu_object_size.is_some_and(|size| u64::try_from(size) != Ok(bytes)) {
        let message = format!("The x-amz-mp-object-size is not the size of the parts together, which is {bytes}.");
        return Err(fault(S3ErrorCode::InvalidRequest, message));
    }
    let condition = PutCondition { if_match: input.if_match.clone(), if_none_match: input.if_none_match.clone() };
    condition.check_form()?;
    let mut described = upload.description.clone();
    let kind = described.of_content.get(checksum::TYPE).cloned();
    let is_full = kind.as_deref() == Some(ChecksumType::FULL_OBJECT);
    let full = algorithm(&upload).filter(|_| is_full);
    let (incoming, computed) = put_together(&bucket, &id, &upload, &parts, full)?;
    described.of_content = BTreeMap::from([(ETAG.to_owned(), tag(&parts))]);
    if let Some(algorithm) = algorithm(&upload) {
        let value = computed.or_else(|| composite(algorithm, &parts));
        if let (Some((_, sent)), Some(computed)) =
            (checksum::given!(input).iter().find(|(other, _)| *other == algorithm), &value)
        {
            algorithm
                .compare(sent.split('-').next().unwrap_or_default(), computed.split('-').next().unwrap_or_default())?;
        }
        described.of_content.extend(value.map(|value| (algorithm.header(), value)));
        described.of_content.extend(kind.map(|kind| (checksum::TYPE.to_owned(), kind)));
        described.of_content.extend(attributes::of_parts(&parts, algorithm));
    }
    let _changes = endpoint.changes.lock();
    // Another request may have completed or aborted it meanwhile.
    let upload = find(&bucket, &input.upload_id, &input.key)?;
    condition.check(Stored::open(&bucket, &input.key).map_err(failed)?.map(|(stored, _)| stored).as_ref())?;
    let object = bucket.put_received(&input.key, incoming, &described).map_err(failed)?;
    upload.remove().map_err(failed)?;
    let stored = Stored { object, attributes: described };
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("http://{host}/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(stored.tag()),
        checksum_type: stored::checksum_type(&stored.attributes.of_content).map(Into::into),
        server_side_encryption: Some(read::encryption(&stored)),
        ssekms_key_id: stored.setting(stored::KMS_KEY),
        ..CompleteMultipartUploadOutput::default()
    };
    checksum::show!(output, stored.attributes.of_content);
    Ok(output)
}

/// Returns the parts that the request lists, and checks their order, entity tags, checksums and sizes.
fn selected(upload: &Upload, asked: &[CompletedPart]) -> S3Result<Vec<(u32, Part)>> {
    if asked.is_empty() {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(fault(S3ErrorCode::MalformedXML, message));
    }
    let mut existing = upload.parts().map_err(failed)?;
    let mut parts: Vec<(u32, Part)> = Vec::new();
    for one in asked {
        let number = super::part_number(one.part_number.unwrap_or(0))?;
        if parts.last().is_some_and(|(last, _)| *last >= number) {
            let message = "The list of parts was not in ascending order. The parts list must be specified in order by part number.";
            return Err(fault(S3ErrorCode::InvalidPartOrder, message));
        }
        let is_same = |part: &Part| {
            let tag = part.attributes.get(ETAG).map(String::as_str);
            let has_tag = one.e_tag.as_ref().is_none_or(|asked| Some(asked.value()) == tag);
            let sums = checksum::given!(one);
            has_tag && sums.iter().all(|(algorithm, sum)| part.attributes.get(&algorithm.header()) == Some(sum))
        };
        let Some(part) = existing.remove(&number).filter(is_same) else {
            let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                           specified entity tag may not match the part's entity tag.";
            return Err(fault(S3ErrorCode::InvalidPart, message));
        };
        parts.push((number, part));
    }
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|(_, part)| part.bytes < PART_BYTES_MIN) {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(fault(S3ErrorCode::EntityTooSmall, message));
    }
    Ok(parts)
}

/// Copies the parts into one file; computes the checksum of the whole content if its algorithm is given.
fn put_together(
    bucket: &FolderBucket,
    id: &str,
    upload: &Upload,
    parts: &[(u32, Part)],
    algorithm: Option<Algorithm>,
) -> S3Result<(Incoming, Option<String>)> {
    let mut incoming = bucket.receive(id).map_err(failed)?;
    let mut hasher = algorithm.map(Hasher::new);
    let mut piece = vec![0; if hasher.is_some() { PIECE_BYTES } else { 0 }];
    for (number, part) in parts {
        let mut file = upload.open_part(*number).map_err(failed)?;
        let before = incoming.bytes();
        match &mut hasher {
            None => drop(incoming.append_from(&mut file).map_err(failed)?),
            Some(hasher) => loop {
                let count = file.read(&mut piece).map_err(failed)?;
                if count == 0 {
                    break;
                }
                hasher.update(&piece[..count]);
                incoming.append(&piece[..count]).map_err(failed)?;
            },
        }
        if incoming.bytes() - before != part.bytes {
            return Err(invalid_argument("A part was replaced while the upload was completed."));
        }
    }
    Ok((incoming, hasher.map(Hasher::finish)))
}

/// Returns the entity tag: the MD5 of the MD5s of the parts, and their number.
fn tag(parts: &[(u32, Part)]) -> String {
    let mut md5 = Md5::new();
    for (_, part) in parts {
        let tag = part.attributes.get(ETAG).map_or("", String::as_str);
        let bytes: Vec<u8> =
            (0..tag.len() / 2).filter_map(|at| u8::from_str_radix(tag.get(2 * at..2 * at + 2)?, 16).ok()).collect();
        md5.update(&bytes);
    }
    format!("{}-{}", aws::hex::encode(md5.finalize().as_ref()), parts.len())
}

/// Returns the checksum of the checksums of the parts, and their number; `None` if a part has none.
fn composite(algorithm: Algorithm, parts: &[(u32, Part)]) -> Option<String> {
    let mut hasher = Hasher::new(algorithm);
    for (_, part) in parts {
        hasher.update(&checksum::decode(part.attributes.get(&algorithm.header())?)?);
    }
    Some(format!("{}-{}", hasher.finish(), parts.len()))
}

//! The restoration of archived objects, which is done at once.

use axum::http::StatusCode;
use s3s::dto::{RestoreObjectInput, RestoreObjectOutput};
use s3s::{S3ErrorCode, S3Request, S3Result};

use crate::s3::endpoint::Endpoint;
use crate::s3::fault::{failed, fault, no_such_key, other};
use crate::s3::read;
use crate::s3::stored::{RESTORED_UNTIL, Stored};

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub(in crate::s3) fn restore(
    endpoint: &Endpoint,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<RestoreObjectOutput> {
    let input = request.input;
    read::is_only_version(input.version_id.as_deref(), None)?;
    let bucket = endpoint.bucket(&input.bucket)?;
    let days = input.restore_request.as_ref().and_then(|restore| restore.days).filter(|days| *days > 0);
    let Some(days) = days else {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(fault(S3ErrorCode::MalformedXML, message));
    };
    let _changes = endpoint.changes.lock();
    let (mut stored, _file) = Stored::open(&bucket, &input.key).map_err(failed)?.ok_or_else(no_such_key)?;
    if !stored.is_archived(|| i64::MAX) {
        let message = "Restore is not allowed for the object's current storage class";
        return Err(other("InvalidObjectState", StatusCode::FORBIDDEN, message));
    }
    let until = endpoint.now().saturating_add(i64::from(days) * DAY_MILLIS);
    stored.attributes.settings.insert(RESTORED_UNTIL.to_owned(), until.to_string());
    bucket.set_attributes(&stored.object, &stored.attributes).map_err(failed)?;
    Ok(RestoreObjectOutput::default())
}

//! Errors of S3 with S3's own messages.

use std::borrow::Cow;
use std::io;

use axum::http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// Creates an error.
pub(super) fn fault(code: S3ErrorCode, message: impl Into<Cow<'static, str>>) -> S3Error {
    S3Error::with_message(code, message)
}

/// Creates an error whose code `s3s` does not know.
pub(super) fn other(code: &'static str, status: StatusCode, message: impl Into<Cow<'static, str>>) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

pub(super) fn invalid_argument(message: impl Into<Cow<'static, str>>) -> S3Error {
    fault(S3ErrorCode::InvalidArgument, message)
}

pub(super) fn no_such_bucket() -> S3Error {
    fault(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist")
}

pub(super) fn no_such_key() -> S3Error {
    fault(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

pub(super) fn precondition_failed() -> S3Error {
    fault(S3ErrorCode::PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// Converts a failure to read or write a bucket; a bucket whose folder is gone does not exist any more.
pub(super) fn failed(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::NotFound => no_such_bucket(),
        io::ErrorKind::PermissionDenied => {
            tracing::warn!(%error, "may not write to a bucket");
            fault(
                S3ErrorCode::AccessDenied,
                "Access Denied: the folder of the bucket does not let this server write there.",
            )
        }
        _ => {
            tracing::error!(%error, "cannot read or write a bucket");
            S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))
        }
    }
}

//! The gate of the S3 endpoint: which operation a request is, and that it only reads.

use std::sync::Arc;

use parking_lot::Mutex;
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// The operations that are there; all others are refused.
const OPERATIONS: [&str; 7] =
    ["GetBucketLocation", "GetObject", "HeadBucket", "HeadObject", "ListBuckets", "ListObjects", "ListObjectsV2"];

/// What a request turned out to ask for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The operation's name.
    pub(super) operation: String,
    /// The bucket, whether there is one or not.
    pub(super) bucket: Option<String>,
    /// The object's key, whether there is one or not.
    pub(super) key: Option<String>,
    /// Whether it would change something.
    pub(super) is_write: bool,
}

/// Where the gate notes what a request asks for; it travels with the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Note(Arc<Mutex<Option<Asked>>>);

impl Note {
    /// Takes what was noted; nothing is, where the request is no operation of S3's.
    pub(super) fn take(&self) -> Option<Asked> {
        self.0.lock().take()
    }
}

pub(super) struct Gate;

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_write = !context.method().is_safe();
        let asked = Asked {
            operation: context.s3_op().name().to_owned(),
            bucket: context.s3_path().get_bucket_name().map(str::to_owned),
            key: context.s3_path().get_object_key().map(str::to_owned),
            is_write,
        };
        let is_there = OPERATIONS.contains(&asked.operation.as_str());
        let operation = asked.operation.clone();
        if let Some(Note(note)) = context.extensions_mut().get() {
            *note.lock() = Some(asked);
        }
        if is_there {
            Ok(())
        } else if is_write {
            let message = "Access Denied: through this endpoint buckets can be read, and not changed.";
            Err(S3Error::with_message(S3ErrorCode::AccessDenied, message))
        } else {
            let message =
                format!("{operation} is not implemented: this endpoint lists buckets and objects and reads them.");
            Err(S3Error::with_message(S3ErrorCode::NotImplemented, message))
        }
    }
}

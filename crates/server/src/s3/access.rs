//! Access to the S3 endpoint: identifies the operation of a request and refuses all but those that read.

use std::sync::Arc;

use aws::{AccountId, Call, Denial, Facts, GlobalArn};
use parking_lot::Mutex;
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// The implemented operations; all others are refused.
const OPERATIONS: [&str; 7] =
    ["GetBucketLocation", "GetObject", "HeadBucket", "HeadObject", "ListBuckets", "ListObjects", "ListObjectsV2"];

/// The operation of a request.
#[derive(Clone, Debug)]
pub(super) struct S3Operation {
    /// The operation's name.
    pub(super) name: String,
    /// The name of the bucket, which need not exist.
    pub(super) bucket: Option<String>,
    /// The key of the object, which need not exist.
    pub(super) key: Option<String>,
    /// Whether it changes something.
    pub(super) is_write: bool,
}

/// An extension of a request in which the access check stores the operation.
#[derive(Clone, Debug, Default)]
pub(super) struct OperationSlot(Arc<Mutex<Option<S3Operation>>>);

impl OperationSlot {
    /// Takes the operation; `None` if the request is no operation of S3.
    pub(super) fn take(&self) -> Option<S3Operation> {
        self.0.lock().take()
    }
}

/// An extension of a request with its call, whose permission is requested, and the owner of the buckets.
#[derive(Clone, Debug)]
pub(super) struct Requester {
    pub(super) call: Arc<Call>,
    pub(super) owner: AccountId,
}

impl S3Operation {
    /// Requests the permission for the operation, whether or not its bucket and object exist.
    fn allow(&self, call: &Call, owner: &AccountId) -> Result<(), Denial> {
        let arn = |name: &str| GlobalArn::s3(call.region.partition(), name.to_owned()).to_string();
        let bucket = self.bucket.as_deref().unwrap_or_default();
        let (action, resource) = match (self.name.as_str(), &self.key) {
            ("ListBuckets", _) => ("ListAllMyBuckets", "*".to_owned()),
            ("HeadBucket" | "ListObjects" | "ListObjectsV2", _) => ("ListBucket", arn(bucket)),
            ("GetObject" | "HeadObject", Some(key)) => ("GetObject", arn(&format!("{bucket}/{key}"))),
            (name, Some(key)) => (name, arn(&format!("{bucket}/{key}"))),
            (name, None) => (name, arn(bucket)),
        };
        let facts = Facts::default().with("aws:ResourceAccount", owner.as_str());
        call.allow_action(&format!("s3:{action}"), &resource, &facts)
    }
}

/// The access check, which only lets operations pass that read.
pub(super) struct ReadOnly;

#[async_trait::async_trait]
impl S3Access for ReadOnly {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_write = !context.method().is_safe();
        let operation = S3Operation {
            name: context.s3_op().name().to_owned(),
            bucket: context.s3_path().get_bucket_name().map(str::to_owned),
            key: context.s3_path().get_object_key().map(str::to_owned),
            is_write,
        };
        let is_implemented = OPERATIONS.contains(&operation.name.as_str());
        let name = operation.name.clone();
        let requester = context.extensions_mut().get::<Requester>().cloned();
        let allowed = requester.map_or(Ok(()), |Requester { call, owner }| operation.allow(&call, &owner));
        // A denied operation is recorded, too.
        if let Some(OperationSlot(slot)) = context.extensions_mut().get() {
            *slot.lock() = Some(operation);
        }
        allowed.map_err(|denial| S3Error::with_message(S3ErrorCode::AccessDenied, denial.message))?;
        if is_implemented {
            Ok(())
        } else if is_write {
            let message = "Access Denied: through this endpoint buckets can be read, and not changed.";
            Err(S3Error::with_message(S3ErrorCode::AccessDenied, message))
        } else {
            let message = format!("{name} is not implemented: this endpoint lists buckets and objects and reads them.");
            Err(S3Error::with_message(S3ErrorCode::NotImplemented, message))
        }
    }
}

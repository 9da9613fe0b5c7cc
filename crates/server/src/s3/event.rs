//! Events of calls to S3.

use aws::{AccountId, Call, Failure, GlobalArn, Resource};
use axum::http::{HeaderMap, Uri};
use serde_json::{Map, Value};
use trail::Event;

use super::access::S3Operation;
use super::signature::{Signature, parameters_unsigned};

const EVENT_SOURCE: &str = "s3.amazonaws.com";

/// The operations on all objects of a bucket or a prefix; they are data events, like operations on one object.
///
/// The user guide of S3 calls them bucket-level operations that are logged as object-level actions.
const ON_OBJECTS: [&str; 6] =
    ["DeleteObjects", "HeadBucket", "ListObjectVersions", "ListObjects", "ListObjectsV2", "PostObject"];

/// The operations on one object that are management events, as they concern the configuration of object lock.
const ON_CONFIGURATION: [&str; 2] = ["GetObjectLockConfiguration", "PutObjectLockConfiguration"];

/// The operations whose events have other names; both versions of the listing are one event.
const EVENT_NAMES: [(&str, &str); 11] = [
    ("ListObjectsV2", "ListObjects"),
    ("GetBucketLifecycleConfiguration", "GetBucketLifecycle"),
    ("PutBucketLifecycleConfiguration", "PutBucketLifecycle"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeletePublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    ("GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
    ("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
];

/// The headers that records show among the parameters.
const HEADERS: [&str; 10] = [
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-tagging-directive",
];

/// What the event of a call needs of its request.
pub(super) struct RequestDetails<'r> {
    pub(super) uri: &'r Uri,
    pub(super) headers: &'r HeaderMap,
    pub(super) signature: Option<&'r Signature>,
    /// The size of the content that was sent.
    pub(super) bytes_in: u64,
}

/// Creates the event of a call, and adds the bucket and object, which belong to `owner`, to the resources of the call.
pub(super) fn of(
    call: &Call,
    operation: &S3Operation,
    request: &RequestDetails<'_>,
    owner: &AccountId,
    result: Result<u64, &Failure>,
) -> Event {
    let uri = request.uri;
    let name = EVENT_NAMES.iter().find(|(name, _)| *name == operation.name).map(|(_, event)| *event);
    let mut event = Event::new(name.unwrap_or(&operation.name), EVENT_SOURCE);
    event.read_only = !operation.is_write;
    event.request_parameters = parameters(call, operation, request);
    event.additional_event_data = additional(call, request, result.unwrap_or(0));
    event.failure = result.err().cloned();
    let partition = call.region.partition();
    let is_on_objects = ON_OBJECTS.contains(&operation.name.as_str());
    event.is_data = is_on_objects || operation.key.is_some() && !ON_CONFIGURATION.contains(&operation.name.as_str());
    if let Some(bucket) = operation.bucket.as_ref().filter(|_| is_on_objects) {
        let prefix = parameter(uri, "prefix").unwrap_or_default();
        event.object_prefix = Some(GlobalArn::s3(partition, format!("{bucket}/{prefix}")).to_string());
    }
    let concerns = |kind, name: String| {
        call.add_resource(Resource { kind, arn: GlobalArn::s3(partition, name).to_string(), account: owner.clone() });
    };
    if let Some(bucket) = &operation.bucket {
        if let Some(key) = &operation.key {
            concerns("AWS::S3::Object", format!("{bucket}/{key}"));
        }
        concerns("AWS::S3::Bucket", bucket.clone());
    }
    event
}

/// Returns the value of a query parameter.
fn parameter(uri: &Uri, wanted: &str) -> Option<String> {
    parameters_unsigned(uri).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// Returns `requestParameters`: the bucket, the key, the host, some headers, and the query parameters.
fn parameters(call: &Call, operation: &S3Operation, request: &RequestDetails<'_>) -> Value {
    let mut parameters = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), value.into());
        }
    };
    put("bucketName", operation.bucket.as_deref());
    put("Host", call.host.as_deref());
    put("key", operation.key.as_deref());
    for name in HEADERS {
        put(name, request.headers.get(name).and_then(|value| value.to_str().ok()));
    }
    for (name, value) in parameters_unsigned(request.uri) {
        put(&name, Some(&value));
    }
    Value::Object(parameters)
}

/// Returns `additionalEventData`: the signature, the cipher suite of TLS, and the sizes of the bodies.
fn additional(call: &Call, request: &RequestDetails<'_>, bytes_out: u64) -> Value {
    let signature = request.signature;
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    if let Some(signature) = signature {
        put("SignatureVersion", signature.version.into());
    }
    if let Some(tls) = call.tls {
        put("CipherSuite", tls.cipher_suite.into());
    }
    put("bytesTransferredIn", request.bytes_in.into());
    if let Some(signature) = signature {
        put("AuthenticationMethod", signature.method.into());
    }
    put("bytesTransferredOut", bytes_out.into());
    Value::Object(data)
}

//! Uploads in chunks that have signatures of their own, as AWS's crate for the SDK signs them: each must be valid, or nothing is stored.

use std::fmt::Write;
use std::fs;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_runtime_api::http::Headers;
use tests::{Reply, World};

use crate::signed::{MARY_MAJOR, python, world_with};

/// The value of `x-amz-content-sha256` of chunks without signed trailers.
const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/// CRC32 of `first second`, in base64; from Python's `zlib.crc32`.
const CHECKSUM: &str = "TMsbsw==";

const KEY: &str = "/my-logs/a/key";

/// Puts an object in two chunks, with a checksum in a trailer or not, after a change of the signed body.
fn put(world: &World, has_trailer: bool, change: impl FnOnce(&str) -> String) -> Reply {
    let (id, secret) = MARY_MAJOR;
    let identity = Credentials::new(id, secret, None, None, "test").into();
    let time = SystemTime::now();
    let parameters = || {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = SigningParams::builder().identity(&identity).region("us-east-1").name("s3").time(time);
        parameters.settings(settings).build().expect("the parameters are complete")
    };
    let mut headers = vec![("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "12")];
    let body = if has_trailer {
        headers.push(("x-amz-trailer", "x-amz-checksum-crc32"));
        SignableBody::StreamingSignedPayloadTrailer
    } else {
        SignableBody::Precomputed(STREAMING.to_owned())
    };
    let url = format!("{}{KEY}", world.endpoint());
    let signable =
        SignableRequest::new("PUT", &url, headers.iter().copied(), body).expect("the request is well-formed");
    let (instructions, mut running) =
        sign(signable, &parameters().into()).expect("the request can be signed").into_parts();
    let mut signed = ureq::http::Request::put(&url).body(()).expect("the URL is valid");
    instructions.apply_to_request_http1x(&mut signed);
    let (mut body, parameters) = (String::new(), parameters());
    for content in ["first ", "second", ""] {
        let chunk = sign_chunk(&content.as_bytes().to_vec().into(), &running, &parameters).expect("it can be signed");
        chunk.signature().clone_into(&mut running);
        write!(body, "{:x};chunk-signature={running}\r\n", content.len()).expect("writing to a string never fails");
        if !content.is_empty() {
            write!(body, "{content}\r\n").expect("writing to a string never fails");
        }
    }
    if has_trailer {
        let mut trailers = Headers::new();
        trailers.insert("x-amz-checksum-crc32", CHECKSUM);
        let signature = sign_trailer(&trailers, &running, &parameters).expect("it can be signed");
        let signature = signature.signature();
        write!(body, "x-amz-checksum-crc32:{CHECKSUM}\r\nx-amz-trailer-signature:{signature}\r\n")
            .expect("writing to a string never fails");
    }
    body.push_str("\r\n");
    let of_signature = signed.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("a text")));
    let all: Vec<_> = headers.iter().copied().chain(of_signature).collect();
    world.send("PUT", KEY, &all, change(&body).as_bytes())
}

/// Starts a server that verifies signatures, with a bucket.
fn world() -> World {
    let world = world_with(crate::signed::IDENTITIES, |_| ());
    let (id, secret) = MARY_MAJOR;
    python(&world, &format!("client('s3', {id:?}, {secret:?}).create_bucket(Bucket='my-logs')"));
    world
}

/// Returns the content of the object, from the folder of the bucket.
fn stored(world: &World) -> Option<String> {
    fs::read_to_string(world.folder().join("data/buckets/my-logs/a/key")).ok()
}

fn replaced(from: &str, to: &str) -> impl Fn(&str) -> String {
    let (from, to) = (from.to_owned(), to.to_owned());
    move |body: &str| {
        assert!(body.contains(&from), "{body}");
        body.replacen(&from, &to, 1)
    }
}

#[test]
fn signed_chunks_are_stored_and_changed_ones_are_not() {
    let world = world();
    let refused = |has_trailer: bool, change: &dyn Fn(&str) -> String| {
        let reply = put(&world, has_trailer, change);
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert!(reply.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", reply.text());
    };
    for has_trailer in [false, true] {
        let valid = put(&world, has_trailer, str::to_owned);
        assert_eq!(valid.status, 200, "{}", valid.text());
        assert_eq!(stored(&world).as_deref(), Some("first second"));
        fs::write(world.folder().join("data/buckets/my-logs/a/key"), "before").expect("the folder is writable");
        refused(has_trailer, &replaced("first ", "First "));
        refused(has_trailer, &replaced("second", "Second"));
        refused(has_trailer, &replaced("0;chunk-signature=", "0;chunk-signature=0"));
        // Without signatures, as in a request of another kind.
        refused(has_trailer, &|body| body.replace(";chunk-signature=", ";x="));
        // The chunks in another order.
        refused(has_trailer, &|body| {
            let (first, rest) = body.split_at(body.find("second").map_or(0, |at| body[..at].rfind("6;").unwrap_or(0)));
            let (second, end) = rest.split_at(rest.find("0;chunk").unwrap_or(0));
            format!("{second}{first}{end}")
        });
        assert_eq!(stored(&world).as_deref(), Some("before"));
    }
    refused(true, &replaced(CHECKSUM, "AAAAAA=="));
    refused(true, &replaced("x-amz-trailer-signature:", "x-other:"));
    refused(true, &replaced("x-amz-checksum-crc32:", "x-amz-checksum-sha1:"));
    refused(false, &|body| body.replace("\r\n\r\n", &format!("\r\nx-amz-checksum-crc32:{CHECKSUM}\r\n\r\n")));
    assert_eq!(stored(&world).as_deref(), Some("before"));
    let incoming = world.folder().join("data/buckets/my-logs/.metadata/.metadata/incoming");
    assert_eq!(tests::files(&incoming), Vec::<std::path::PathBuf>::new());
    let failed = world.last_event();
    assert_eq!((&failed["eventName"], &failed["errorCode"]), (&"PutObject".into(), &"SignatureDoesNotMatch".into()));
}

#[test]
fn boto3_signs_its_payloads_in_one_piece_and_in_parts() {
    let world = world();
    let (id, secret) = MARY_MAJOR;
    let program = format!(
        "
import io, os
from boto3.s3.transfer import TransferConfig
s3 = client('s3', {id:?}, {secret:?}, s3={{'payload_signing_enabled': True}})
content = os.urandom(12 << 20)
s3.put_object(Bucket='my-logs', Key='one', Body=content)
config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_fileobj(io.BytesIO(content), 'my-logs', 'parts', Config=config)
for key in ['one', 'parts']:
    result(lambda: s3.get_object(Bucket='my-logs', Key=key)['Body'].read() == content)
"
    );
    assert_eq!(python(&world, &program), [true, true]);
}

//! Signatures of bodies in chunks: the examples of the documentation, and those that the SDK's own crate makes.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_runtime_api::http::Headers;

use super::{KEY, Request, SECRET, SKEW, time};
use crate::root_key::SecretKey;
use crate::signature::{ChunkSignatures, Claim, ExpectedScope, Payload, Protocol, RequestParts, SignatureError};

/// The checksum and the last signature of the documentation's example with trailers.
const CHECKSUM: &str = "sOO8/Q==";
const TRAILER_SIGNATURE: &str = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";

/// Verifies the head of an upload in chunks, whose body is read later or is `payload`.
fn begin(
    hash: &str,
    headers: &[(&str, &str)],
    signature: &str,
    payload: Payload<'_>,
) -> Result<Option<ChunkSignatures>, SignatureError> {
    let fixed = [("host", "s3.amazonaws.com"), ("x-amz-date", "20130524T000000Z"), ("x-amz-content-sha256", hash)];
    let mut all = [headers, &fixed].concat();
    let mut names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={},Signature={signature}",
        names.join(";")
    );
    all.push(("authorization", &authorization));
    Request::new("PUT", "/examplebucket/chunkObject.txt", &all).with(|request| {
        let request = RequestParts { payload, ..*request };
        let Claim::Signature(signature) = Claim::read(Protocol::S3, &request)? else { panic!("the request is signed") };
        let expected = ExpectedScope { services: &["s3"], regions: None };
        signature.check(&expected, SKEW, time("20130524T000000Z"))?.verify(&SecretKey::new(SECRET), &request)
    })
}

/// Verifies the head of the example of "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" in
/// the Amazon S3 API Reference.
fn without_trailers(payload: Payload<'_>) -> Result<Option<ChunkSignatures>, SignatureError> {
    let headers = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
    ];
    let signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    begin("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &headers, signature, payload)
}

/// Verifies the head of the example with trailers, of the same reference.
fn with_trailers() -> ChunkSignatures {
    let headers = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
    ];
    let signature = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    let begun = begin("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", &headers, signature, Payload::Unread);
    begun.expect("the documentation signed it").expect("the chunks are signed")
}

/// Verifies the two chunks of an example, the second in pieces, and the empty one at its end.
fn verify_chunks(chunks: &mut ChunkSignatures, signatures: [&str; 3]) -> Result<(), SignatureError> {
    chunks.update(&vec![b'a'; 65_536]);
    chunks.verify_chunk(signatures[0])?;
    [[b'a'; 512]; 2].iter().for_each(|piece| chunks.update(piece));
    chunks.verify_chunk(signatures[1])?;
    chunks.verify_chunk(signatures[2])
}

const PLAIN: [&str; 3] = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

const TRAILED: [&str; 3] = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
];

#[test]
fn the_chunks_of_the_documentation_verify() {
    let begin =
        || without_trailers(Payload::Unread).expect("the documentation signed it").expect("the chunks are signed");
    let mut chunks = begin();
    verify_chunks(&mut chunks, PLAIN).expect("the documentation signed them");
    chunks.verify_trailers(std::iter::empty(), None).expect("there are no trailers");
    verify_chunks(&mut begin(), [PLAIN[1], PLAIN[0], PLAIN[2]]).expect_err("the order is another");
    verify_chunks(&mut begin(), [PLAIN[0], PLAIN[1], ""]).expect_err("a signature is missing");
    begin().verify_chunk(PLAIN[2]).expect_err("the content is missing");
    begin()
        .verify_trailers([("x-amz-checksum-crc32c", CHECKSUM)].into_iter(), None)
        .expect_err("the trailer is not signed");
    let read = without_trailers(Payload::Bytes(b"65536;...")).expect_err("a body that was read is not verified");
    assert_eq!(read.s3().failure.name, "SignatureDoesNotMatch");
}

#[test]
fn the_trailers_of_the_documentation_verify() {
    let verify = |checksum: &str, signature: Option<&str>| {
        let mut chunks = with_trailers();
        verify_chunks(&mut chunks, TRAILED).expect("the documentation signed them");
        chunks.verify_trailers([("x-amz-checksum-crc32c", checksum)].into_iter(), signature)
    };
    verify(CHECKSUM, Some(TRAILER_SIGNATURE)).expect("the documentation signed it");
    for (checksum, signature) in [("AAAAAA==", Some(TRAILER_SIGNATURE)), (CHECKSUM, Some(TRAILED[0])), (CHECKSUM, None)]
    {
        let refused = verify(checksum, signature).expect_err("the trailer was changed");
        assert_eq!((refused.s3().failure.name.as_str(), refused.s3().failure.status), ("SignatureDoesNotMatch", 403));
    }
    assert_eq!(format!("{:?}", with_trailers()), "ChunkSignatures { .. }");
}

#[test]
fn what_the_crate_of_the_sdk_signs_verifies_and_changes_do_not() {
    let identity = Credentials::new(KEY, SECRET, None, None, "test").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(time("20130524T000000Z").to_system_time())
        .settings(SigningSettings::default())
        .build()
        .expect("the parameters are complete");
    let mut running = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e".to_owned();
    let mut chunks = with_trailers();
    for content in ["first", "second, which is longer", ""] {
        let signed = sign_chunk(&bytes::Bytes::from_static(content.as_bytes()), &running, &parameters);
        signed.expect("the chunk can be signed").signature().clone_into(&mut running);
        let mut changed = with_trailers();
        changed.update(format!("{content}!").as_bytes());
        changed.verify_chunk(&running).expect_err("the content was changed");
        chunks.update(content.as_bytes());
        chunks.verify_chunk(&running).expect("the crate signed it");
    }
    let trailers = [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-meta-a", "b")];
    let mut headers = Headers::new();
    trailers.iter().rev().for_each(|(name, value)| drop(headers.insert(*name, *value)));
    let signed = sign_trailer(&headers, &running, &parameters).expect("the trailers can be signed");
    chunks.verify_trailers(trailers.into_iter(), Some(signed.signature())).expect("the crate signed them");
}

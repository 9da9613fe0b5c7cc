//! Requests that the SDK's own crate signs: they verify, and changed ones do not.

use std::cell::Cell;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use super::{KEY, Request, SECRET, time};
use crate::signature::{Location, Protocol, SignatureError};

const NOW: &str = "20261128T224900Z";
const TOKEN: &str = "IQoJb3JpZ2luX2VjE/+aCXVzLWVhc3QtMSJ==";

/// The bytes that replace others: those of paths and queries, and those of headers.
const OF_URLS: &[u8] = b"aAzZ059-_~%&=+!$'()*,;:@";
const OF_HEADERS: &[u8] = b"aAzZ059-_~%&=+ /;,:.\"\t";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    Hashed,
    Unsigned,
    Trailer,
}

#[derive(Clone, Debug)]
struct Case {
    protocol: Protocol,
    service: &'static str,
    location: Location,
    body_kind: Body,
    has_token: bool,
    request: Request,
}

fn path(relative: bool) -> impl Strategy<Value = String> {
    let plain = || {
        "[a-zA-Z0-9 +%äß語(){}\\[\\]'!*~._:@&=;$,?#-]{1,8}".prop_filter("not relative", |text| !text.starts_with('.'))
    };
    let segment = if relative {
        prop_oneof![4 => plain(), 1 => Just(".".to_owned()), 1 => Just("..".to_owned()), 1 => Just(String::new())]
            .boxed()
    } else {
        plain().boxed()
    };
    vec(segment, 0..5).prop_map(|segments| {
        let segments: Vec<String> =
            segments.iter().map(|segment| utf8_percent_encode(segment, aws::query::ESCAPED).to_string()).collect();
        format!("/{}", segments.join("/"))
    })
}

fn query() -> impl Strategy<Value = String> {
    let text = || "[a-zA-Z0-9 +%äß語(){}'!*~._:/@&=;$,?#-]{0,8}";
    vec((text(), text(), any::<bool>()), 0..4).prop_map(|pairs| {
        let encode = |text: &str| utf8_percent_encode(text, aws::query::ESCAPED).to_string();
        let pair = |(name, value, has_value): &(String, String, bool)| {
            if *has_value { format!("{}={}", encode(name), encode(value)) } else { encode(name) }
        };
        pairs.iter().map(pair).filter(|pair| !pair.is_empty()).collect::<Vec<_>>().join("&")
    })
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = select(vec![
        "content-type",
        "x-amz-target",
        "x-amz-meta-a",
        "x-amz-user-agent",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "x-amz-checksum-mode",
        "user-agent",
    ]);
    vec((name.prop_map(str::to_owned), "[ -~]{0,16}"), 0..5)
}

fn case(relative: bool) -> impl Strategy<Value = Case> {
    let endpoint = select(vec![
        (Protocol::Json, "codecommit"),
        (Protocol::Json, "cloudtrail"),
        (Protocol::Query, "sts"),
        (Protocol::Query, "iam"),
        (Protocol::S3, "s3"),
        (Protocol::S3, "s3"),
    ]);
    let location = select(vec![Location::Header, Location::Url]);
    let kinds = select(vec![Body::Hashed, Body::Unsigned, Body::Trailer]);
    let method = select(vec!["GET", "POST", "PUT", "DELETE", "HEAD"]);
    let host = select(vec!["127.0.0.1:4599", "codecommit.us-east-1.amazonaws.com", "b.localhost:4599"]);
    let request = (method, host, path(relative), query(), headers(), vec(any::<u8>(), 0..40));
    (endpoint, location, kinds, any::<bool>(), request).prop_map(|(endpoint, location, kind, has_token, request)| {
        let ((protocol, service), (method, host, path, query, headers, body)) = (endpoint, request);
        let is_s3 = protocol == Protocol::S3;
        let body_kind = match (is_s3, location) {
            (false, _) => Body::Hashed,
            (true, Location::Header) => kind,
            (true, Location::Url) => Body::Unsigned,
        };
        // The SDK does not sign these two for a URL, and S3 refuses headers that are not signed.
        let is_unsigned = |name: &str| matches!(name, "x-amz-checksum-mode" | "x-amz-user-agent");
        let headers = headers.into_iter().filter(|(name, _)| location == Location::Header || !is_unsigned(name));
        let headers = [("host".to_owned(), host.to_owned())].into_iter().chain(headers).collect();
        let request = Request { method: method.to_owned(), path, query, headers, bucket: None, body };
        Case { protocol, service, location, body_kind, has_token, request }
    })
}

impl Case {
    /// Signs the request.
    fn signed(&self) -> Request {
        let mut settings = SigningSettings::default();
        if self.protocol == Protocol::S3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if self.location == Location::Url {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_mins(15));
        }
        let token = self.has_token.then(|| TOKEN.to_owned());
        let identity = Credentials::new(KEY, SECRET, token, None, "test").into();
        let parameters = SigningParams::builder().identity(&identity).region("us-east-1").name(self.service);
        let parameters = parameters.time(time(NOW).to_system_time()).settings(settings).build();
        let parameters = parameters.expect("the parameters are complete").into();
        let mut request = self.request.clone();
        let separator = if request.query.is_empty() { "" } else { "?" };
        let uri = format!("http://{}{}{separator}{}", request.headers[0].1, request.path, request.query);
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = match self.body_kind {
            Body::Hashed => SignableBody::Bytes(&request.body),
            Body::Unsigned => SignableBody::UnsignedPayload,
            Body::Trailer => SignableBody::StreamingUnsignedPayloadTrailer,
        };
        let signable = SignableRequest::new(&request.method, uri, headers, body).expect("the request is well-formed");
        let (instructions, _signature) = sign(signable, &parameters).expect("the request can be signed").into_parts();
        let signed: Vec<_> = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut pairs: Vec<String> =
            Some(request.query.clone()).filter(|query| !query.is_empty()).into_iter().collect();
        for (name, value) in instructions.params() {
            pairs.push(format!("{name}={}", utf8_percent_encode(value, aws::query::ESCAPED)));
        }
        request.headers.extend(signed);
        request.query = pairs.join("&");
        request
    }

    fn is_accepted(&self, request: &Request) -> bool {
        match request.verify(self.protocol, self.service, time(NOW)) {
            Ok(()) => true,
            Err(error) => {
                for text in [error.to_string(), format!("{error:?}"), format!("{:?}", error.query())] {
                    assert!(!text.contains(SECRET), "{text}");
                }
                let text = if let SignatureError::Mismatch(mismatch) = &error {
                    mismatch.signed_parts()
                } else {
                    String::new()
                };
                let log = format!("{error} {error:?} {text}");
                assert!(!log.contains(&TOKEN[..8]), "{log}");
                let signature = signature(request);
                assert!(signature.is_empty() || !log.contains(&signature), "{log}");
                false
            }
        }
    }
}

fn signature(request: &Request) -> String {
    let header = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
    let text = header.and_then(|text| text.split_once("Signature=")).map_or("", |(_, signature)| signature);
    text.chars().filter(char::is_ascii_hexdigit).collect()
}

/// Returns the text with another byte at an index.
fn changed(text: &str, index: usize, bytes: &[u8], choice: Index) -> Option<String> {
    let mut changed = text.as_bytes().to_vec();
    let byte = *choice.get(bytes);
    (changed[index] != byte).then(|| changed[index] = byte)?;
    String::from_utf8(changed).ok()
}

/// Returns what a query means: its decoded parameters, in any order.
fn parameters(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).collect();
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut parameters: Vec<_> = pairs.map(|(name, value)| (decode(name), decode(value))).collect();
    parameters.sort();
    parameters
}

/// Lists requests with one changed byte that mean something else.
fn mutations(case: &Case, signed: &Request, choice: Index) -> Vec<(String, Request)> {
    let mut mutations = Vec::new();
    let mut add = |what: &str, request: Request| mutations.push((what.to_owned(), request));
    for (at, (name, value)) in signed.headers.iter().enumerate() {
        if name == "user-agent" {
            continue;
        }
        for index in 0..value.len() {
            if let Some(value) = changed(value, index, OF_HEADERS, choice) {
                let mut request = signed.clone();
                request.headers[at].1 = value;
                add(name, request);
            }
        }
        let mut request = signed.clone();
        request.headers[at].0.push('x');
        add("the name of a header", request);
        let mut request = signed.clone();
        request.headers.remove(at);
        add("a missing header", request);
        let mut request = signed.clone();
        request.headers.push((name.clone(), "x".to_owned()));
        add("a further header", request);
    }
    for index in 1..signed.path.len() {
        let decode = |path: &str| -> Vec<u8> { percent_decode_str(path).collect() };
        if let Some(path) = changed(&signed.path, index, OF_URLS, choice)
            && (case.protocol != Protocol::S3 || decode(&path) != decode(&signed.path))
        {
            add("path", Request { path, ..signed.clone() });
        }
    }
    for index in 0..signed.query.len() {
        if let Some(query) = changed(&signed.query, index, OF_URLS, choice)
            && parameters(&query) != parameters(&signed.query)
        {
            add("query", Request { query, ..signed.clone() });
        }
    }
    add("a further parameter", Request { query: format!("{}&x=", signed.query), ..signed.clone() });
    for index in 0..signed.body.len() {
        if case.body_kind == Body::Hashed {
            let mut request = signed.clone();
            request.body[index] ^= 1 << choice.index(8);
            add("body", request);
        }
    }
    add("method", Request { method: format!("{}S", signed.method), ..signed.clone() });
    mutations
}

fn run(
    cases: u32,
    strategy: impl Strategy<Value = (Case, Index)>,
    check: impl Fn(&Case, Index) -> Result<(), TestCaseError>,
) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner.run(&strategy, |(case, choice)| check(&case, choice)).expect("each case holds");
}

#[test]
fn what_the_sdk_signs_verifies() {
    run(1_000, (case(true), any::<Index>()), |case, _| {
        let signed = case.signed();
        let verified = signed.verify(case.protocol, case.service, time(NOW));
        prop_assert!(verified.is_ok(), "{verified:?} {signed:?}");
        Ok(())
    });
}

#[test]
fn no_changed_request_verifies() {
    let count = Cell::new(0);
    run(60, (case(false), any::<Index>()), |case, choice| {
        let signed = case.signed();
        prop_assert!(case.is_accepted(&signed), "{signed:?}");
        for (what, request) in mutations(case, &signed, choice) {
            prop_assert!(!case.is_accepted(&request), "{what}: {request:?} of {signed:?}");
            count.set(count.get() + 1);
        }
        Ok(())
    });
    assert!(count.get() >= 10_000, "{} requests were changed", count.get());
}

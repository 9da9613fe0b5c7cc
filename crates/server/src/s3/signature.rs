//! Signatures of requests to S3, in a header or in the URL: reading and removing them.

use std::borrow::Cow;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Uri};
use identity::SignatureScope;

use crate::headers;

/// The token that comes with temporary credentials.
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Headers that only a check of the signature needs.
const HEADERS: [HeaderName; 4] =
    [AUTHORIZATION, TOKEN, HeaderName::from_static("x-amz-content-sha256"), HeaderName::from_static("x-amz-date")];

/// Query parameters of a signed URL: those of version 4, then those of version 2.
const PARAMETERS: [&str; 11] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "Expires",
    "x-amz-security-token",
];

/// The signature of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// `SigV4` or `SigV2`, as records have it.
    pub(super) version: &'static str,
    /// `AuthHeader` or `QueryString`, as records have it.
    pub(super) method: &'static str,
    /// The scope; version 2 has no date and no region, which are written as dashes.
    scope: SignatureScope,
    /// The token in a URL.
    token: Option<String>,
}

impl Signature {
    /// Reads the signature of a request; `None` if it is unsigned or signed for another service.
    pub(super) fn read(head: &Parts) -> Option<Self> {
        let authorization = headers::text(&head.headers, &AUTHORIZATION);
        let in_header = |version, scope| Self { version, method: "AuthHeader", scope, token: None };
        let signature = match authorization.as_deref() {
            Some(text) if text.starts_with("AWS4-HMAC-SHA256") => {
                in_header("SigV4", SignatureScope::from_authorization(text)?)
            }
            Some(text) => {
                let (key, _signature) = text.strip_prefix("AWS ")?.split_once(':')?;
                in_header("SigV2", version_2(key))
            }
            None => Self::of_url(&head.uri)?,
        };
        (signature.scope.service == "s3").then_some(signature)
    }

    fn of_url(uri: &Uri) -> Option<Self> {
        let value = |name| parameters(uri).find(|(other, _)| other == name).map(|(_, value)| value.into_owned());
        let token = value("X-Amz-Security-Token").or_else(|| value("x-amz-security-token"));
        let (version, scope) = match value("X-Amz-Credential") {
            Some(scope) => ("SigV4", SignatureScope::parse(&scope)?),
            None => ("SigV2", version_2(&value("AWSAccessKeyId")?)),
        };
        Some(Self { version, method: "QueryString", scope, token })
    }

    /// Adds a header of version 4 with the access key of a signed URL or of version 2, so that `authenticate` finds the caller.
    pub(super) fn name_caller(&self, head: &mut Parts) {
        if (self.version, self.method) == ("SigV4", "AuthHeader") {
            return;
        }
        let text = format!("AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=-", self.scope);
        let token = self.token.as_deref().and_then(|token| HeaderValue::from_str(token).ok());
        if let Ok(text) = HeaderValue::from_str(&text) {
            head.headers.insert(AUTHORIZATION, text);
        }
        if let Some(token) = token {
            head.headers.insert(TOKEN, token);
        }
    }
}

fn version_2(access_key: &str) -> SignatureScope {
    let [access_key, none, service] = [access_key, "-", "s3"].map(str::to_owned);
    SignatureScope { access_key, date: none.clone(), region: none, service }
}

/// Returns the decoded parameters of a URL that do not belong to a signature.
pub(super) fn parameters_unsigned(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    parameters(uri).filter(|(name, _)| !PARAMETERS.contains(&name.as_ref()))
}

/// Removes the signature, which is not verified.
pub(super) fn remove(head: &mut Parts) {
    for name in HEADERS {
        head.headers.remove(name);
    }
    let pairs = head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let unsigned = pairs.filter(|(name, _)| !PARAMETERS.contains(name));
    let query: Vec<String> = unsigned.map(|(name, value)| format!("{name}={value}")).collect();
    let path = head.uri.path();
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) };
    if let Ok(uri) = target.parse() {
        head.uri = uri;
    }
}

fn parameters(uri: &Uri) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn head(uri: &str, authorization: Option<&str>) -> Parts {
        let mut request = Request::get(uri);
        if let Some(text) = authorization {
            request = request.header(AUTHORIZATION, text);
        }
        request.body(()).expect("the request is well-formed").into_parts().0
    }

    #[test]
    fn each_kind_of_signature_names_its_caller() {
        let header =
            "AWS4-HMAC-SHA256 Credential=AKIA1/20161214/us-east-2/s3/aws4_request, SignedHeaders=host, Signature=0";
        let url = "/b/k?X-Amz-Credential=AKIA1%2F20161214%2Fus-east-2%2Fs3%2Faws4_request&X-Amz-Signature=0";
        for (uri, authorization, version, method, scope) in [
            ("/b/k", Some(header), "SigV4", "AuthHeader", "AKIA1/20161214/us-east-2/s3/aws4_request"),
            (url, None, "SigV4", "QueryString", "AKIA1/20161214/us-east-2/s3/aws4_request"),
            ("/b/k", Some("AWS AKIA1:c2ln"), "SigV2", "AuthHeader", "AKIA1/-/-/s3/aws4_request"),
            (
                "/b/k?AWSAccessKeyId=AKIA1&Signature=0&Expires=1",
                None,
                "SigV2",
                "QueryString",
                "AKIA1/-/-/s3/aws4_request",
            ),
        ] {
            let mut head = head(uri, authorization);
            let signature = Signature::read(&head).expect("the request is signed");
            let written = signature.scope.to_string();
            assert_eq!((signature.version, signature.method, written.as_str()), (version, method, scope));
            signature.name_caller(&mut head);
            let written = headers::text(&head.headers, &AUTHORIZATION).expect("the header exists");
            assert!(written.starts_with("AWS4-HMAC-SHA256 Credential=AKIA1/"), "{written}");
            remove(&mut head);
            assert!(head.headers.is_empty());
            assert_eq!(head.uri, "/b/k");
        }
    }

    #[test]
    fn an_unsigned_request_or_one_for_another_service_is_not_for_s3() {
        let other = "AWS4-HMAC-SHA256 Credential=AKIA1/20161214/us-east-2/codecommit/aws4_request, Signature=0";
        for authorization in [None, Some(other), Some("Basic eDp5"), Some("AWS4-HMAC-SHA256")] {
            assert_eq!(Signature::read(&head("/b/k?list-type=2", authorization)), None);
        }
    }

    #[test]
    fn other_parameters_stay_unchanged() {
        let mut head = head("/b?list-type=2&prefix=a%2Fb&X-Amz-Date=1&location", None);
        remove(&mut head);
        assert_eq!(head.uri, "/b?list-type=2&prefix=a%2Fb&location=");
    }
}

//! Error replies of S3: XML documents with a code, a message, and the bucket and key.

use std::fmt::Write;

use aws::{Failure, xml};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use identity::signature::S3Refusal;

/// S3's own messages, for requests that `s3s` refuses without one.
const MESSAGES: [(&str, &str); 10] = [
    ("InvalidArgument", "Invalid Argument"),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidRequest", "Invalid Request"),
    ("InvalidURI", "Couldn't parse the specified URI."),
    ("KeyTooLongError", "Your key is too long."),
    ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    ("NotImplemented", "A header or query you provided implies functionality that is not implemented."),
    ("InternalError", "We encountered an internal error. Please try again."),
    ("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"),
    ("MissingRequestBodyError", "Request Body is empty"),
];

/// The message for all other requests that `s3s` refuses without one.
const OTHER: &str = "The request is not one that this endpoint can read.";

/// Reads the error document of `s3s`.
pub(super) fn read(status: u16, document: &str) -> Failure {
    let name = xml::read(document, "Code").unwrap_or_else(|| "InternalError".to_owned());
    let default = || MESSAGES.iter().find(|(code, _)| *code == name).map_or(OTHER, |(_, message)| message).to_owned();
    let message = xml::read(document, "Message").unwrap_or_else(default);
    Failure::new(name, message, status)
}

/// Returns the failure for internal errors.
pub(super) fn internal() -> Failure {
    let (name, message) = MESSAGES[7];
    Failure::new(name, message, 500)
}

/// Writes the reply, with the bucket's name and the key if there are any.
pub(super) fn reply(
    failure: &Failure,
    headers: HeaderMap,
    bucket: Option<&str>,
    key: Option<&str>,
    request_id: &str,
) -> Response<Body> {
    let members = [("Key", key), ("BucketName", bucket)];
    let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let mut response = document(failure, members, request_id);
    let content_type = response.headers_mut().remove(CONTENT_TYPE);
    *response.headers_mut() = headers;
    response.headers_mut().extend(content_type.map(|value| (CONTENT_TYPE, value)));
    response
}

/// Writes the reply to refused credentials.
pub(super) fn refused(refusal: &S3Refusal, request_id: &str) -> Response<Body> {
    document(&refusal.failure, refusal.members.iter().map(|(name, text)| (*name, text.as_str())), request_id)
}

fn document<'m>(
    failure: &'m Failure,
    members: impl Iterator<Item = (&'m str, &'m str)>,
    request_id: &'m str,
) -> Response<Body> {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    let first = [("Code", failure.name.as_str()), ("Message", &failure.message)];
    for (name, value) in first.into_iter().chain(members).chain([("RequestId", request_id)]) {
        write!(document, "<{name}>{}</{name}>", escaped(value)).expect("writing to a string never fails");
    }
    document.push_str("</Error>");
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

fn escaped(text: &str) -> String {
    // Control characters, most of which XML has no form for, are left out; canonical requests have line feeds.
    let text: String = text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect();
    xml::escape(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_code_and_gets_a_message() {
        let document =
            "<?xml?><Error><Code>NoSuchKey</Code><Message>It&apos;s &lt;gone&gt; &amp;amp;</Message></Error>";
        let failure = read(404, document);
        assert_eq!((failure.name.as_str(), failure.message.as_str()), ("NoSuchKey", "It's <gone> &amp;"));
        let failure = read(400, "<Error><Code>InvalidURI</Code></Error>");
        assert_eq!(failure.message, "Couldn't parse the specified URI.");
        assert_eq!(read(500, "").name, "InternalError");
        assert_eq!(escaped("a<b>&\u{1}"), "a&lt;b&gt;&amp;");
    }
}

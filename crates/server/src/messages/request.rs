//! The request for a message: `Publish` to a topic, `Invoke` of a function, or the message alone.
//!
//! The signature is only formal: emulators of AWS read the region and the account from it and do not verify it.

use aws::{Arn, Clock, SystemClock, query, signature};
use percent_encoding::utf8_percent_encode;
use ureq::http::Request;
use ureq::http::request::Builder;

use super::Message;
use crate::settings::Destination;

/// Builds the request.
pub(super) fn of(message: &Message<'_>, destination: &Destination) -> Result<Request<Vec<u8>>, String> {
    let text = message.text.as_bytes().to_vec();
    let (request, body) = match destination {
        Destination::Url(url) => (Request::post(url).header("content-type", "application/json"), text),
        Destination::Endpoint(url) => {
            let url = url.trim_end_matches('/');
            let arn = Arn::parse(message.destination).ok_or("the destination is not an ARN")?;
            if arn.service == "sns" {
                (signed(Request::post(url).header("content-type", query::FORM), &arn), publication(message))
            } else {
                let function = utf8_percent_encode(message.destination, query::ESCAPED);
                let request = Request::post(format!("{url}/2015-03-31/functions/{function}/invocations"))
                    .header("content-type", "application/json")
                    .header("x-amz-invocation-type", "Event");
                (signed(request, &arn), text)
            }
        }
    };
    request.body(body).map_err(|error| error.to_string())
}

/// Returns the body of a Publish, in AWS's query protocol.
fn publication(message: &Message<'_>) -> Vec<u8> {
    let members = [
        Some(("Action", "Publish")),
        Some(("Version", "2010-03-31")),
        Some(("TopicArn", message.destination)),
        message.subject.map(|subject| ("Subject", subject)),
        Some(("Message", message.text)),
    ];
    query::encode(members.into_iter().flatten())
}

fn signed(request: Builder, arn: &Arn) -> Builder {
    request.header(
        "authorization",
        signature::unsigned_authorization(arn.account.as_str(), &arn.region, &arn.service, SystemClock.now()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(destination: &str) -> Message<'_> {
        Message { destination, subject: Some("UPDATE: 100%"), text: r#"{"Records":[]}"# }
    }

    fn build(arn: &str, destination: &Destination) -> (String, String, String) {
        let request = of(&message(arn), destination).expect("the destination is valid");
        let (head, body) = request.into_parts();
        let authorization =
            head.headers.get("authorization").map(|value| value.to_str().expect("the header is text").to_owned());
        (head.uri.to_string(), authorization.unwrap_or_default(), String::from_utf8(body).expect("the body is text"))
    }

    #[test]
    fn a_topic_gets_a_publication_for_its_account_and_region() {
        let endpoint = Destination::Endpoint("http://127.0.0.1:1/".to_owned());
        let (url, authorization, body) = build("arn:aws:sns:us-east-2:111122223333:MyTopic", &endpoint);
        assert_eq!(url, "http://127.0.0.1:1/");
        assert!(authorization.contains("Credential=111122223333/"), "{authorization}");
        assert!(authorization.contains("/us-east-2/sns/aws4_request"), "{authorization}");
        let topic = "TopicArn=arn%3Aaws%3Asns%3Aus-east-2%3A111122223333%3AMyTopic";
        let message = "Subject=UPDATE%3A%20100%25&Message=%7B%22Records%22%3A%5B%5D%7D";
        assert_eq!(body, format!("Action=Publish&Version=2010-03-31&{topic}&{message}"));
    }

    #[test]
    fn a_function_is_invoked_with_the_message() {
        let endpoint = Destination::Endpoint("http://127.0.0.1:1".to_owned());
        let (url, authorization, body) = build("arn:aws:lambda:us-east-2:111122223333:function:f", &endpoint);
        let function = "arn%3Aaws%3Alambda%3Aus-east-2%3A111122223333%3Afunction%3Af";
        assert_eq!(url, format!("http://127.0.0.1:1/2015-03-31/functions/{function}/invocations"));
        assert!(authorization.contains("/us-east-2/lambda/aws4_request"), "{authorization}");
        assert_eq!(body, r#"{"Records":[]}"#);
    }

    #[test]
    fn a_url_gets_the_message_alone() {
        let url = Destination::Url("http://127.0.0.1:1/hook?a=b".to_owned());
        let (url, authorization, body) = build("arn:aws:sns:us-east-2:111122223333:MyTopic", &url);
        assert_eq!((url.as_str(), authorization.as_str()), ("http://127.0.0.1:1/hook?a=b", ""));
        assert_eq!(body, r#"{"Records":[]}"#);
    }
}

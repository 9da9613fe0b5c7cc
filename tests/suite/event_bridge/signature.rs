//! The signatures of requests to endpoints that speak `PutEvents`, verified by the signer of the AWS SDK for Python.

use serde_json::{Value, json};
use server::settings::{BusDestination, BusFilter, BusTarget, PutEventsTarget, Secret};
use tests::World;
use tests::destination::{Destination, Received};

use super::put_file;

const ACCESS_KEY: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

/// Signs the sent headers and the body again, and compares the signatures; does so for another secret and another body, too.
const VERIFY: &str = "
import json
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
sent = json.load(open('request.json'))
headers = dict(sent['headers'])
algorithm, fields = headers.pop('authorization').split(' ', 1)
fields = dict(field.strip().split('=', 1) for field in fields.split(','))
key, day, region, service, end = fields['Credential'].split('/')
signed = fields['SignedHeaders'].split(';')
def signature(secret, body):
    request = AWSRequest('POST', sent['url'], headers={name: headers[name] for name in signed}, data=body.encode())
    request.context['timestamp'] = headers['x-amz-date']
    auth = SigV4Auth(Credentials(key, secret), service, region)
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
print(json.dumps(dict(
    key=key, day=day, region=region, service=service, algorithm=algorithm, signed=signed,
    valid=signature(sent['secret'], sent['body']) == fields['Signature'],
    other_secret=signature('another', sent['body']) == fields['Signature'],
    other_body=signature(sent['secret'], sent['body'] + ' ') == fields['Signature'])))
";

/// Verifies a request with Python, and returns what the program prints.
fn verify(world: &World, url: &str, request: &Received) -> Value {
    let sent = json!({ "url": url, "headers": request.headers, "body": request.body, "secret": ACCESS_KEY.1 });
    std::fs::write(world.folder().join("request.json"), sent.to_string()).expect("the folder is writable");
    serde_json::from_str(&world.python(VERIFY).ok()).expect("the program prints JSON")
}

#[test]
fn requests_have_the_signature_of_the_access_key() {
    let entries = r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#;
    let endpoint = Destination::start_with(Vec::new(), entries);
    // A path and a query are signed, too.
    let url = format!("{}/bus one/?a=b&a=%20", endpoint.url()).replace(' ', "%20");
    for region in [None, Some("eu-west-1")] {
        let target = PutEventsTarget {
            url: url.clone(),
            bus: Some("a bus \u{e9}".to_owned()),
            region: region.map(|name| name.parse().expect("the name is that of a region")),
            access_key: Some((ACCESS_KEY.0.to_owned(), Secret::new(ACCESS_KEY.1.to_owned()))),
            source: None,
        };
        let destination = BusDestination { target: BusTarget::PutEvents(target), filter: BusFilter::default() };
        let world = super::world(vec![("bus", destination)]);
        put_file(&world, "main");
        let request = endpoint.next();
        assert!(request.body.contains("a bus \u{e9}"), "{}", request.body);
        let verified = verify(&world, &url, &request);
        let day = &verified["day"];
        let expected = json!({
            "key": ACCESS_KEY.0, "day": day, "region": region.unwrap_or("us-east-1"), "service": "events",
            "algorithm": "AWS4-HMAC-SHA256", "signed": ["content-type", "host", "x-amz-date", "x-amz-target"],
            "valid": true, "other_secret": false, "other_body": false,
        });
        assert_eq!(verified, expected);
    }
}

//! Callers of every kind, from the sample identities file: a record of each in both versions, byte for byte.
//!
//! The expected records are in `tests/records/`; with `GOLDENS=write` in the environment they are written instead of compared.

use std::fs;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use codecommit_local::Options;
use codecommit_local::options::EventVersion;
use serde_json::{Value, json};
use tests::sts::{Session, query};
use tests::wire::signed;
use tests::{World, workspace};

const DEVELOPER: &str = "RoleArn=arn:aws:iam::111122223333:role/Developer";
pub(crate) const PROVIDER: &str = "arn:aws:iam::111122223333:saml-provider/ExampleCorp";

/// Starts a server with the sample identities file.
fn world(version: EventVersion) -> World {
    let options = Options { event_version: Some(version), ..Options::default() };
    let version = options.settings().expect("the settings are valid").event_version;
    World::with(|settings| {
        settings.identities = Some(workspace().join("docker/identities.toml"));
        settings.event_version = version;
        // Delivery of log files would take ids, so it does not run during the test.
        settings.log_interval = Duration::from_hours(1);
    })
}

/// Starts a server with the sample identities file and records in the shape of the guide.
pub(crate) fn sample() -> World {
    world(EventVersion::V1_05)
}

/// Makes a call as each identity, and returns the records.
fn story(version: EventVersion) -> Vec<Value> {
    let world = world(version);
    let list = |key: &str| {
        let headers = [("authorization", &*signed(key, "us-east-1")), ("user-agent", "the test")];
        assert_eq!(world.call_as("ListRepositories", &json!({}), &headers).status, 200);
    };
    let through = |session: &Session| {
        assert_eq!(session.call(&world, "ListRepositories", &json!({})).status, 200);
    };
    let issued = |key: Option<&str>, form: &str| {
        let session = Session::of(&query(&world, key, form));
        through(&session);
        session
    };
    for key in ["AKIAEXAMPLEROOT00001", "AKIAIOSFODNN7EXAMPLE", "AKIAEXAMPLEPIPELINE1", "AKIAEXAMPLEPERSON001"] {
        list(key);
    }
    let mary = Some("AKIAIOSFODNN7EXAMPLE");
    let device = "SerialNumber=arn:aws:iam::111122223333:mfa/Mary_Major&TokenCode=123456";
    issued(mary, &format!("GetSessionToken&{device}"));
    issued(mary, &format!("AssumeRole&{DEVELOPER}&RoleSessionName=mary&{device}&SourceIdentity=Mary"));
    issued(mary, "GetFederationToken&Name=visitor");
    issued(Some("AKIAEXAMPLEROOT00001"), "GetFederationToken&Name=auditor&DurationSeconds=900");
    let pipeline = "AssumeRole&RoleArn=arn:aws:iam::111122223333:role/service-role/Pipeline&RoleSessionName=1481739554";
    issued(Some("AKIAEXAMPLEPIPELINE1"), pipeline);
    issued(Some("AKIAI44QH8DHBEXAMPLE"), &format!("AssumeRole&{DEVELOPER}&RoleSessionName=juan"));
    issued(Some("AKIAEXAMPLEPERSON001"), &format!("AssumeRole&{DEVELOPER}&RoleSessionName=nikki_wolf"));
    let web = format!("AssumeRoleWithWebIdentity&{DEVELOPER}&RoleSessionName=app&WebIdentityToken=");
    let claims = json!({
        "iss": "https://token.example.com", "sub": "repo:example/app", "aud": "sts.amazonaws.com", "exp": 1_500_000_000,
    });
    let jwt = format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims.to_string()));
    issued(None, &format!("{web}{jwt}"));
    issued(None, &format!("{web}the-token-of-a-mobile-app"));
    let assertion = assertion(&[]).replace('+', "%2B");
    issued(None, &format!("AssumeRoleWithSAML&{DEVELOPER}&PrincipalArn={PROVIDER}&SAMLAssertion={assertion}"));
    let text = json!(world.events()).to_string().replace(&world.endpoint().replace("http://", ""), "127.0.0.1:4599");
    serde_json::from_str(&text).expect("a host is replaced by a host")
}

/// Returns a response of the sample's SAML provider in base64, with additional attributes of AWS.
pub(crate) fn assertion(further: &[(&str, &str)]) -> String {
    let attribute = |name: &str, value: &str| {
        format!(
            "<Attribute Name=\"https://aws.amazon.com/SAML/Attributes/{name}\"><AttributeValue>{value}</AttributeValue></Attribute>"
        )
    };
    let role = format!("arn:aws:iam::111122223333:role/Developer,{PROVIDER}");
    let usual = [("Role", role.as_str()), ("RoleSessionName", "ana.carolina"), ("SessionDuration", "1800")];
    let attributes: Vec<_> = usual.iter().chain(further).map(|(name, value)| attribute(name, value)).collect();
    STANDARD.encode(format!(
        "<Response><Assertion ID=\"_c0046c\"><Issuer>https://idp.example.com/saml</Issuer><Subject>\
        <NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">ana</NameID><SubjectConfirmation>\
        <SubjectConfirmationData NotOnOrAfter=\"2017-01-01T00:00:00.000Z\" Recipient=\"https://signin.aws.amazon.com/saml\"/>\
        </SubjectConfirmation></Subject><AttributeStatement>{}</AttributeStatement></Assertion></Response>",
        attributes.concat()
    ))
}

fn are_as_written(version: EventVersion, name: &str) {
    let path = workspace().join("tests/records").join(name);
    let records = format!("{:#}\n", json!(story(version)));
    if std::env::var_os("GOLDENS").is_some_and(|value| value == "write") {
        return fs::write(path, records).expect("the folder is writable");
    }
    let expected: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(&path).expect("the file exists")).expect("the text is JSON");
    let records: Vec<Value> = serde_json::from_str(&records).expect("the rewritten text is JSON");
    for (record, expected) in records.iter().zip(&expected) {
        assert_eq!(record.to_string(), expected.to_string());
    }
    assert_eq!(records.len(), expected.len());
}

#[test]
fn records_of_every_kind_of_caller_match_the_guide() {
    are_as_written(EventVersion::V1_05, "callers-1.05.json");
}

#[test]
fn records_of_every_kind_of_caller_match_the_current_version() {
    are_as_written(EventVersion::V1_11, "callers-1.11.json");
}

#[test]
fn the_sample_has_every_kind_of_caller() {
    let records = story(EventVersion::V1_05);
    let mut kinds: Vec<&str> = records.iter().filter_map(|record| record["userIdentity"]["type"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let all = [
        "AWSAccount",
        "AWSService",
        "AssumedRole",
        "FederatedUser",
        "IAMUser",
        "IdentityCenterUser",
        "Root",
        "SAMLUser",
        "WebIdentityUser",
    ];
    assert_eq!(kinds, all);
}

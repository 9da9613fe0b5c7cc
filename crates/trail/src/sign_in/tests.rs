use aws::call::Origin;
use aws::caller::Session;
use aws::{Call, Clock, SystemClock};
use serde_json::Value;

use super::*;
use crate::record::{self, RecordForm};
use crate::{ConsoleEvents, EventVersion};

const PAGE: &str = "http://127.0.0.1:4599/_console/repositories";
const LOGIN: ConsoleLogin<'_> = ConsoleLogin { login_to: PAGE, is_mobile: false, mfa_used: false };

fn account() -> AccountId {
    "111122223333".parse().expect("the account is valid")
}

fn anaya() -> Caller {
    Caller::iam_user(account(), "anaya", "AIDACKCEVSQ6C2EXAMPLE".to_owned(), Some("ASIAIOSFODNN7EXAMPLE".to_owned()))
}

fn root() -> Caller {
    Caller { kind: Kind::Root, arn: "arn:aws:iam::111122223333:root".to_owned(), user_name: None, ..anaya() }
}

fn developer() -> Caller {
    Caller {
        kind: Kind::AssumedRole,
        principal_id: "AROACKCEVSQ6C2EXAMPLE:anaya".to_owned(),
        arn: "arn:aws:sts::111122223333:assumed-role/Developer/anaya".to_owned(),
        user_name: None,
        session: Some(Session::new(SystemClock.now())),
        ..anaya()
    }
}

/// Writes the one record of an event, of a call by the console.
fn written(event: Event, version: EventVersion) -> String {
    let origin = Origin {
        account: account(),
        region: "us-east-1".parse().expect("the region is valid"),
        source_ip_address: "192.0.2.0".to_owned(),
        user_agent: Some("Mozilla/5.0".to_owned()),
        host: Some("127.0.0.1:4599".to_owned()),
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: true,
    };
    let call = Call::begin(anaya(), origin, &SystemClock);
    let records = event.records(&call);
    let [event] = records.as_slice() else { panic!("there are {} records", records.len()) };
    record::line(event, &call, RecordForm { version, console: ConsoleEvents::AwsInternal })
}

fn record(event: Event) -> Value {
    serde_json::from_str(&written(event, EventVersion::V1_05)).expect("a record is JSON")
}

/// Returns the names of the members of an object in their order.
fn members(object: &Value) -> Vec<&str> {
    object.as_object().expect("it is an object").keys().map(String::as_str).collect()
}

#[test]
fn a_sign_in_has_the_members_of_cloudtrails_example() {
    let record = record(LOGIN.succeeded(&anaya()));
    let names = "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent requestParameters \
                 responseElements additionalEventData eventID eventType recipientAccountId";
    assert_eq!(members(&record).join(" "), names);
    assert_eq!(members(&record["userIdentity"]), ["type", "principalId", "arn", "accountId", "userName"]);
    assert_eq!((&record["sourceIPAddress"], &record["userAgent"]), (&json!("192.0.2.0"), &json!("Mozilla/5.0")));
    assert_eq!(record["eventSource"], "signin.amazonaws.com");
    assert_eq!(record["eventType"], "AwsConsoleSignIn");
    assert_eq!(record["requestParameters"], Value::Null);
    assert_eq!(record["responseElements"], json!({ "ConsoleLogin": "Success" }));
    let data = record["additionalEventData"].to_string();
    assert_eq!(data, format!(r#"{{"LoginTo":"{PAGE}","MobileVersion":"No","MFAUsed":"No"}}"#));
}

#[test]
fn a_sign_in_of_the_newest_version_shows_the_connection_of_the_browser() {
    let line = written(LOGIN.succeeded(&anaya()), EventVersion::V1_11);
    let record: Value = serde_json::from_str(&line).expect("a record is JSON");
    let names = "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent requestParameters \
                 responseElements additionalEventData eventID readOnly eventType managementEvent recipientAccountId eventCategory \
                 tlsDetails";
    assert_eq!(members(&record).join(" "), names);
    assert_eq!((&record["readOnly"], &record["userAgent"]), (&json!(false), &json!("Mozilla/5.0")));
    assert_eq!(record["tlsDetails"], json!({ "clientProvidedHostHeader": "127.0.0.1:4599" }));
}

#[test]
fn a_failed_sign_in_has_a_message_and_no_code() {
    let failed = record(LOGIN.failed(&anaya()));
    assert_eq!(failed["errorMessage"], "Failed authentication");
    assert_eq!(failed.get("errorCode"), None);
    assert_eq!(failed["responseElements"], json!({ "ConsoleLogin": "Failure" }));
    let identity = failed["userIdentity"].to_string();
    assert_eq!(
        identity,
        r#"{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","accountId":"111122223333","accessKeyId":"","userName":"anaya"}"#
    );
}

#[test]
fn the_name_of_an_unknown_user_is_not_recorded() {
    let login = ConsoleLogin { is_mobile: true, mfa_used: true, ..LOGIN };
    let unknown = record(login.unknown_user(&account()));
    assert_eq!(unknown["errorMessage"], "No username found in supplied account");
    assert_eq!(
        unknown["userIdentity"].to_string(),
        r#"{"type":"IAMUser","accountId":"111122223333","accessKeyId":"","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#
    );
    let data = &unknown["additionalEventData"];
    assert_eq!((&data["MobileVersion"], &data["MFAUsed"]), (&json!("Yes"), &json!("Yes")));
}

#[test]
fn a_sign_in_of_the_root_has_an_empty_access_key() {
    for event in [LOGIN.succeeded(&root()), LOGIN.failed(&root())] {
        let identity = record(event)["userIdentity"].clone();
        assert_eq!(members(&identity), ["type", "principalId", "arn", "accountId", "accessKeyId"]);
        assert_eq!(identity["accessKeyId"], "");
    }
}

#[test]
fn a_switch_of_roles_shows_the_former_identity() {
    let switched = record(switch_role(&developer(), &anaya().arn, PAGE));
    assert_eq!(members(&switched["userIdentity"]), ["type", "principalId", "arn", "accountId"]);
    assert_eq!(switched["responseElements"], json!({ "SwitchRole": "Success" }));
    let data = switched["additionalEventData"].to_string();
    assert_eq!(data, format!(r#"{{"SwitchFrom":"arn:aws:iam::111122223333:user/anaya","RedirectTo":"{PAGE}"}}"#));
    let back = record(exit_role(&developer(), PAGE));
    assert_eq!(
        (&back["eventName"], &back["responseElements"]),
        (&json!("ExitRole"), &json!({ "ExitRole": "Success" }))
    );
    assert_eq!(back["additionalEventData"], json!({ "RedirectTo": PAGE }));
}

#[test]
fn a_switch_to_a_role_of_another_account_is_recorded_there() {
    let other: AccountId = "444455556666".parse().expect("the account is valid");
    let switched = record(switch_role(&Caller { account_id: other, ..developer() }, &anaya().arn, PAGE));
    assert_eq!(switched["recipientAccountId"], "444455556666");
}

#[test]
fn a_sign_in_token_shows_its_temporary_credentials() {
    let token = record(get_signin_token(&developer()));
    assert_eq!(token["responseElements"], json!({ "GetSigninToken": "Success" }));
    assert_eq!(token["userIdentity"]["accessKeyId"], "ASIAIOSFODNN7EXAMPLE");
    assert_eq!(members(&token["userIdentity"]["sessionContext"]), ["attributes"]);
}

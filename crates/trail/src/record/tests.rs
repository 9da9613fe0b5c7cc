use aws::call::Origin;
use aws::caller::{Session, WebIdentity};
use aws::{AccountId, Caller, Failure, SystemClock, Timestamp};
use proptest::prelude::*;

use super::limits::RECORD_BYTES_MAX;
use super::*;

fn account() -> AccountId {
    "111122223333".parse().expect("the account is valid")
}

/// A text of `length` characters; some kinds of characters take six bytes of JSON, others several of UTF-8.
fn text(length: usize, kind: u8) -> String {
    let character = ["a", "\u{1b}", "\"", "\u{e9}", "\u{1f600}"][usize::from(kind) % 5];
    character.repeat(length)
}

/// A text, a list, an object, or the references of a push, of about `length` bytes.
fn elements(length: usize, kind: u8) -> Value {
    match kind % 5 {
        0 => Value::Null,
        1 => json!({ "one": text(length, kind / 5), "two": 2 }),
        2 => {
            json!({ "references": vec![json!({ "commit": "0".repeat(40), "ref": text(length / 100, kind / 5) }); 100] })
        }
        3 => json!({ "names": vec![text(40, kind / 5); length / 40] }),
        _ => (0..length / 40)
            .map(|at| (format!("{}-{at}", text(20, kind / 5)), json!(true)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn form(version: EventVersion) -> RecordForm {
    RecordForm { version, console: ConsoleEvents::default_for(version) }
}

fn call(texts: &[String]) -> Call {
    let [user, agent, host, claim] = texts else { panic!("there are four texts") };
    let mut caller = Caller::iam_user(account(), user, user.clone(), Some(user.clone()));
    let attributes: Vec<(String, String)> = (0..5).map(|at| (format!("{at}-{claim}"), claim.clone())).collect();
    caller.session = Some(Session {
        web_identity: Some(WebIdentity { provider: claim.clone(), attributes }),
        source_identity: Some(user.clone()),
        ..Session::new(Timestamp::from_millis(0))
    });
    let origin = Origin {
        account: account(),
        region: "us-east-2".parse().expect("the region is valid"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: Some(agent.clone()),
        host: Some(host.clone()),
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: false,
    };
    Call::begin(caller, origin, &SystemClock)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_record_is_larger_than_cloudtrail_allows(
        lengths in prop::collection::vec(prop_oneof![0_usize..2_000, 0_usize..60_000, 0_usize..120_000], 9),
        kinds in prop::collection::vec(any::<u8>(), 9),
        modern in any::<bool>(),
    ) {
        let parts: Vec<(usize, u8)> = lengths.into_iter().zip(kinds).collect();
        let texts: Vec<String> = parts[..4].iter().map(|(length, kind)| text(*length, *kind)).collect();
        let call = call(&texts);
        for at in 0..parts[4].0 / 2_000 {
            let arn = format!("arn:aws:codecommit:us-east-2:111122223333:{at}{}", text(100, parts[4].1));
            call.add_resource(Resource { kind: "AWS::CodeCommit::Repository", arn, account: account() });
        }
        let mut event = Event::new("GitPush", "codecommit.amazonaws.com");
        event.request_parameters = elements(parts[5].0, parts[5].1);
        event.response_elements = elements(parts[6].0, parts[6].1);
        event.additional_event_data = elements(parts[7].0, parts[7].1);
        event.failure = Some(Failure::client("InvalidRequestException", text(parts[8].0, parts[8].1)));
        let version = if modern { EventVersion::V1_11 } else { EventVersion::V1_05 };
        let line = line(&event, &call, form(version));
        prop_assert!(line.len() <= RECORD_BYTES_MAX + 1, "{} bytes", line.len());
        prop_assert!(line.ends_with('\n') && line.find('\n') == Some(line.len() - 1));
        let record: Value = serde_json::from_str(&line).expect("a record is JSON");
        prop_assert_eq!(&record["eventName"], "GitPush");
        prop_assert_eq!(&record["userIdentity"]["type"], "IAMUser");
        prop_assert_eq!(record["eventID"].as_str(), Some(call.event_id()));
        if event.request_parameters.to_string().len() < 100 * 1024 {
            prop_assert_eq!(&record["requestParameters"], &event.request_parameters);
        }
    }
}

#[test]
fn a_push_of_too_many_references_keeps_as_many_as_fit() {
    let call = call(&["user", "git/2", "localhost", "claim"].map(str::to_owned));
    let reference = |at| json!({ "commit": "0".repeat(40), "ref": format!("refs/heads/branch-{at:04}") });
    let mut event = Event::new("GitPush", "codecommit.amazonaws.com");
    event.request_parameters = json!({ "references": (0..4_000).map(reference).collect::<Vec<_>>() });
    event.additional_event_data = json!({ "protocol": "HTTP", "repositoryName": "MyDemoRepo" });
    let record: Value =
        serde_json::from_str(&line(&event, &call, form(EventVersion::V1_05))).expect("a record is JSON");
    let references = record["requestParameters"]["references"].as_array().expect("references are an array");
    assert!((1_000..2_000).contains(&references.len()), "{}", references.len());
    assert_eq!(references[999], reference(999));
    assert_eq!(record["additionalEventData"], event.additional_event_data);
}

#[test]
fn records_of_console_calls_have_the_form_of_the_setting() {
    let mut call = call(&["user", "Mozilla/5.0", "localhost", "claim"].map(str::to_owned));
    call.is_console = true;
    let event = Event::new("GetRepository", "codecommit.amazonaws.com");
    for (version, console, address, agent) in [
        (EventVersion::V1_05, ConsoleEvents::Client, "127.0.0.1", "console.amazonaws.com"),
        (EventVersion::V1_05, ConsoleEvents::AwsInternal, "AWS Internal", "AWS Internal"),
        (EventVersion::V1_11, ConsoleEvents::Client, "127.0.0.1", "console.amazonaws.com"),
        (EventVersion::V1_11, ConsoleEvents::AwsInternal, "AWS Internal", "AWS Internal"),
    ] {
        let line = line(&event, &call, RecordForm { version, console });
        let record: Value = serde_json::from_str(&line).expect("a record is JSON");
        assert_eq!((&record["sourceIPAddress"], &record["userAgent"]), (&json!(address), &json!(agent)));
        assert_eq!(record.get("tlsDetails"), None);
        let is_last = line.ends_with(",\"sessionCredentialFromConsole\":\"true\"}\n");
        assert_eq!(is_last, version == EventVersion::V1_11, "{line}");
    }
    call.is_console = false;
    let line = line(&event, &call, form(EventVersion::V1_11));
    let own: Value = serde_json::from_str(&line).expect("a record is JSON");
    assert_eq!((&own["userAgent"], own.get("sessionCredentialFromConsole")), (&json!("Mozilla/5.0"), None));
    assert_eq!(own["tlsDetails"], json!({ "clientProvidedHostHeader": "localhost" }));
}

#[test]
fn calls_of_a_service_for_the_console_show_the_service() {
    let mut call = call(&["user", "Mozilla/5.0", "localhost", "claim"].map(str::to_owned));
    call.is_console = true;
    let event = Event::new("Decrypt", "kms.amazonaws.com");
    let call = call.through("codecommit.amazonaws.com");
    let record: Value =
        serde_json::from_str(&line(&event, &call, form(EventVersion::V1_11))).expect("a record is JSON");
    assert_eq!(record["sourceIPAddress"], "codecommit.amazonaws.com");
    assert_eq!((&record["sessionCredentialFromConsole"], record.get("tlsDetails")), (&json!("true"), None));
}

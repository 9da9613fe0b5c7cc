//! Event history: lookups by every attribute, over pages, and with each client.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tests::binary::Running;
use tests::wire::{self, signed};
use tests::{World, model, wait_until};

const ATTRIBUTES: [&str; 8] =
    ["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];

/// The accounts and regions of calls.
pub const PLACES: [(&str, &str); 3] =
    [("111122223333", "us-east-1"), ("111122223333", "us-east-2"), ("444455556666", "us-east-1")];

fn world() -> World {
    // Delivery of log files would read the clock, so it does not run during the test.
    World::with(|settings| settings.log_interval = Duration::from_hours(1))
}

/// Returns the `Authorization` header of a user in an account and region.
fn header(place: usize, user: usize) -> String {
    match PLACES[place] {
        ("111122223333", region) => signed(["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"][user], region),
        // Li_Juan and Saanvi are users of the other account.
        _ => ["Basic TGlfSnVhbi1hdC00NDQ0NTU1NTY2NjY6eA==", "Basic U2FhbnZpLWF0LTQ0NDQ1NTU1NjY2Njp4"][user].to_owned(),
    }
}

/// Calls an operation as one of two users in an account and region.
pub fn call(world: &World, place: usize, user: usize, operation: &str, input: &Value) {
    world.call_as(operation, input, &[("authorization", &header(place, user))]);
}

/// Creates a trail of calls of several services, accounts, regions and users.
fn varied() -> World {
    let world = world();
    for (place, _) in PLACES.iter().enumerate() {
        call(&world, place, 0, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
        call(&world, place, 1, "CreateRepository", &json!({ "repositoryName": "MySecondRepo" }));
        call(&world, place, 1, "GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
        call(&world, place, 0, "ListRepositories", &json!({}));
        call(&world, place, 1, "LookupEvents", &json!({ "MaxResults": 1 }));
        call(&world, place, 0, "GetRepository", &json!({ "repositoryName": "None" }));
    }
    world
}

/// Returns the attributes of a record, derived from the record alone.
fn values(record: &Value, attribute: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned).into_iter().collect();
    let identity = &record["userIdentity"];
    let resources = record["resources"].as_array().into_iter().flatten();
    match attribute {
        "EventId" => text(&record["eventID"]),
        "EventName" => text(&record["eventName"]),
        "ReadOnly" => vec![record["readOnly"].to_string()],
        "Username" => text(&identity["userName"]),
        "ResourceType" => resources.flat_map(|resource| text(&resource["type"])).collect(),
        "ResourceName" => {
            let arns = resources.filter_map(|resource| resource["ARN"].as_str());
            arns.flat_map(|arn| [arn, arn.rsplit(':').next().unwrap_or(arn)]).map(str::to_owned).collect()
        }
        "EventSource" => text(&record["eventSource"]),
        "AccessKeyId" => text(&identity["accessKeyId"]),
        other => panic!("{other} is no attribute"),
    }
}

fn seconds(record: &Value) -> i64 {
    let time = record["eventTime"].as_str().and_then(aws::Timestamp::from_iso).expect("a record has a time");
    time.millis() / 1_000
}

/// A lookup of a test.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    pub place: usize,
    pub filter: Option<(&'static str, String)>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub size: Option<usize>,
}

impl Lookup {
    /// Returns the expected records, newest first.
    pub fn expected(&self, records: &[Value]) -> Vec<Value> {
        let (account, region) = PLACES[self.place];
        let is_asked = |record: &&Value| {
            record["recipientAccountId"] == account
                && record["awsRegion"] == region
                && self.filter.as_ref().is_none_or(|(attribute, value)| values(record, attribute).contains(value))
                && self.start.is_none_or(|start| seconds(record) >= start)
                && self.end.is_none_or(|end| seconds(record) <= end)
        };
        let mut found: Vec<Value> = records.iter().filter(is_asked).cloned().collect();
        found.sort_by_key(|record| std::cmp::Reverse(seconds(record)));
        found
    }

    fn input(&self) -> Value {
        let mut input = json!({});
        if let Some((key, value)) = &self.filter {
            input["LookupAttributes"] = json!([{ "AttributeKey": key, "AttributeValue": value }]);
        }
        for (name, value) in [("StartTime", self.start), ("EndTime", self.end)] {
            if let Some(value) = value {
                input[name] = value.into();
            }
        }
        if let Some(size) = self.size {
            input["MaxResults"] = size.into();
        }
        input
    }

    /// Returns the records of all pages, without those of the lookups.
    pub fn found(&self, world: &World) -> Vec<Value> {
        let (mut input, mut found) = (self.input(), Vec::new());
        loop {
            let reply = world.call_as("LookupEvents", &input, &[("authorization", &header(self.place, 0))]);
            assert_eq!(reply.status, 200, "{input}: {}", reply.text());
            let page = reply.json();
            model::check("LookupEvents", &page).unwrap_or_else(|wrong| panic!("{wrong}"));
            let events = page["Events"].as_array().expect("a page has events");
            assert!(events.len() <= self.size.unwrap_or(50));
            found.extend(events.iter().map(record));
            let Some(token) = page.get("NextToken") else { return found };
            assert_eq!(events.len(), self.size.unwrap_or(50), "only the last page is short");
            input["NextToken"] = token.clone();
        }
    }
}

/// Returns the record of a found event, and checks the other members of the event against it.
fn record(event: &Value) -> Value {
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().expect("the member is a string"))
        .expect("the text is JSON");
    assert_eq!(event["EventTime"], seconds(&record));
    for attribute in ["EventId", "EventName", "ReadOnly", "Username", "EventSource", "AccessKeyId"] {
        let returned: Vec<String> = event[attribute].as_str().map(str::to_owned).into_iter().collect();
        assert_eq!(returned, values(&record, attribute), "{attribute}");
    }
    let resources = event["Resources"].as_array().expect("the value is a list");
    let types: Vec<_> =
        resources.iter().filter_map(|resource| resource["ResourceType"].as_str().map(str::to_owned)).collect();
    assert_eq!(types, values(&record, "ResourceType"));
    let names = values(&record, "ResourceName");
    assert!(resources.iter().all(|resource| names.iter().any(|name| resource["ResourceName"] == name.as_str())));
    record
}

#[test]
fn each_attribute_finds_its_events_only() {
    let world = varied();
    for place in 0..PLACES.len() {
        for attribute in ATTRIBUTES {
            let all: BTreeSet<_> = world.events().iter().flat_map(|record| values(record, attribute)).collect();
            assert!(!all.is_empty(), "{attribute}");
            for value in
                all.into_iter().chain(["none".to_owned()]).filter(|value| attribute != "ReadOnly" || value != "none")
            {
                let lookup = Lookup { place, filter: Some((attribute, value)), ..Lookup::default() };
                let records = world.events();
                assert_eq!(lookup.found(&world), lookup.expected(&records), "{lookup:?}");
            }
        }
    }
}

#[test]
fn lookups_find_what_a_filter_over_all_records_finds() {
    let world = varied();
    let records = world.events();
    let times: Vec<i64> = records.iter().map(seconds).collect();
    let begin = times[0];
    let length = i64::try_from(times.len()).expect("the number is small");
    let pairs: Vec<(&'static str, String)> = ATTRIBUTES
        .iter()
        .flat_map(|attribute| {
            records.iter().flat_map(|record| values(record, attribute).into_iter().map(|value| (*attribute, value)))
        })
        .collect();
    let time = || prop::option::of((begin - 2)..(begin + length + 2));
    let lookups =
        (0..PLACES.len(), prop::option::weighted(0.9, select(pairs)), time(), time(), prop::option::of(1_usize..8));
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&lookups, |(place, filter, one, other, size)| {
        let (start, end) = match (one, other) {
            (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
            // Without an end time, lookups find their own records, too.
            (one, other) => (one, other.or(Some(begin + length - 1))),
        };
        let lookup = Lookup { place, filter, start, end: end.map(|end| end.min(begin + length - 1)), size };
        let lookup = Lookup { start: lookup.start.map(|start| start.min(begin + length - 1)), ..lookup };
        prop_assert_eq!(lookup.found(&world), lookup.expected(&records));
        Ok(())
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}

#[test]
fn a_token_is_valid_for_its_own_lookup_only() {
    let world = varied();
    let page =
        |input: &Value, place: usize| world.call_as("LookupEvents", input, &[("authorization", &header(place, 0))]);
    let first =
        json!({ "LookupAttributes": [{ "AttributeKey": "ReadOnly", "AttributeValue": "true" }], "MaxResults": 2 });
    let token = page(&first, 0).json()["NextToken"].clone();
    let mut second = first.clone();
    second["NextToken"] = token;
    assert_eq!(page(&second, 0).status, 200);
    let mut others = vec![(second.clone(), 1), (second.clone(), 2)];
    for (name, value) in [
        ("EventCategory", json!("insight")),
        ("StartTime", json!(1)),
        ("EndTime", json!(2_000_000_000)),
        ("LookupAttributes", json!([{ "AttributeKey": "ReadOnly", "AttributeValue": "false" }])),
        ("LookupAttributes", json!([])),
    ] {
        let mut other = second.clone();
        other[name] = value;
        others.push((other, 0));
    }
    for (other, place) in others {
        assert_eq!(page(&other, place).json()["__type"], "InvalidNextTokenException", "{other}");
    }
}

#[test]
fn pages_of_one_lookup_have_any_size() {
    let world = varied();
    let records = world.events();
    let newest = records.iter().map(seconds).max().expect("there are some");
    let lookup = Lookup { end: Some(newest), ..Lookup::default() };
    let (mut input, mut found) = (lookup.input(), Vec::new());
    for size in [json!(2), json!(1), Value::Null, json!(50)] {
        input["MaxResults"] = size.clone();
        let page = world.call_as("LookupEvents", &input, &[("authorization", &header(0, 0))]).json();
        let events = page["Events"].as_array().unwrap_or_else(|| panic!("{size}: {page}"));
        found.extend(events.iter().map(record));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(found, lookup.expected(&records));
}

#[test]
fn of_several_attributes_the_first_counts_and_the_record_shows_all() {
    let world = varied();
    let records = world.events();
    let by = |key: &str, value: &str| json!({ "AttributeKey": key, "AttributeValue": value });
    let name = by("EventName", "CreateRepository");
    let expected = Lookup { filter: Some(("EventName", "CreateRepository".to_owned())), ..Lookup::default() };
    for further in [by("Username", "nobody"), by("EventName", "nothing"), by("Nonsense", "")] {
        let attributes = json!([name, further, by("ReadOnly", "perhaps")]);
        let input = json!({ "LookupAttributes": attributes });
        let found = world.call_as("LookupEvents", &input, &[("authorization", &header(0, 0))]).json();
        let found: Vec<Value> = found["Events"].as_array().expect("the member is present").iter().map(record).collect();
        assert_eq!(found, expected.expected(&records), "{input}");
        let recorded = world.events().pop().expect("the call is recorded");
        let shown = &recorded["requestParameters"]["lookupAttributes"];
        assert_eq!(shown.as_array().map(Vec::len), Some(3), "{shown}");
        assert_eq!(shown[0], json!({ "attributeKey": "EventName", "attributeValue": "CreateRepository" }));
    }
    let unknown_user = json!({ "LookupAttributes": [by("Username", "nobody"), name] });
    let none = world.call_as("LookupEvents", &unknown_user, &[("authorization", &header(0, 0))]).json();
    assert_eq!(none, json!({ "Events": [] }));
}

#[test]
fn pages_are_stable_while_new_events_arrive() {
    let world = varied();
    let lookup = Lookup { size: Some(2), ..Lookup::default() };
    let before = world.events();
    // The lookup of a page is recorded before that of the next page.
    assert_eq!(lookup.found(&world), lookup.expected(&before));
}

#[test]
fn lookups_are_found_by_the_next_lookup() {
    let world = world();
    let reply = world.call("LookupEvents", &json!({ "StartTime": 1_481_739_000.5, "MaxResults": 7 }));
    let found = world.ok("LookupEvents", &json!({}));
    assert_eq!(found["Events"][0]["EventName"], "LookupEvents");
    let record: Value =
        serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().expect("the member is a string"))
            .expect("the text is JSON");
    assert_eq!(record["requestID"].as_str(), reply.header("x-amzn-requestid"));
    assert_eq!(record["eventSource"], "cloudtrail.amazonaws.com");
    assert_eq!(record["requestParameters"], json!({ "maxResults": 7, "startTime": "Dec 14, 2016 6:10:00 PM" }));
    assert_eq!((&record["responseElements"], &record["readOnly"]), (&Value::Null, &json!(true)));
}

#[test]
fn event_history_survives_restarts_and_not_a_reset() {
    let mut world = World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.allow_reset = true;
    });
    let by_name = Lookup { filter: Some(("EventName", "ListRepositories".to_owned())), ..Lookup::default() };
    for _ in 0..300 {
        call(&world, 0, 0, "ListRepositories", &json!({}));
    }
    assert_eq!(by_name.found(&world).len(), 300);
    world.restart();
    call(&world, 0, 0, "ListRepositories", &json!({}));
    assert_eq!(by_name.found(&world).len(), 301);
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(by_name.found(&world), Vec::<Value>::new());
    call(&world, 0, 0, "ListRepositories", &json!({}));
    let records = world.events();
    assert_eq!(by_name.found(&world), by_name.expected(&records));
    let by_id = Lookup {
        filter: Some(("EventId", records[1]["eventID"].as_str().expect("the member is a string").to_owned())),
        ..by_name
    };
    assert_eq!(by_id.found(&world), by_id.expected(&records));
}

#[test]
fn acknowledged_calls_are_found_by_concurrent_lookups() {
    let world = world();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for number in 0..25 {
                    let name = format!("Repo{thread}-{number}");
                    world.ok("CreateRepository", &json!({ "repositoryName": name }));
                    let lookup = Lookup { filter: Some(("ResourceName", name)), ..Lookup::default() };
                    assert_eq!(lookup.found(world).len(), 1);
                }
            });
        }
    });
}

#[test]
fn with_a_delay_events_are_found_later() {
    let world = World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.lookup.delay = Duration::from_secs(10);
    });
    // Each call is a second after the previous one.
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let by_name =
        json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "CreateRepository" }] });
    for input in [&by_name, &json!({})] {
        assert_eq!(world.ok("LookupEvents", input)["Events"], json!([]));
    }
    for _ in 0..8 {
        world.ok("ListRepositories", &json!({}));
    }
    assert_eq!(world.ok("LookupEvents", &by_name)["Events"][0]["EventName"], "CreateRepository");
}

#[test]
fn with_a_rate_lookups_are_throttled() {
    let running = Running::start(&["--ephemeral", "--lookup-rate", "2"]);
    let lookup = || wire::send(wire::request(running.endpoint(), "LookupEvents", &json!({})));
    wait_until("a lookup is throttled", || {
        let reply = lookup();
        assert!(
            reply.status == 200
                || reply.failure()
                    == json!({ "status": 400, "__type": "ThrottlingException", "message": "Rate exceeded" })
        );
        reply.status == 400
    });
    wait_until("a lookup is answered again", || lookup().status == 200);
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.event_id().expect("the element exists").to_owned()).collect()
}

fn expected_ids(lookup: &Lookup, records: &[Value]) -> Vec<String> {
    let text = |record: &Value| record["eventID"].as_str().expect("the member is a string").to_owned();
    lookup.expected(records).iter().map(text).collect()
}

#[test]
fn the_sdk_looks_up_in_pages() {
    let world = varied();
    let records = world.events();
    let (first, last) = (seconds(&records[0]), seconds(records.last().expect("there are some")));
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventSource)
        .attribute_value("codecommit.amazonaws.com")
        .build()
        .expect("the member is present");
    let mut pages = world
        .cloudtrail()
        .lookup_events()
        .lookup_attributes(attribute)
        .start_time(DateTime::from_secs(first))
        .end_time(DateTime::from_secs(last))
        .into_paginator()
        .page_size(2)
        .send();
    let mut found = Vec::new();
    while let Some(page) = world.run(pages.next()) {
        found.extend(page.expect("the call is answered").events.expect("a page has events"));
    }
    let filter = Some(("EventSource", "codecommit.amazonaws.com".to_owned()));
    let expected = expected_ids(&Lookup { filter, ..Lookup::default() }, &records);
    assert_eq!(ids(&found), expected);
    assert_eq!(found[0].username(), Some("Mary_Major"));
    let failed = world.run(world.cloudtrail().lookup_events().max_results(51).send()).expect_err("there is a limit");
    assert!(failed.into_service_error().is_invalid_max_results_exception());
}

#[test]
fn the_aws_cli_looks_up_in_pages() {
    let world = varied();
    let records = world.events();
    let filter = Some(("EventName", "GetRepository".to_owned()));
    let expected = expected_ids(&Lookup { filter, ..Lookup::default() }, &records);
    let by_name =
        ["cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=GetRepository"];
    let printed = |more: &[&str]| -> Vec<String> {
        let query = ["--query", "Events[].EventId", "--output", "text"];
        let out = world.aws(&[&by_name, more, &query].concat()).ok();
        out.split_whitespace().map(str::to_owned).filter(|word| word != "None").collect()
    };
    assert_eq!(printed(&[]), expected);
    assert_eq!(printed(&["--page-size", "1"]), expected);
    assert_eq!(printed(&["--max-items", "1"]), expected[..1]);
    assert_eq!(printed(&["--start-time", "2016-12-14T18:19:00Z", "--end-time", "2016-12-14T18:20:00Z"]), expected);
    assert_eq!(printed(&["--end-time", "2016-12-14T18:19:00Z"]), Vec::<String>::new());
    let failed = world.aws(&["cloudtrail", "lookup-events", "--max-results", "51"]).failed();
    assert!(failed.contains("max"), "{failed}");
}

#[test]
fn boto3_looks_up_in_pages() {
    let world = varied();
    let records = world.events();
    let expected = expected_ids(&Lookup::default(), &records);
    let program = "
import boto3, json
pages = boto3.client('cloudtrail').get_paginator('lookup_events').paginate(PaginationConfig={'PageSize': 2})
for page in pages:
    for event in page['Events']:
        assert json.loads(event['CloudTrailEvent'])['eventID'] == event['EventId']
        assert event['EventTime'].microsecond == 0 and isinstance(event['ReadOnly'], str)
        print(event['EventId'])
";
    let printed = world.python(program).ok();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

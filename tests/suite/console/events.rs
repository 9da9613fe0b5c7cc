//! Event history, one event, and the comparison of events.

use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

use super::{Browser, between, names_after};

/// A server with some calls of two users.
fn world() -> World {
    let world = World::new();
    let other = signed("AKIAI44QH8DHBEXAMPLE", "us-east-1");
    world.ok(
        "CreateRepository",
        &json!({ "repositoryName": "MyDemoRepo", "repositoryDescription": "<script>alert(1)</script>" }),
    );
    world.call_as("CreateRepository", &json!({ "repositoryName": "MySecondRepo" }), &[("authorization", &other)]);
    world.call_as("GetRepository", &json!({ "repositoryName": "Absent" }), &[("authorization", &other)]);
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Returns the names of the records of a page as JSON.
fn names(browser: &mut Browser<'_>, query: &str) -> Vec<String> {
    let page: Value =
        serde_json::from_str(&browser.page(&format!("events?format=json&{query}"))).expect("the page is JSON");
    let records = page["Records"].as_array().expect("there is a list of records");
    records.iter().map(|record| record["eventName"].as_str().expect("a record has a name").to_owned()).collect()
}

#[test]
fn events_are_filtered_by_several_attributes_at_once() {
    let world = world();
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page("events");
    assert!(page.contains(">CreateRepository<") && !page.contains(">GetRepository<"), "only writes are shown: {page}");
    assert_eq!(names_after(&world, recorded), ["LookupEvents"]);
    let record = world.last_event();
    let attributes = json!([{ "attributeKey": "ReadOnly", "attributeValue": "false" }]);
    assert_eq!(record["requestParameters"], json!({ "lookupAttributes": attributes, "maxResults": 50 }));

    assert_eq!(names(&mut browser, "failed=1"), ["GetRepository"]);
    assert_eq!(world.last_event()["requestParameters"], json!({ "maxResults": 50 }), "AWS's form has no such filter");
    let user = world.events()[1]["userIdentity"]["userName"].as_str().expect("the caller has a name").to_owned();
    assert_eq!(names(&mut browser, &format!("Username={user}&EventName=CreateRepository")), ["CreateRepository"]);
    assert_eq!(names(&mut browser, "EventName=CreateRepository&ResourceName=MyDemoRepo&access=writes").len(), 1);
    assert_eq!(names(&mut browser, "EventName=CreateRepository&failed=1").len(), 0);
    assert_eq!(names(&mut browser, "ErrorCode=RepositoryDoesNotExistException"), ["GetRepository"]);
    assert_eq!(names(&mut browser, "EventName=CreateRepository&EventName=GetRepository").len(), 4);
    assert_eq!(names(&mut browser, "access=all&end=2000-01-01").len(), 0);
    let invalid = browser.get("events?start=yesterday");
    assert_eq!(invalid.status, 400, "{}", invalid.text());
}

#[test]
fn pages_continue_where_the_last_one_ended_and_columns_are_chosen() {
    let world = world();
    let mut browser = Browser::signed_in(&world);
    let first = browser.page("events?EventName=CreateRepository&EventName=GetRepository&size=3");
    assert_eq!(first.matches("class=\"kind-").count(), 3);
    let next = between(&first, "href=\"", "\" rel=\"next\"")
        .rsplit("href=\"")
        .next()
        .expect("there is a link")
        .replace("&#38;", "&");
    let second = browser.page(&next);
    assert_eq!(second.matches("class=\"kind-").count(), 1, "{second}");
    let page = browser.page("events?column=address&column=agent");
    assert!(
        page.contains("<th scope=\"col\">Source address</th>") && !page.contains("<th scope=\"col\">Event name</th>"),
        "{page}"
    );
    let csv = browser.page("events?column=name&column=resources&format=csv");
    assert_eq!(csv, "name,resources\r\nCreateRepository,MySecondRepo\r\nCreateRepository,MyDemoRepo\r\n");
}

#[test]
fn one_event_shows_its_record_its_command_and_its_log_file() {
    let world = world();
    let mut browser = Browser::signed_in(&world);
    let event = world.events()[0].clone();
    let id = event["eventID"].as_str().expect("a record has an id").to_owned();
    let page = browser.page(&format!("events/{id}"));
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert"), "{page}");
    let command = "aws codecommit create-repository --repository-description &#39;&#60;script&#62;alert(1)&#60;/script&#62;&#39; \
                   --repository-name MyDemoRepo --region us-east-1";
    assert!(page.contains(command), "{page}");
    assert!(page.contains("/_console/repositories/MyDemoRepo/code"), "{page}");
    assert!(page.contains("The event is not delivered yet.") || page.contains("AWSLogs/"), "{page}");
    world.send("POST", "/_local/digest", &[], b"");
    let page = browser.page(&format!("events/{id}"));
    assert!(page.contains("CloudTrail-Digest/us-east-1/") && page.contains("<dt>Position</dt><dd>1 of "), "{page}");
    let record: Value =
        serde_json::from_str(&browser.page(&format!("events/{id}?format=json"))).expect("the page is JSON");
    assert_eq!(record, event);
    assert_eq!(browser.get("events/none").status, 404);
}

#[test]
fn two_events_are_compared_member_by_member() {
    let world = world();
    let mut browser = Browser::signed_in(&world);
    let events = world.events();
    let id = |index: usize| events[index]["eventID"].as_str().expect("a record has an id");
    let page = browser.page(&format!("events/compare?id={}&id={}", id(0), id(1)));
    let row = |member: &str| between(&page, &format!("<th scope=\"row\">{member}<"), "</tr>").to_owned();
    assert!(row("requestParameters.repositoryName").contains("(differs)"), "{page}");
    assert!(!row("eventName").contains("(differs)"), "{page}");
    let short = browser.page(&format!("events/compare?differing=1&id={}&id={}", id(0), id(1)));
    assert!(!short.contains("<th scope=\"row\">eventName<"), "{short}");
    assert!(browser.page("events/compare?id=none").contains("Event history has no event none"));
}

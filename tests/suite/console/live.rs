//! The live page and its feed.

use serde_json::{Value, json};
use tests::World;
use tests::event_stream::EventStream;

use super::Browser;

#[test]
fn the_page_names_the_feed_with_its_filters_and_leaves_no_record() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let before = world.events().len();
    let page = browser.page("live?writes=true&user=%22%3E%3Cscript%3E&repository=My*");
    assert!(
        page.contains("/_console/feed?after=-1000&#38;writes=true&#38;user=%22%3E%3Cscript%3E&#38;repository=My%2A")
    );
    assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;\"") && !page.contains("><script>"), "{page}");
    assert!(page.contains("<noscript>") && page.matches("<rect").count() == 30, "{page}");
    assert_eq!(world.events().len(), before);
}

#[test]
fn the_feed_of_the_console_has_the_records_of_the_readers_account() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let events = world.events();
    let reply = browser.get("feed?name=CreateRepository");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")));
    assert!(reply.header("content-security-policy").is_some() && reply.header("x-frame-options").is_some());
    let record: Value = serde_json::from_str(reply.text().trim()).expect("the line is a record");
    assert_eq!(&record, events.last().expect("the call was recorded"));
    assert_eq!(browser.get("feed?account=444455556666").text(), "");
    let refused = browser.get("feed?usre=Mary");
    assert!(refused.status == 400 && refused.text().contains("'usre' is not a parameter"), "{}", refused.text());
    assert_eq!(world.events(), events, "reading the feed leaves no record");
}

#[test]
fn the_feed_is_for_signed_in_readers_when_credentials_are_verified() {
    let world = World::with(|settings| settings.access = server::settings::Access::Signed);
    let reply = world.send("GET", "/_console/feed?format=sse", &[], b"");
    // The sign-in page, to which the reader is led, is no feed.
    assert!(!reply.header("content-type").is_some_and(|content_type| content_type.contains("event-stream")));
}

#[test]
fn the_feed_of_local_events_and_the_one_of_the_console_are_one() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let mut stream = EventStream::open(&world.endpoint(), "after=now", None);
    stream.catch_up();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let record = stream.next_record().expect("the stream is open");
    let reply = browser.get("feed?after=-1");
    assert_eq!(serde_json::from_str::<Value>(reply.text().trim()).ok(), Some(record));
}

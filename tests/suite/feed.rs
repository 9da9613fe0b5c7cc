//! `GET /_local/events`: records as lines and as server-sent events.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tests::World;
use tests::database::is_sqlite;
use tests::event_stream::EventStream;
use tests::wire::{self, Reply, signed};
use ureq::http::Request;

/// Creates a trail of six different calls.
fn world() -> World {
    let world = World::new();
    create(&world, "MyDemoRepo");
    create(&world, "MySecondRepo");
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.call("GetRepository", &json!({ "repositoryName": "Other" }));
    let signature = signed("AKIAI44QH8DHBEXAMPLE", "us-east-2");
    world.call_as("ListRepositories", &json!({}), &[("authorization", &signature)]);
    world.git(".", &["ls-remote", &world.repository_url("MyDemoRepo")]).ok();
    world
}

/// A world whose stop and reset would wait for a request that holds the state.
fn patient_world() -> World {
    World::with(|settings| {
        settings.allow_reset = true;
        settings.stop_timeout = Duration::from_hours(1);
    })
}

fn create(world: &World, name: &str) {
    world.ok("CreateRepository", &json!({ "repositoryName": name }));
}

fn get(endpoint: &str, query: &str) -> Reply {
    let request = Request::get(format!("{endpoint}/_local/events?{query}")).body(Vec::new());
    wire::send(request.expect("the request is well formed"))
}

fn records(reply: &Reply) -> Vec<Value> {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")), "{}", reply.text());
    reply.text().lines().map(|line| serde_json::from_str(line).expect("a line is a record")).collect()
}

fn cursor(reply: &Reply) -> String {
    reply.header("codecommit-local-last-event").expect("the reply has a cursor").to_owned()
}

/// Returns the positions of the records of a reply in the trail.
fn positions(world: &World, query: &str) -> Vec<usize> {
    let (all, found) = (world.events(), records(&get(&world.endpoint(), query)));
    found.iter().map(|record| all.iter().position(|event| event == record).expect("it is in the trail")).collect()
}

fn repository_of(record: &Value) -> &str {
    record["requestParameters"]["repositoryName"].as_str().expect("the record has a repository")
}

#[test]
fn each_filter_selects_its_records() {
    let world = world();
    let none: [usize; 0] = [];
    assert_eq!(positions(&world, ""), [0, 1, 2, 3, 4, 5]);
    assert_eq!(positions(&world, "name=Create*,GitPull"), [0, 1, 5]);
    assert_eq!(positions(&world, "name=Create*&name=GitPull"), [0, 1, 5]);
    assert_eq!(positions(&world, "user=AKIAI44QH8DHBEXAMPLE"), [4]);
    assert_eq!(positions(&world, "repository=MyDemoRepo&name=GetRepository"), [2]);
    assert_eq!(positions(&world, "service=codecommit&region=us-east-2"), [4]);
    assert_eq!(positions(&world, "ip=127.0.0.*&account=111122223333"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(positions(&world, "account=444455556666"), none);
    assert_eq!(positions(&world, "failed"), [3]);
    assert_eq!(positions(&world, "writes=true&failed=false"), [0, 1]);
    assert_eq!(positions(&world, "since=2016-12-14T18:19:16Z&until=2016-12-14T18:19:18Z"), [2, 3, 4]);
    assert_eq!(positions(&world, "since=2016-12-15"), none);
    assert_eq!(positions(&world, "after=now"), none);
    assert_eq!(positions(&world, "after=-3"), [3, 4, 5]);
    assert_eq!(positions(&world, "after=-9&writes"), [0, 1]);
    assert_eq!(world.events().len(), 6, "reading the feed leaves no record");
}

#[test]
fn pages_continue_after_the_last_record_that_was_considered() {
    let world = world();
    let first = get(&world.endpoint(), "limit=2");
    assert_eq!(records(&first), world.events()[..2]);
    let second = get(&world.endpoint(), &format!("limit=2&name=List*,GitPull&after={}", cursor(&first)));
    assert_eq!(records(&second), world.events()[4..]);
    let end = cursor(&second);
    let failed = get(&world.endpoint(), "failed&limit=1");
    assert_eq!(cursor(&get(&world.endpoint(), &format!("failed&after={}", cursor(&failed)))), end);
    let nothing = get(&world.endpoint(), &format!("after={end}"));
    assert_eq!((records(&nothing), cursor(&nothing)), (vec![], end));
}

#[test]
fn a_reply_waits_for_the_first_record_that_passes() {
    let world = world();
    let after = cursor(&get(&world.endpoint(), ""));
    let endpoint = world.endpoint();
    let query = format!("wait=60&repository=Third&after={after}");
    let waiting = thread::spawn(move || get(&endpoint, &query));
    create(&world, "Second");
    create(&world, "Third");
    let reply = waiting.join().expect("the thread ends");
    assert_eq!(records(&reply), [world.events()[7].clone()]);
    let all = get(&world.endpoint(), "wait=60&name=CreateRepository");
    assert_eq!(records(&all).len(), 4, "there is no wait while there are records");
    let none = get(&world.endpoint(), &format!("wait=1&after={}", cursor(&reply)));
    assert_eq!((records(&none), cursor(&none)), (vec![], cursor(&reply)));
}

#[test]
fn a_stream_continues_after_its_last_event() {
    let world = world();
    let mut stream = EventStream::open(&world.endpoint(), "name=CreateRepository", None);
    assert_eq!(stream.next_record(), Some(world.events()[0].clone()));
    assert_eq!(stream.next_record(), Some(world.events()[1].clone()));
    create(&world, "Third");
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("Third"));
    let last = stream.last_id().to_owned();
    drop(stream);
    create(&world, "Fourth");
    let mut stream = EventStream::open(&world.endpoint(), "name=CreateRepository&after=now", Some(&last));
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("Fourth"));
    let mut stream = EventStream::open(&world.endpoint(), "after=now", None);
    stream.catch_up();
    create(&world, "Fifth");
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("Fifth"));
    let mut stream = EventStream::open(&world.endpoint(), "limit=1", None);
    assert_eq!((stream.next_record(), stream.next_record()), (Some(world.events()[0].clone()), None));
}

#[test]
fn every_reader_gets_every_record_once_and_in_order() {
    let world = World::new();
    let readers: Vec<_> = (0..20)
        .map(|reader| {
            let endpoint = world.endpoint();
            thread::spawn(move || {
                let query = if reader % 2 == 0 { "name=GetRepository" } else { "" };
                let mut stream = EventStream::open(&endpoint, query, None);
                (0..200).map(|_| stream.next_record().expect("the stream is open")).collect::<Vec<_>>()
            })
        })
        .collect();
    thread::scope(|scope| {
        for caller in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for number in 0..50 {
                    world.call("GetRepository", &json!({ "repositoryName": format!("{caller}-{number}") }));
                }
            });
        }
    });
    for reader in readers {
        assert_eq!(reader.join().expect("the thread ends"), world.events());
    }
}

#[test]
fn a_reset_ends_streams_and_readers_start_again() {
    let world = patient_world();
    for name in ["One", "Two", "Three"] {
        create(&world, name);
    }
    let mut stream = EventStream::open(&world.endpoint(), "after=now", None);
    stream.catch_up();
    create(&world, "Four");
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("Four"));
    let (endpoint, query) = (world.endpoint(), format!("wait=60&after={}", stream.last_id()));
    let waiting = thread::spawn(move || get(&endpoint, &query));
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(stream.next_record(), None);
    create(&world, "AfterReset");
    let mut stream = EventStream::open(&world.endpoint(), "after=now", Some(stream.last_id()));
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("AfterReset"));
    // The reset has ended the request, or it came after the reset.
    let reply = waiting.join().expect("the thread ends");
    let continued = get(&world.endpoint(), &format!("after={}", cursor(&reply)));
    assert_eq!([records(&reply), records(&continued)].concat(), world.events());
}

#[test]
fn a_restore_ends_streams() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let world = patient_world();
    create(&world, "Saved");
    let mut before = EventStream::open(&world.endpoint(), "", None);
    assert_eq!(before.next_record().as_ref().map(repository_of), Some("Saved"));
    assert_eq!(world.send("POST", "/_local/snapshots/one", &[], b"").status, 200);
    assert_eq!(before.next_record(), None);
    create(&world, "Lost");
    let mut stream = EventStream::open(&world.endpoint(), "after=now", Some(before.last_id()));
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("Lost"));
    assert_eq!(world.send("POST", "/_local/snapshots/one/restore", &[], b"").status, 200);
    assert_eq!(stream.next_record(), None);
    create(&world, "New");
    let mut stream = EventStream::open(&world.endpoint(), "", Some(before.last_id()));
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("New"));
}

/// Records calls with large records, more than the buffers of a connection take; returns their number.
fn call_with_large_records(world: &World) -> usize {
    let name = "~".repeat(90_000);
    for number in 0..150 {
        world.call("GetRepository", &json!({ "repositoryName": format!("{number}-{name}") }));
    }
    150
}

/// Opens a stream of which the client reads nothing.
fn unread_stream(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port())).expect("the server listens");
    let request = b"GET /_local/events?format=sse HTTP/1.0\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).expect("the server reads the request");
    stream
}

#[test]
fn the_server_stops_while_streams_are_open() {
    let mut world = patient_world();
    let mut stream = EventStream::open(&world.endpoint(), "", None);
    let count = call_with_large_records(&world);
    for _ in 0..count {
        assert!(stream.next_record().is_some());
    }
    let mut unread = unread_stream(&world);
    // The first bytes show that the stream was opened.
    unread.read_exact(&mut [0; 1]).expect("the server replies");
    let endpoint = world.endpoint();
    let waiting = thread::spawn(move || get(&endpoint, "wait=60&after=now"));
    let mut second = EventStream::open(&world.endpoint(), "after=now", None);
    second.catch_up();
    world.stop();
    assert_eq!((stream.next_record(), second.next_record()), (None, None));
    // The request has come before the stop, or was refused by it.
    if let Ok(reply) = waiting.join() {
        assert_eq!(records(&reply), [] as [Value; 0]);
    }
}

#[test]
fn a_slow_reader_loses_nothing() {
    let world = World::new();
    let unread = unread_stream(&world);
    let mut fast = EventStream::open(&world.endpoint(), "", None);
    let count = call_with_large_records(&world);
    for _ in 0..count {
        assert!(fast.next_record().is_some());
    }
    let ended = thread::spawn(move || {
        let mut unread = unread;
        let mut text = Vec::new();
        let mut piece = [0; 16_384];
        let is_record = |line: &&[u8]| line.starts_with(b"data: ");
        // What follows the last end of a line can be a part of a record.
        let complete = |text: &[u8]| {
            text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).filter(is_record).count()
        };
        while complete(&text) < count {
            let read = unread.read(&mut piece).expect("the server sends the stream");
            assert!(read > 0, "the stream ended");
            // The long names are left out.
            text.extend(piece[..read].iter().filter(|byte| **byte != b'~'));
        }
        String::from_utf8(text).expect("the stream is UTF-8")
    });
    let text = ended.join().expect("the thread ends");
    let numbers = text.lines().filter_map(|line| line.split("\"repositoryName\":\"").nth(1));
    let numbers = numbers.filter_map(|rest| rest.split('-').next()?.parse::<usize>().ok());
    assert_eq!(numbers.collect::<Vec<_>>(), (0..count).collect::<Vec<_>>());
}

#[test]
fn hostile_parameters_are_refused_or_match_nothing() {
    let world = world();
    for query in [
        "wait=61",
        "limit=0",
        "limit=-1",
        "after=-x",
        "format=xml",
        "failed=maybe",
        "since=yesterday",
        "usre=Mary",
        "%00=%00",
    ] {
        let reply = get(&world.endpoint(), query);
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.message().as_str().is_some_and(|message| message.ends_with('.')), "{query}: {}", reply.text());
    }
    let stars = "*a".repeat(5_000);
    for value in ["%00", "%FF%FE", "%0A%0Adata:%20x", "..%2F..%2F", "'%20OR%201=1--", &stars] {
        assert_eq!(records(&get(&world.endpoint(), &format!("name={value}"))), [] as [Value; 0], "{value}");
    }
    for after in ["99999999999999999999:x", "%00", "1:%0A", "9223372036854775807:id"] {
        assert_eq!(records(&get(&world.endpoint(), &format!("after={after}"))).len(), 6, "{after}");
    }
}

#[test]
fn names_cannot_end_an_event_of_a_stream() {
    let world = World::new();
    let name = "a\n\ndata: {}\r\rid: 7:x\u{2028}<script>alert(1)</script>";
    world.call("GetRepository", &json!({ "repositoryName": name }));
    let mut stream = EventStream::open(&world.endpoint(), "", None);
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some(name));
    create(&world, "Next");
    assert_eq!(stream.next_record().as_ref().map(repository_of), Some("Next"));
}

//! Limits of Git requests, and clients that disconnect during a request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use tests::clients::Outcome;
use tests::push::{Push, noise};
use tests::{World, files, wait_until};

/// More bytes of a push than the server buffers before it starts to process it.
const BEGINNING_BYTES: usize = 100 << 10;

/// Starts a server with changed settings and the repository `demo`, and creates the work tree `work` with one commit.
fn world(change: impl FnOnce(&mut server::settings::Git)) -> World {
    let world = World::with(|settings| change(&mut settings.git));
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    world.git_repository("work");
    world.git("work", &["remote", "add", "origin", &world.repository_url("demo")]).ok();
    world
}

fn push(world: &World, references: &[&str]) -> Outcome {
    world.git("work", &[&["push", "origin"], references].concat())
}

#[test]
fn a_client_that_stops_sending_is_disconnected() {
    let world = world(|git| git.timeout = Duration::from_millis(50));
    push(&world, &["main"]).ok();
    let before = files(world.folder());
    let command = format!("{} {} refs/heads/x\0report-status", "0".repeat(40), "1".repeat(40));
    let body = format!("{:04x}{command}0000PACK\0\0\0\x02\0\0\0\x01", command.len() + 4);
    let mut stream = TcpStream::connect(world.endpoint().trim_start_matches("http://")).expect("the server listens");
    let head = "POST /v1/repos/demo/git-receive-pack HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 9999\r\n\r\n";
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()))
        .expect("the server reads the request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("the server answers and closes the connection");
    assert!(reply.contains("the client sent nothing for 50ms"), "{reply}");
    assert_eq!(world.events().last().expect("the call is recorded")["errorCode"], "InvalidRequestException");
    assert_eq!(files(world.folder()), before, "nothing stays of half a push");
    push(&world, &["main:x"]).ok();
}

#[test]
fn an_idle_client_is_disconnected() {
    let world = world(|git| git.timeout = Duration::from_millis(50));
    for sent in ["", "GET /v1/repos/demo/info/refs HTTP/1.1\r\nHost:"] {
        let mut stream =
            TcpStream::connect(world.endpoint().trim_start_matches("http://")).expect("the server listens");
        stream.write_all(sent.as_bytes()).expect("the server reads the request");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).expect("the server closes the connection");
    }
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let world = world(|_| ());
    push(&world, &["main"]).ok();
    let name = format!("refs/tags/{}", "x/".repeat(2048) + "x");
    let refused = push(&world, &[&format!("main:{name}")]).failed();
    assert!(refused.contains("funny refname"), "{refused}");
    world.git("work", &["ls-remote", "origin"]).ok();
}

#[test]
fn the_record_of_refused_references_is_bounded() {
    let world = world(|_| ());
    push(&world, &["main"]).ok();
    let commit = world.git("work", &["rev-parse", "main"]).ok();
    // JSON escapes a control character in six bytes.
    let packet = |text: String| format!("{:04x}{text}", text.len() + 4);
    let command = |at: usize, capabilities: &str| {
        packet(format!("{} {commit} refs/heads/{at}-{}{capabilities}", "0".repeat(40), "\u{1}".repeat(60_000)))
    };
    let mut commands = command(0, "\0report-status");
    commands.extend((1..100).map(|at| command(at, "")));
    let mut body = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::fast());
    // A pack without objects.
    let pack =
        b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
    body.write_all(&[format!("{commands}0000").as_bytes(), pack].concat()).expect("writing to memory never fails");
    let body = body.finish().expect("writing to memory never fails");
    // Names of encodings are case-insensitive.
    let headers = [("content-encoding", "GZIP"), ("content-type", "application/x-git-receive-pack-request")];
    let before = world.events().len();
    let reply = world.send("POST", "/v1/repos/demo/git-receive-pack", &headers, &body);
    assert_eq!(reply.status, 200, "{}", reply.text().get(..500).unwrap_or_default());
    let events = world.events();
    assert!(events.len() > before, "it is recorded");
    for event in &events {
        let bytes = event.to_string().len();
        assert!(bytes <= 256 * 1024, "{bytes} bytes");
        for reference in event["requestParameters"]["references"].as_array().into_iter().flatten() {
            assert!(reference["ref"].as_str().is_some_and(|name| name.len() <= 4_096));
        }
    }
}

#[test]
fn a_push_that_is_reset_leaves_nothing() {
    let world = world(|_| ());
    push(&world, &["main"]).ok();
    let main = world.git("work", &["rev-parse", "main"]).ok();
    let next = world.git_commit("work", "noise", &noise(800_000));
    let data = world.folder().join("data");
    let left = || [files(&data.join("repositories")), files(&data.join("cache"))];
    let before = left();
    let reset = Push::new(&world.folder().join("work"), "refs/heads/main", Some(&main), &next);
    for part in 0..16 {
        let sent = reset.bytes() * part / 16;
        let stream = reset.begin(&world.repository_url("demo"), sent).expect("the server reads the request");
        // The reply is unread, so the close resets the connection. With fewer bytes the server would wait before it answers.
        if sent > BEGINNING_BYTES {
            stream.peek(&mut [0]).expect("the server starts to answer");
        }
    }
    wait_until("nothing is left of the pushes", || left() == before);
    assert_eq!(world.git("work", &["ls-remote", "origin", "main"]).ok(), format!("{main}\trefs/heads/main"));
    push(&world, &["main"]).ok();
}

/// Creates a push to `main` of `demo` that is larger than the buffer of the server.
fn large_push(world: &World) -> Push {
    let tip = world.git_commit("work", "noise", &noise(800_000));
    let push = Push::new(&world.folder().join("work"), "refs/heads/main", None, &tip);
    assert!(push.bytes() > 2 * BEGINNING_BYTES, "{}", push.bytes());
    push
}

#[test]
fn stalled_pushes_hold_no_slot() {
    let world = world(|git| git.pushes = 1);
    let (url, slow) = (world.repository_url("demo"), large_push(&world));
    let begun: Vec<_> = (0..300).map(|_| slow.begin(&url, 1_000).expect("the server reads the request")).collect();
    push(&world, &["main:other"]).ok();
    let replies = begun.into_iter().take(2).map(|stream| slow.finish(stream, 1_000).expect("the call is answered"));
    let replies: Vec<_> = replies.collect();
    assert!(replies[0].contains("ok refs/heads/main"), "{}", replies[0]);
    assert!(replies[1].contains("ng refs/heads/main"), "{}", replies[1]);
}

#[test]
fn a_push_that_stalls_gives_its_slot_to_waiting_ones() {
    let world = world(|git| {
        git.pushes = 1;
        git.push_window = Duration::from_millis(50);
    });
    let (url, slow) = (world.repository_url("demo"), large_push(&world));
    let mut held = slow.begin(&url, BEGINNING_BYTES).expect("the server reads the request");
    held.peek(&mut [0]).expect("the server starts to answer");
    push(&world, &["main:other"]).ok();
    let mut reply = String::new();
    held.read_to_string(&mut reply).expect("the call is answered");
    assert!(reply.contains("while other pushes waited; push again"), "{reply}");
    assert_eq!(world.git("work", &["ls-remote", "origin", "main"]).ok(), "");
}

#[test]
fn a_push_of_too_many_references_moves_none() {
    let world = world(|git| git.limits.refs_per_push = 2);
    let refused = push(&world, &["main:a", "main:b", "main:c"]).failed();
    assert!(refused.contains("Too many reference update commands"), "{refused}");
    push(&world, &["main:a", "main:b"]).ok();
}

#[test]
fn an_object_that_is_too_large_is_refused() {
    let world = world(|git| git.limits.object_bytes = 1000);
    push(&world, &["main"]).ok();
    world.git_commit("work", "large", &"x".repeat(1001));
    let refused = push(&world, &["main"]).failed();
    assert!(refused.contains("too large"), "{refused}");
}

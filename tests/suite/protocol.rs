//! The protocol AWS JSON 1.1: targets, bodies, statuses and request ids.

use serde_json::{Value, json};
use tests::push::{FETCH_TYPE, PUSH_TYPE};
use tests::{Reply, World};

const TARGET: (&str, &str) = ("x-amz-target", "CodeCommit_20150413.CreateRepository");

fn send(world: &World, body: &[u8]) -> Reply {
    world.send("POST", "/", &[TARGET, ("content-type", "application/x-amz-json-1.1")], body)
}

fn has_request_id(reply: &Reply) -> bool {
    reply.header("x-amzn-requestid").is_some_and(|id| id.len() == 36 && id.matches('-').count() == 4)
}

#[test]
fn every_reply_of_the_api_has_a_request_id_and_a_content_type() {
    let world = World::with(|settings| settings.body_bytes_max = 1_000);
    for (target, body, status) in [
        (Some("CodeCommit_20150413.CreateRepository"), &br#"{"repositoryName":"MyDemoRepo"}"#[..], 200),
        (Some("CodeCommit_20150413.UpdateRepositoryDescription"), br#"{"repositoryName":"MyDemoRepo"}"#, 200),
        (Some("CodeCommit_20150413.GetRepository"), b"{}", 400),
        (Some("CodeCommit_20150413.GetRepository"), b"{", 400),
        (Some("CodeCommit_20150413.GetRepository"), &[b' '; 1_001], 413),
        (Some("CodeCommit_20150413.Nothing"), b"{}", 400),
        (None, b"{}", 400),
    ] {
        let headers: Vec<_> = target.map(|target| ("x-amz-target", target)).into_iter().collect();
        let reply = world.send("POST", "/", &headers, body);
        assert_eq!(reply.status, status, "{target:?}");
        assert!(has_request_id(&reply), "{target:?} {status}");
        assert_eq!(reply.header("content-type"), Some("application/x-amz-json-1.1"));
        assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    }
}

#[test]
fn every_reply_of_git_has_a_request_id() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    for (method, path, headers, status) in [
        ("GET", "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack", &[][..], 200),
        ("GET", "/v1/repos/MyDemoRepo/info/refs?service=git-receive-pack", &[], 200),
        ("GET", "/v1/repos/Other/info/refs?service=git-upload-pack", &[], 404),
        ("GET", "/v1/repos/a%20b/info/refs?service=git-upload-pack", &[], 404),
        ("POST", "/v1/repos/Other/git-upload-pack", &[FETCH_TYPE], 404),
        ("POST", "/v1/repos/Other/git-receive-pack", &[PUSH_TYPE], 404),
        ("POST", "/v1/repos/MyDemoRepo/git-upload-pack", &[FETCH_TYPE], 200),
        ("POST", "/v1/repos/MyDemoRepo/git-receive-pack", &[FETCH_TYPE], 415),
    ] {
        let reply = world.send(method, path, headers, b"");
        assert_eq!(reply.status, status, "{method} {path}");
        assert!(has_request_id(&reply), "{method} {path}");
    }
}

#[test]
fn replies_to_unknown_requests_have_a_request_id_too() {
    let world = World::new();
    for (method, path, status) in [
        ("GET", "/", 404),
        ("PUT", "/", 404),
        ("GET", "/nothing", 404),
        ("POST", "/v1/repos", 404),
        ("GET", "/v1/repos/MyDemoRepo/info/refs", 403),
        ("POST", "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack", 405),
        ("GET", "/v1/repos/MyDemoRepo/git-upload-pack", 405),
    ] {
        let reply = world.send(method, path, &[], b"");
        assert_eq!(reply.status, status, "{method} {path}");
        assert!(has_request_id(&reply), "{method} {path} has none");
    }
    assert_eq!(world.events(), Vec::<Value>::new());
}

#[test]
fn request_ids_differ() {
    let world = World::new();
    let mut ids: Vec<_> = (0..20)
        .map(|_| world.call("ListRepositories", &json!({})).header("x-amzn-requestid").map(str::to_owned))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

#[test]
fn an_unknown_operation_is_refused() {
    let world = World::new();
    for target in [
        "CodeCommit_20150413.Nothing",
        "CodeCommit_20150413.",
        "CodeCommit_20150413",
        "CodeCommit_20150413.GetRepository.",
        "CodeCommit_20150413CreateRepository",
        "CodeCommit_20150414.CreateRepository",
        "codecommit_20150413.CreateRepository",
        "CreateRepository",
        "DynamoDB_20120810.ListTables",
    ] {
        let reply = world.send("POST", "/", &[("x-amz-target", target)], b"{}");
        assert_eq!(
            (reply.status, reply.json()["__type"].as_str()),
            (400, Some("UnknownOperationException")),
            "{target}"
        );
        assert!(reply.json()["message"].as_str().expect("the message is a string").contains(target));
    }
    let reply = world.send("POST", "/", &[], b"{}");
    assert_eq!(reply.json()["__type"], "UnknownOperationException");
    assert!(reply.json()["message"].as_str().expect("the message is a string").contains("X-Amz-Target"));
}

#[test]
fn a_body_that_is_no_input_is_refused_without_effect() {
    let world = World::new();
    let bodies: [&[u8]; 19] = [
        b"x",
        b"{",
        b"[]",
        b"null",
        b"\"repositoryName\"",
        b"5",
        b"{\"repositoryName\":5}",
        b"{\"repositoryName\":true}",
        b"{\"repositoryName\":[\"MyDemoRepo\"]}",
        b"{\"repositoryName\":{\"a\":\"b\"}}",
        b"{\"repositoryName\":\"MyDemoRepo\"",
        b"{\"repositoryName\":\"MyDemoRepo}",
        b"{\"repositoryName\":\"MyDemoRepo\",}",
        b"{\"repositoryName\":\"MyDemoRepo\"} x",
        b"{\"repositoryName\":\"MyDemoRepo\"}{}",
        b"{\"repositoryName\":\"\xff\"}",
        b"{\"repositoryName\":\"\\ud800\"}",
        b"{\"repositoryName\":\"MyDemoRepo\",\"tags\":{\"a\":1}}",
        b"repositoryName=MyDemoRepo",
    ];
    let mut taken = Vec::new();
    for body in bodies {
        let reply = send(&world, body);
        if (reply.status, reply.json()["__type"].as_str()) != (400, Some("SerializationException")) {
            taken.push(format!("{} got {} {}", String::from_utf8_lossy(body), reply.status, reply.text()));
        }
        world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

#[test]
fn a_body_nested_as_deeply_as_it_fits_does_not_hurt_the_server() {
    let world = World::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 200_000;
        let nested = format!("{{\"unknown\":{}1{}}}", open.repeat(depth), close.repeat(depth));
        let reply = send(&world, nested.as_bytes());
        assert_eq!(reply.status, 400, "{}", reply.text());
    }
    assert_eq!(world.ok("ListRepositories", &json!({})), json!({ "repositories": [] }));
}

#[test]
fn unusual_but_valid_bodies_are_accepted() {
    let world = World::new();
    for body in [
        &b" \r\n\t{ \"repositoryName\" : \"MyDemoRepo\" } \n"[..],
        b"{\"repository\\u004eame\":\"MyDemo\\u0052epo\"}",
        b"{\"unknown\":{\"a\":[1,2.5e3,null,true,\"x\"]},\"repositoryName\":\"MyDemoRepo\"}",
        b"{\"repositoryName\":\"MyDemoRepo\",\"repositoryDescription\":null}",
        b"{\"repositoryName\":\"MyDemoRepo\",\"tags\":{}}",
    ] {
        let reply = send(&world, body);
        assert_eq!(reply.status, 200, "{}: {}", String::from_utf8_lossy(body), reply.text());
        world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    }
    for body in [&b""[..], b" \n", b"{}"] {
        assert_eq!(send(&world, body).json()["__type"], "RepositoryNameRequiredException");
    }
}

#[test]
fn other_content_types_and_none_are_read_as_json() {
    let world = World::new();
    for headers in
        [&[TARGET][..], &[TARGET, ("content-type", "application/json")], &[TARGET, ("content-type", "text/plain")]]
    {
        let reply = world.send("POST", "/", headers, br#"{"repositoryName":"MyDemoRepo"}"#);
        assert_eq!(reply.status, 200);
        world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_however_large_it_is() {
    let world = World::with(|settings| settings.body_bytes_max = 1_000);
    let body = |bytes: usize| {
        let mut body = br#"{"repositoryName":"MyDemoRepo"}"#.to_vec();
        body.resize(bytes, b' ');
        body
    };
    for bytes in [1_001, 2_000, 1 << 20, 24 << 20] {
        let reply = send(&world, &body(bytes));
        assert_eq!((reply.status, reply.json()["__type"].as_str()), (413, Some("RequestEntityTooLargeException")));
        assert!(reply.json()["message"].as_str().expect("the message is a string").contains("--max-body"));
    }
    assert_eq!(world.ok("ListRepositories", &json!({})), json!({ "repositories": [] }));
    assert_eq!(send(&world, &body(1_000)).status, 200);
}

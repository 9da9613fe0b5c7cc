//! Requests that web pages of other sites can make a browser send are refused; those of local pages are not.

use serde_json::json;
use tests::push::{FETCH_TYPE, PUSH_TYPE};
use tests::{Reply, World};

const TARGET: (&str, &str) = ("x-amz-target", "CodeCommit_20150413.ListRepositories");

fn call(world: &World, headers: &[(&str, &str)]) -> Reply {
    world.send("POST", "/", &[&[TARGET], headers].concat(), b"{}")
}

#[test]
fn a_public_host_name_is_refused_unless_it_is_allowed() {
    let world = World::with(|settings| {
        let names = ["git.example.com", "*.example.org"].map(str::to_owned).to_vec();
        settings.allowed_hosts = server::settings::AllowedHosts::parse(names).expect("they are names");
    });
    for host in [
        "localhost:4599",
        "codecommit:4599",
        "10.0.0.7",
        "codecommit.us-east-1.amazonaws.com",
        "git.example.com",
        "a.example.org",
    ] {
        assert_eq!(call(&world, &[("host", host)]).status, 200, "{host}");
    }
    let recorded = world.events().len();
    let refused = call(&world, &[("host", "evil.example:4599")]);
    assert_eq!((refused.status, refused.json()["__type"].as_str()), (403, Some("AccessDeniedException")));
    assert!(refused.text().contains("--allowed-host evil.example"), "{}", refused.text());
    assert!(refused.header("x-amzn-requestid").is_some());
    let path = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", path, &[("host", "evil.example")], b"").status, 403);
    assert_eq!(world.send("GET", "/_local/health", &[("host", "evil.example")], b"").status, 403);
    assert_eq!(world.events().len(), recorded, "what is refused is no call");
}

#[test]
fn a_page_of_another_site_can_neither_call_nor_push_nor_reset() {
    let world = World::with(|settings| settings.allow_reset = true);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let recorded = world.events();
    for origin in ["https://evil.example", "null", "http://192.0.2.1"] {
        let origin = ("origin", origin);
        assert_eq!(call(&world, &[origin]).status, 403);
        let form = ("content-type", "application/x-www-form-urlencoded");
        assert_eq!(world.send("POST", "/", &[form, origin], b"Action=GetCallerIdentity").status, 403);
        assert_eq!(world.send("POST", "/_local/reset", &[origin], b"").status, 403);
        assert_eq!(world.send("POST", "/_local/flush", &[origin], b"").status, 403);
        assert_eq!(
            world.send("POST", "/v1/repos/MyDemoRepo/git-receive-pack", &[PUSH_TYPE, origin], b"0000").status,
            403
        );
    }
    assert_eq!(world.events(), recorded);
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
}

#[test]
fn git_requests_have_the_types_of_git() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let recorded = world.events();
    for (service, right) in [("git-receive-pack", PUSH_TYPE), ("git-upload-pack", FETCH_TYPE)] {
        let path = format!("/v1/repos/MyDemoRepo/{service}");
        let other = if right == PUSH_TYPE { FETCH_TYPE } else { PUSH_TYPE };
        for headers in [&[][..], &[("content-type", "text/plain")], &[other]] {
            let reply = world.send("POST", &path, headers, b"0000");
            assert_eq!(reply.status, 415, "{service} {headers:?}");
            assert!(reply.text().contains(right.1), "{}", reply.text());
        }
    }
    assert_eq!(world.events(), recorded);
    assert_eq!(world.send("POST", "/v1/repos/MyDemoRepo/git-receive-pack", &[PUSH_TYPE], b"0000").status, 200);
}

#[test]
fn a_local_page_can_use_an_sdk() {
    let world = World::new();
    let origin = ("origin", "http://localhost:3000");
    let wanted = "content-type,x-amz-target,authorization,x-amz-date";
    let asked = [origin, ("access-control-request-method", "POST"), ("access-control-request-headers", wanted)];
    let recorded = world.events();
    let reply = world.send("OPTIONS", "/", &asked, b"");
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some(origin.1));
    assert_eq!(reply.header("access-control-allow-headers"), Some(wanted));
    assert_eq!(world.events(), recorded);
    let reply = call(&world, &[origin]);
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some(origin.1)));
    assert_eq!(call(&world, &[]).header("access-control-allow-origin"), None);
    let evil = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    let refused = world.send("OPTIONS", "/", &evil, b"");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    assert_eq!(world.send("OPTIONS", "/", &[], b"").status, 404);
}

#[test]
fn every_reply_has_one_date() {
    let world = World::new();
    for (method, path) in
        [("GET", "/_local/health"), ("POST", "/"), ("GET", "/nothing"), ("GET", "/codecommit-local-trail")]
    {
        let reply = world.send(method, path, &[], b"");
        let dates = reply.headers.iter().filter(|(name, value)| name == "date" && value.ends_with(" GMT"));
        assert_eq!(dates.count(), 1, "{method} {path}");
    }
}

//! Permissions of Git LFS where policies decide: `GitPull` for downloads and lists of locks, `GitPush` for the rest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use server::settings::{Access, AccessKey, SecretKey};
use tests::lfs::{batch_of, id_of};
use tests::signing::AccessKey as SigningKey;
use tests::{Reply, World, model};

use super::CONTENT;

const IDENTITIES: &str = r#"
[[account]]
id = "111122223333"

[[account.user]]
name = "Reader"
git_credentials = [{ password = "secret" }]
policies = [{ name = "read", document = '{"Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "arn:aws:codecommit:*:*:MyDemoRepo"}}' }]

[[account.user]]
name = "Writer"
git_credentials = [{ password = "secret" }]
policies = [{ name = "write", document = '{"Statement": {"Effect": "Allow", "Action": ["codecommit:GitPull", "codecommit:GitPush"], "Resource": "arn:aws:codecommit:*:*:MyDemoRepo"}}' }]
"#;

fn world() -> World {
    let world = World::with(|settings| {
        let path =
            settings.data_dir.as_ref().expect("the harness sets a data folder").with_file_name("identities.toml");
        std::fs::write(&path, IDENTITIES).expect("the folder is writable");
        settings.identities = Some(path);
        settings.access = Access::Enforced;
        settings.max_clock_skew = None;
        settings.administrator = Some(AccessKey { id: ROOT.id.to_owned(), secret: SecretKey::new(ROOT.secret) });
    });
    for name in ["MyDemoRepo", "Other"] {
        let input = json!({ "repositoryName": name }).to_string();
        let target = model::target("CreateRepository");
        assert_eq!(world.call_signed(ROOT, &target, "us-east-1", &[], input.as_bytes()).status, 200);
    }
    world
}

const ROOT: SigningKey<'static> = SigningKey { id: "AKIAADMINISTRATOR000", secret: "the secret of the administrator" };

fn send(world: &World, user: &str, name: &str, path: &str, body: &Value) -> Reply {
    let credentials = STANDARD.encode(format!("{user}-at-111122223333:secret"));
    world.lfs(name, path, &[("authorization", &format!("Basic {credentials}"))], body)
}

#[test]
fn a_denied_batch_or_lock_stays_denied_and_is_not_counted_by_failures_on_demand() {
    let mut world = world();
    world.restart_with(|settings| {
        let rules = json!([{ "operation": "GitPush", "error": "ThrottlingException" },
            { "operation": "CreateLfsLock", "connection": "cut-before", "times": 1 }]);
        settings.failures = serde_json::from_value(rules).expect("the rules are valid");
        settings.allow_reset = true;
    });
    let upload = batch_of("upload", &[CONTENT]);
    assert_eq!(send(&world, "Reader", "MyDemoRepo", "objects/batch", &upload).status, 403);
    assert_eq!(send(&world, "Reader", "MyDemoRepo", "locks", &json!({ "path": "a.bin" })).status, 403);
    assert_eq!(send(&world, "Writer", "MyDemoRepo", "objects/batch", &upload).status, 429);
    let listed = world.send("GET", "/_local/failures", &[], &[]).json();
    assert_eq!([&listed[0]["matches"], &listed[1]["matches"]], [1, 0]);
}

#[test]
fn policies_decide_about_each_request() {
    let world = world();
    let (upload, download) = (batch_of("upload", &[CONTENT]), batch_of("download", &[CONTENT]));
    let planned = send(&world, "Writer", "MyDemoRepo", "objects/batch", &upload).json();
    assert_eq!(world.lfs_action(&planned["objects"][0]["actions"]["upload"], "PUT", &[], CONTENT).status, 200);
    let lock = send(&world, "Writer", "MyDemoRepo", "locks", &json!({ "path": "a.bin" }));
    assert_eq!(lock.status, 201);
    let unlock = format!("locks/{}/unlock", lock.json()["lock"]["id"].as_str().expect("a lock has an id"));
    for (path, body, allowed) in [
        ("objects/batch", &download, true),
        ("locks/verify", &json!({}), true),
        ("locks", &Value::Null, true),
        ("objects/batch", &upload, false),
        ("locks", &json!({ "path": "b.bin" }), false),
        (&unlock, &json!({ "force": true }), false),
    ] {
        let reply = send(&world, "Reader", "MyDemoRepo", path, body);
        assert_eq!(reply.status, if allowed { 200 } else { 403 }, "{path} {body}: {}", reply.text());
        if !allowed {
            assert!(reply.json()["message"].as_str().is_some_and(|message| message.contains("codecommit:GitPush")));
            let event = world.last_event();
            assert_eq!((&event["eventName"], &event["errorCode"]), (&json!("GitPush"), &json!("AccessDenied")));
        }
    }
    let fetched = send(&world, "Reader", "MyDemoRepo", "objects/batch", &download).json();
    let fetched = world.lfs_action(&fetched["objects"][0]["actions"]["download"], "GET", &[], b"");
    assert_eq!(fetched.body, CONTENT);
    // The answer does not tell whether a repository exists.
    for name in ["Other", "absent"] {
        let reply = send(&world, "Writer", name, "objects/batch", &download);
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert!(!reply.text().contains(&id_of(CONTENT)));
    }
    assert_eq!(send(&world, "Nobody", "MyDemoRepo", "objects/batch", &download).status, 403);
    assert_eq!(world.lfs("MyDemoRepo", "objects/batch", &[], &download).status, 401);
}

//! Locks of Git LFS: who holds a path, who may remove a lock, pages, and records.

use serde_json::{Value, json};
use tests::{Reply, World, wire};

use super::world;

/// The caller of requests with this access key.
fn as_user(key: &str) -> String {
    wire::signed(key, "us-east-1")
}

fn request(world: &World, user: &str, path: &str, body: &Value) -> Reply {
    world.lfs("MyDemoRepo", path, &[("authorization", &as_user(user))], body)
}

fn paths(locks: &Value) -> Vec<String> {
    let locks = locks.as_array().expect("a list of locks");
    locks.iter().map(|lock| lock["path"].as_str().expect("a lock has a path").to_owned()).collect()
}

const MARY: &str = "AKIAIOSFODNN7EXAMPLE";
const LI: &str = "AKIAI44QH8DHBEXAMPLE";

#[test]
fn a_path_has_one_lock_which_its_owner_or_force_removes() {
    let world = world();
    let created = request(&world, MARY, "locks", &json!({ "path": "a.bin", "ref": { "name": "refs/heads/main" } }));
    assert_eq!(created.status, 201, "{}", created.text());
    let lock = created.json()["lock"].clone();
    assert_eq!(lock["path"], "a.bin");
    assert!(lock["locked_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{lock}");
    let event = world.last_event();
    assert_eq!(event["eventName"], "CreateLfsLock");
    assert_eq!(event["requestParameters"], json!({ "path": "a.bin", "repositoryName": "MyDemoRepo" }));
    assert_eq!(event["responseElements"]["lockId"], lock["id"]);
    for user in [MARY, LI] {
        let held = request(&world, user, "locks", &json!({ "path": "a.bin" }));
        assert_eq!((held.status, &held.json()["lock"]), (409, &lock));
    }
    assert_eq!(world.last_event()["errorCode"], "InvalidRequestException");
    let verified =
        |user: &str| request(&world, user, "locks/verify", &json!({ "ref": { "name": "refs/heads/main" } })).json();
    assert_eq!((paths(&verified(MARY)["ours"]), paths(&verified(MARY)["theirs"])), (vec!["a.bin".to_owned()], vec![]));
    assert_eq!((paths(&verified(LI)["ours"]), paths(&verified(LI)["theirs"])), (vec![], vec!["a.bin".to_owned()]));
    let unlock = format!("locks/{}/unlock", lock["id"].as_str().expect("a lock has an id"));
    let refused = request(&world, LI, &unlock, &json!({}));
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("--force"), "{}", refused.text());
    assert_eq!(request(&world, LI, &unlock, &json!({ "force": true })).json()["lock"], lock);
    assert_eq!(world.last_event()["eventName"], "DeleteLfsLock");
    assert_eq!(request(&world, MARY, &unlock, &json!({})).status, 404);
    assert_eq!(request(&world, LI, "locks", &json!({ "path": "a.bin" })).status, 201);
}

#[test]
fn locks_are_listed_in_pages_and_by_path_and_id() {
    let world = world();
    for number in 0..5 {
        assert_eq!(request(&world, MARY, "locks", &json!({ "path": format!("{number}.bin") })).status, 201);
    }
    let list = |query: &str| request(&world, MARY, &format!("locks?{query}"), &Value::Null).json();
    let first = list("limit=2");
    assert_eq!(paths(&first["locks"]), ["0.bin", "1.bin"]);
    let cursor = first["next_cursor"].as_str().expect("there are more").to_owned();
    assert_eq!(paths(&list(&format!("limit=2&cursor={cursor}"))["locks"]), ["2.bin", "3.bin"]);
    let all = list("refspec=refs%2Fheads%2Fmain");
    assert_eq!((paths(&all["locks"]).len(), all.get("next_cursor")), (5, None));
    assert_eq!(paths(&list("path=3.bin")["locks"]), ["3.bin"]);
    let id = all["locks"][4]["id"].as_str().expect("a lock has an id").to_owned();
    assert_eq!(paths(&list(&format!("id={id}"))["locks"]), ["4.bin"]);
    assert_eq!(paths(&list("path=absent")["locks"]), Vec::<String>::new());
    let page = request(&world, LI, "locks/verify", &json!({ "limit": 3 })).json();
    assert_eq!((paths(&page["theirs"]).len(), page["next_cursor"].is_string()), (3, true));
    assert_eq!(request(&world, MARY, "locks?cursor=x", &Value::Null).status, 422);
    for path in [String::new(), "x".repeat(4_097)] {
        assert_eq!(request(&world, MARY, "locks", &json!({ "path": path })).status, 422);
    }
    assert_eq!(request(&world, MARY, "locks", &json!({ "path": "x".repeat(4_096) })).status, 201);
}

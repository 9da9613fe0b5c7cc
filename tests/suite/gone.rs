//! Calls of disconnected clients: their work ends, and they are recorded.

use std::time::Duration;

use serde_json::json;
use tests::{World, bomb, wait_until, wire};

#[test]
fn the_work_of_a_call_ends_when_its_client_disconnects() {
    // The merge would not end otherwise.
    let limits = git::MergeLimits { time: Duration::from_hours(1), items_max: 1 << 40, ..git::MergeLimits::default() };
    let world = World::with(|settings| settings.codecommit.merge = limits);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    let work = world.folder().join("work");
    let base = bomb::commit(&work, "base", 10, 1, None);
    let sides = ["ours", "theirs"].map(|side| bomb::commit(&work, side, 10, 1, Some(&base)));
    for (side, name) in sides.iter().zip(["ours", "theirs"]) {
        bomb::push(&work, &world.repository_url("MyDemoRepo"), side, name);
    }
    let input = json!({
        "repositoryName": "MyDemoRepo", "destinationCommitSpecifier": "ours", "sourceCommitSpecifier": "theirs",
        "mergeOption": "THREE_WAY_MERGE",
    });
    let client = wire::begin(&world.endpoint(), "GetMergeConflicts", &input);
    // Other calls are answered during the merge.
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let calls = || world.events().into_iter().filter(|event| event["eventName"] == "GetMergeConflicts");
    assert_eq!(calls().count(), 0, "it is under way");
    drop(client);
    wait_until("the call ends", || calls().count() == 1);
    let call = calls().next().expect("the element exists");
    assert_eq!(call["errorCode"], "ServiceUnavailable", "{call}");
}

//! Repositories, over the raw wire and the SDK.

use serde_json::json;
use tests::World;

#[test]
fn a_created_repository_can_be_got() {
    let world = World::new();
    let created = world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let got = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(created, got);
    let output = world.run(world.sdk().get_repository().repository_name("MyDemoRepo").send()).expect("it is there");
    assert_eq!(output.repository_metadata().expect("it is told").repository_name(), Some("MyDemoRepo"));
}

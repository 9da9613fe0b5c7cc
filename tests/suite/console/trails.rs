//! Trails: state, files of a day, validation, and changes.

use serde_json::json;
use tests::World;

use super::{Browser, names_after};

const ARN: &str = "arn%3Aaws%3Acloudtrail%3Aus-east-1%3A111122223333%3Atrail%2Fcodecommit-local";

#[test]
fn a_trail_shows_the_files_of_a_day_and_their_validation() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.send("POST", "/_local/digest", &[], b"");
    let mut browser = Browser::signed_in(&world);
    let list = browser.page("trails");
    assert!(list.contains(&format!("/_console/trails/{ARN}")) && list.contains("Logging"), "{list}");
    let recorded = world.events().len();
    let page = browser.page(&format!("trails/{ARN}"));
    assert_eq!(names_after(&world, recorded), ["GetTrail", "GetTrailStatus", "GetEventSelectors"]);
    assert!(
        page.contains("/CloudTrail/us-east-1/2016/12/14/") && page.contains("/CloudTrail-Digest/us-east-1/2016/12/14/"),
        "{page}"
    );
    let page = browser.page(&format!("trails/{ARN}?verify=1"));
    assert!(page.contains("0 are invalid") && page.contains(">valid<"), "{page}");
    assert!(browser.page(&format!("trails/{ARN}?day=2016-12-13")).contains("No log files were delivered on this day."));
    let csv = browser.page(&format!("trails/{ARN}?format=csv"));
    assert!(
        csv.starts_with(
            "key,bucket,region,delivered,events,sha256,digest,judgement\r\nAWSLogs/111122223333/CloudTrail/"
        ),
        "{csv}"
    );

    let log_files = tests::log_files(&world.trail_folder());
    std::fs::write(&log_files[0], b"changed").expect("the folder is writable");
    let page = browser.page(&format!("trails/{ARN}?verify=1"));
    assert!(page.contains("INVALID: invalid format"), "{page}");
}

#[test]
fn a_trail_is_created_stopped_changed_and_deleted() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world);
    let fields =
        [("name", "MyTrail"), ("bucket", "my-logs"), ("multi-region", "1"), ("global", "1"), ("validation", "1")];
    let recorded = world.events().len();
    let created = browser.submit("trails", "trails", &fields);
    assert_eq!(created.status, 303, "{}", created.text());
    let names = names_after(&world, recorded);
    assert_eq!(names[names.len() - 2..], ["CreateTrail", "StartLogging"]);
    let trail = created.header("location").expect("the reply leads to the trail").to_owned();
    let page = browser.page(&trail);
    assert!(page.contains("The trail MyTrail was created and logs.") && page.contains("my-logs"), "{page}");
    assert_eq!(browser.submit(&trail, &format!("{trail}/stop"), &[]).status, 303);
    assert!(browser.page(&trail).contains("Start logging"));
    let changed = browser.submit(&trail, &format!("{trail}/update"), &[("bucket", "other-logs"), ("prefix", "lab")]);
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert!(browser.page(&trail).contains("other-logs"));
    let removed = browser.submit(&trail, &format!("{trail}/delete"), &[]);
    assert_eq!((removed.status, removed.header("location")), (303, Some("/_console/trails")));
    assert_eq!(browser.get(&trail).status, 404);
    let refused = browser.submit("trails", "trails", &[("name", "x"), ("bucket", "my-logs")]);
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[test]
fn the_servers_on_one_database_are_listed_with_their_roles() {
    let world = World::new();
    let page = Browser::signed_in(&world).page("trails");
    let is_listed = page.contains("Servers on the same database") && page.contains("delivery, digests");
    assert_eq!(is_listed, world.store().is_remote(), "{page}");
}

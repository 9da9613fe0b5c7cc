//! Locations of events, and the files of a day with their validation.

use std::fs;

use aws::{Call, Timestamp};
use serde_json::json;

use super::{TestTrail, call, event};
use crate::verify::Finding;
use crate::{Coverage, LogFile};

/// The time from which the clock of these tests advances.
const BEGIN: Timestamp = Timestamp::from_millis(1_481_739_554_262);

/// Records three events in each of two regions; returns a call of the first region, and the id of the second event there.
fn recorded(trail: &TestTrail) -> (std::sync::Arc<Call>, String) {
    let mut ids = Vec::new();
    for region in ["us-east-1", "eu-west-1", "us-east-1", "eu-west-1", "us-east-1", "eu-west-1"] {
        let call = call(region);
        trail.trail.record(&call, event()).expect("the store works");
        ids.push(call.event_id().to_owned());
    }
    (call("us-east-1"), ids[2].clone())
}

#[test]
fn an_event_is_located_in_its_log_file_and_digest() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let (reader, id) = recorded(&trail);
    let location = || {
        let mut locations = trail.trail.locations(&reader, &id).expect("the store works");
        assert_eq!(locations.len(), 1);
        locations.remove(0)
    };
    let waiting = location();
    assert_eq!(
        (waiting.trail.as_str(), waiting.bucket.as_str(), waiting.file, waiting.position),
        ("codecommit-local", "own", None, None)
    );
    assert_eq!(waiting.trail_arn, "arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local");

    trail.trail.flush().expect("the folder is writable");
    let delivered = location();
    let file = delivered.file.expect("the file was written");
    assert_eq!((delivered.position, file.events, &file.coverage), (Some(2), Some(3), &Coverage::Due));
    assert!(trail.folder.join(&file.key).exists());

    trail.trail.digest().expect("the folder is writable");
    let Some(LogFile { coverage: Coverage::Digest(digest), .. }) = location().file else {
        panic!("a digest covers the file")
    };
    assert!(digest.is_written && digest.key.contains("CloudTrail-Digest/us-east-1"), "{digest:?}");
    assert!(trail.folder.join(&digest.key).exists());

    let record = trail.trail.find_record(&reader, &id).expect("the store works").expect("the event is stored");
    assert_eq!(super::id(&serde_json::from_str(&record).expect("a record is JSON")), id);
    assert_eq!(trail.trail.find_record(&reader, "none").expect("the store works"), None);
    assert!(trail.trail.locations(&reader, "none").expect("the store works").is_empty());
}

#[test]
fn the_files_of_a_day_are_listed_and_validated() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let (reader, _) = recorded(&trail);
    trail.trail.digest().expect("the folder is writable");
    recorded(&trail);
    trail.trail.flush().expect("the folder is writable");

    let page = |token: Option<&str>| {
        trail.trail.log_files(&reader, "codecommit-local", BEGIN, token, 3).expect("the trail exists")
    };
    let (first, second) = (page(None), page(page(None).next.as_deref()));
    assert_eq!((first.files.len(), second.files.len(), second.next), (3, 1, None));
    let files = [first.files, second.files].concat();
    assert!(files.is_sorted_by_key(|file| std::cmp::Reverse(file.delivered)));
    assert!(files.iter().all(|file| file.events == Some(3) && file.times.is_some()));
    let other_day = Timestamp::from_millis(BEGIN.millis() - 86_400_000);
    let other = trail.trail.log_files(&reader, "codecommit-local", other_day, None, 3).expect("the trail exists");
    assert_eq!(other.files, []);

    let digests = trail.trail.digests(&reader, "codecommit-local", BEGIN).expect("the trail exists");
    assert_eq!(digests.len(), 2);
    let verify = || trail.trail.verify_day(&reader, "codecommit-local", BEGIN).expect("the trail exists");
    let mut findings = verify();
    for digest in &digests {
        findings.retain(|finding| *finding != Finding::ValidDigest(digest.key.clone()));
    }
    let (uncovered, covered): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.coverage == Coverage::Due);
    assert_eq!((uncovered.len(), covered.len()), (2, 2));
    for file in uncovered {
        findings.retain(|finding| *finding != Finding::Uncovered(file.key.clone()));
    }
    for file in &covered {
        findings.retain(|finding| *finding != Finding::ValidLogFile(file.key.clone()));
    }
    assert_eq!(findings, []);

    fs::remove_file(trail.folder.join(&covered[0].key)).expect("the file exists");
    fs::write(trail.folder.join(&digests[1].key), json!({}).to_string()).expect("the folder is writable");
    let findings = verify();
    let is_invalid = |key: &str| {
        findings.iter().any(|finding| match finding {
            Finding::InvalidDigest(invalid, _) | Finding::InvalidLogFile(invalid, _) => invalid == key,
            _ => false,
        })
    };
    assert!(is_invalid(&digests[1].key), "{findings:?}");
    // The log file of the changed digest is not checked, but the other one is.
    let of_first =
        |file: &&&LogFile| matches!(&file.coverage, Coverage::Digest(digest) if digest.key == digests[0].key);
    let file = covered.iter().find(of_first).expect("each digest covers a file");
    assert_eq!(is_invalid(&file.key), file.key == covered[0].key, "{findings:?}");
}

#[test]
fn a_trail_that_does_not_exist_has_no_files() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let (reader, _) = recorded(&trail);
    let failure = trail.trail.log_files(&reader, "MyTrail", BEGIN, None, 3).expect_err("there is no such trail");
    assert_eq!(failure.name, "TrailNotFoundException");
    let failure =
        trail.trail.log_files(&reader, "codecommit-local", BEGIN, Some("x"), 3).expect_err("the token is not valid");
    assert_eq!(failure.name, "InvalidTokenException");
}

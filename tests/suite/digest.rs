//! Digests: content, chain and verification.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::clients::Outcome;
use tests::digests::{Digest, verify};
use tests::wire::signed;
use tests::{World, log_files, wait_until};

/// Starts a server that delivers log files and creates digests on demand.
fn world() -> World {
    World::with(|settings| {
        settings.log_interval = std::time::Duration::from_hours(1);
        settings.allow_reset = true;
    })
}

/// Starts a server with a chain of three digests: for two log files, for none and for one.
fn chained() -> World {
    let world = world();
    call(&world);
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    call(&world);
    world.digest();
    world.digest();
    call(&world);
    world.digest();
    world
}

fn call(world: &World) {
    world.ok("ListRepositories", &json!({}));
}

fn text<'a>(digest: &'a Digest, member: &str) -> &'a str {
    digest.content[member].as_str().unwrap_or_else(|| panic!("{member} of {}", digest.content))
}

fn covered(digest: &Digest) -> Vec<&str> {
    let files = digest.content["logFiles"].as_array().expect("the value is a list");
    files.iter().map(|file| file["s3Object"].as_str().expect("the digest names a key")).collect()
}

/// Asserts that verification succeeds with these numbers of files.
fn assert_valid(outcome: Outcome, digests: usize, log_files: usize) {
    let expected = format!("{digests}/{digests} digest files valid\n{log_files}/{log_files} log files valid");
    assert_eq!(outcome.ok(), expected);
}

/// Asserts that verification reports this fault and no other.
fn assert_invalid(world: &World, expected: &[&str], summary: [&str; 2]) {
    let outcome = world.verify();
    assert!(!outcome.success, "{}", outcome.out);
    let found: Vec<&str> = outcome.out.lines().filter(|line| line.contains("INVALID:")).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (line, end) in found.iter().zip(expected) {
        assert!(line.ends_with(end), "{line} does not end in {end}");
    }
    for line in summary {
        assert!(outcome.out.lines().any(|found| found == line), "{line}\n{}", outcome.out);
    }
}

#[test]
fn a_digest_has_the_members_and_the_key_of_those_of_aws() {
    let world = chained();
    let digests = world.digests();
    let [first, empty, last] = &digests[..] else { panic!("{digests:?}") };
    let members: Vec<_> =
        first.content.as_object().expect("the value is an object").keys().map(String::as_str).collect();
    let expected = [
        "awsAccountId",
        "digestStartTime",
        "digestEndTime",
        "digestS3Bucket",
        "digestS3Object",
        "digestPublicKeyFingerprint",
        "digestSignatureAlgorithm",
        "newestEventTime",
        "oldestEventTime",
        "previousDigestS3Bucket",
        "previousDigestS3Object",
        "previousDigestHashValue",
        "previousDigestHashAlgorithm",
        "previousDigestSignature",
        "logFiles",
    ];
    assert_eq!(members, expected);
    let end = text(first, "digestEndTime").replace(['-', ':'], "");
    let place = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2016/12/14";
    let name = format!("111122223333_CloudTrail-Digest_us-east-1_codecommit-local_us-east-1_{end}.json.gz");
    assert_eq!(text(first, "digestS3Object"), format!("{place}/{name}"));
    assert!(first.path.ends_with(format!("{place}/{name}")));
    assert_eq!(text(first, "digestS3Bucket"), "codecommit-local-trail");
    assert_eq!(text(first, "digestSignatureAlgorithm"), "SHA256withRSA");
    assert_eq!(first.metadata["signature-algorithm"], "SHA256withRSA");
    for member in &expected[9..14] {
        assert_eq!(first.content[*member], Value::Null, "{member}: nothing is before the first digest");
    }
    assert_eq!((covered(first).len(), covered(empty).len(), covered(last).len()), (2, 0, 1));
    assert_eq!((&empty.content["newestEventTime"], &empty.content["oldestEventTime"]), (&Value::Null, &Value::Null));
    let file = &last.content["logFiles"][0];
    let event = &world.events()[2]["eventTime"];
    assert_eq!((&file["newestEventTime"], &file["oldestEventTime"]), (event, event));
    assert_eq!(&last.content["newestEventTime"], event);
    assert_eq!((&file["s3Bucket"], &file["hashAlgorithm"]), (&json!("codecommit-local-trail"), &json!("SHA-256")));
    for (before, after) in [(first, empty), (empty, last)] {
        assert_eq!(after.content["digestStartTime"], before.content["digestEndTime"], "windows follow each other");
        assert_eq!(after.content["previousDigestS3Object"], before.content["digestS3Object"]);
        assert_eq!(after.content["previousDigestSignature"], before.metadata["signature"]);
        assert_eq!(after.content["previousDigestHashAlgorithm"], "SHA-256");
    }
    assert_valid(world.verify(), 3, 3);
}

#[test]
fn each_region_and_account_has_its_own_chain() {
    let world = world();
    call(&world);
    let ohio = signed("AKIAIOSFODNN7EXAMPLE", "us-east-2");
    world.call_as("ListRepositories", &json!({}), &[("authorization", &ohio)]);
    let basic = "Basic TGlfSnVhbi1hdC00NDQ0NTU1NTY2NjY6eA==";
    world.call_as("ListRepositories", &json!({}), &[("authorization", basic)]);
    world.digest();
    call(&world);
    world.digest();
    let digests = world.digests();
    let places: Vec<_> = digests.iter().map(|digest| digest.path.strip_prefix(world.trail_folder())).collect();
    assert_eq!(digests.len(), 6, "{places:?}");
    for digest in &digests {
        for key in covered(digest) {
            let place = |key: &str| key.split('/').take(4).map(str::to_owned).collect::<Vec<_>>();
            let [logs, digest] = [place(key), place(text(digest, "digestS3Object"))];
            assert_eq!((&logs[1], &logs[3]), (&digest[1], &digest[3]));
        }
    }
    assert_valid(world.verify(), 6, 4);
}

#[test]
fn a_chain_continues_over_restarts() {
    let mut world = chained();
    world.restart();
    call(&world);
    // The stop delivers it.
    world.restart();
    world.digest();
    let digests = world.digests();
    assert_eq!(digests.len(), 4);
    assert_eq!(digests[3].content["previousDigestS3Object"], digests[2].content["digestS3Object"]);
    assert_eq!(digests[3].content["digestStartTime"], digests[2].content["digestEndTime"]);
    assert_valid(world.verify(), 4, 4);
}

#[test]
fn digests_are_created_even_if_no_run_lasts_an_interval() {
    let mut world = World::with(|settings| {
        settings.log_interval = std::time::Duration::from_hours(1);
        settings.digest_interval = std::time::Duration::from_secs(30);
    });
    // The clock advances by a second with each reading, so an interval ends during a restart and never during a run.
    for _ in 0..5 {
        (0..8).for_each(|_| call(&world));
        world.restart();
    }
    wait_until("a digest is made", || !world.digests().is_empty());
    world.digest();
    let outcome = world.verify().ok();
    assert!(outcome.contains("5/5 log files valid") && !outcome.contains("not covered"), "{outcome}");
}

#[test]
fn a_chain_ends_with_stop_logging_and_another_begins_with_start_logging() {
    let world = chained();
    world.ok("StopLogging", &json!({ "Name": "codecommit-local" }));
    world.digest();
    world.digest();
    assert_eq!(world.digests().len(), 4, "one more digest, and no other as long as logging is off");
    world.ok("StartLogging", &json!({ "Name": "codecommit-local" }));
    world.digest();
    let digests = world.digests();
    assert_eq!((digests.len(), &digests[4].content["previousDigestS3Object"]), (5, &Value::Null));
    let outcome = world.verify().ok();
    assert!(
        outcome.starts_with("A chain of digests ended at ") && outcome.contains("5/5 digest files valid"),
        "{outcome}"
    );
}

#[test]
fn log_files_delivered_without_validation_are_not_covered() {
    let world = chained();
    let validation = |on: bool| {
        world.ok("UpdateTrail", &json!({ "Name": "codecommit-local", "EnableLogFileValidation": on }));
    };
    validation(false);
    world.digest();
    call(&world);
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    validation(true);
    world.digest();
    let digests = world.digests();
    assert_eq!((digests.len(), &digests[4].content["previousDigestS3Object"]), (5, &Value::Null));
    assert_eq!((covered(&digests[3]).len(), covered(&digests[4]).len()), (0, 1));
    assert!(world.verify().ok().ends_with("2 log files not covered by a digest yet"));
}

#[test]
fn a_deleted_trail_has_a_last_digest_and_a_new_one_of_its_name_starts_a_chain() {
    let world = chained();
    world.ok("DeleteTrail", &json!({ "Name": "codecommit-local" }));
    world.digest();
    assert_eq!(world.digests().len(), 4);
    let trail = json!({ "Name": "codecommit-local", "S3BucketName": "codecommit-local-trail", "EnableLogFileValidation": true });
    world.ok("CreateTrail", &trail);
    world.ok("StartLogging", &json!({ "Name": "codecommit-local" }));
    world.digest();
    let digests = world.digests();
    assert_eq!((digests.len(), &digests[4].content["previousDigestS3Object"]), (5, &Value::Null));
    assert!(world.verify().success);
}

#[test]
fn a_failed_digest_shows_in_the_status_and_is_delivered_later() {
    let world = chained();
    let status = || world.ok("GetTrailStatus", &json!({ "Name": "codecommit-local" }));
    assert!(status()["LatestDigestDeliveryTime"].is_number());
    // A dangling link in place of the folder of digests.
    let folder = world.trail_folder().join("AWSLogs/111122223333/CloudTrail-Digest");
    let aside = world.folder().join("aside");
    fs::rename(&folder, &aside).expect("the file exists");
    std::os::unix::fs::symlink("nowhere", &folder).expect("links can be made");
    world.digest();
    assert!(status()["LatestDigestDeliveryError"].is_string(), "{}", status());
    world.digest();
    fs::remove_file(&folder).expect("the file exists");
    fs::rename(&aside, &folder).expect("the file exists");
    world.digest();
    assert_eq!(status().get("LatestDigestDeliveryError"), None);
    let digests = world.digests().len();
    assert_eq!(digests, 6, "none was lost");
    assert!(world.verify().ok().contains("6/6 digest files valid"));
}

#[test]
fn the_same_key_and_the_same_calls_give_the_same_bytes() {
    let bytes = |world: &World| -> Vec<Vec<u8>> {
        world.digests().iter().map(|digest| fs::read(&digest.path).expect("the file was listed")).collect()
    };
    let (one, other) = (chained(), chained());
    assert_eq!(bytes(&one), bytes(&other));
    let metadata =
        |world: &World| -> Vec<Value> { world.digests().into_iter().map(|digest| digest.metadata).collect() };
    assert_eq!(metadata(&one), metadata(&other));
}

#[test]
fn log_files_are_uncovered_until_the_next_digest() {
    let mut world = chained();
    call(&world);
    world.stop();
    let outcome = world.verify().ok();
    assert_eq!(outcome, "3/3 digest files valid\n3/3 log files valid\n1 log file not covered by a digest yet");
}

/// The reported fault of each kind of tampering, and the tampering itself.
type Tamper<'a> = (&'a str, Box<dyn Fn(&PathBuf)>);

#[test]
fn every_kind_of_tampering_with_a_log_file_is_detected() {
    let summary = ["3/3 digest files valid", "2/3 log files valid, 1/3 log files INVALID"];
    let gzip = |content: &[u8]| {
        let mut gzip = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, content).expect("writing to memory never fails");
        gzip.finish().expect("writing to memory never fails")
    };
    let ways: [Tamper<'_>; 4] = [
        (
            "INVALID: hash value doesn't match",
            Box::new(move |path| {
                fs::write(path, gzip(b"{\"Records\":[]}")).expect("the folder is writable");
            }),
        ),
        ("INVALID: invalid format", Box::new(|path| fs::write(path, "no gzip").expect("the folder is writable"))),
        (
            "INVALID: unexpected data after end of compressed stream",
            Box::new(move |path| {
                let mut bytes = fs::read(path).expect("the file exists");
                bytes.extend(gzip(b"more"));
                fs::write(path, bytes).expect("the folder is writable");
            }),
        ),
        ("INVALID: not found", Box::new(|path| fs::remove_file(path).expect("the file exists"))),
    ];
    for (problem, tamper) in ways {
        let world = chained();
        tamper(&log_files(&world.trail_folder())[1]);
        assert_invalid(&world, &[problem], summary);
    }
}

#[test]
fn a_changed_digest_is_detected_and_its_log_files_are_not_trusted() {
    let world = chained();
    let first = &world.digests()[0];
    let forged = json!({ "logFiles": [] });
    let mut content = first.content.clone();
    content["logFiles"] = forged["logFiles"].clone();
    let file = fs::File::create(&first.path).expect("the folder is writable");
    let mut gzip = flate2::GzBuilder::new().write(file, flate2::Compression::fast());
    serde_json::to_writer(&mut gzip, &content).expect("a temporary folder can be created");
    gzip.finish().expect("a temporary folder can be created");
    let summary = ["2/3 digest files valid, 1/3 digest files INVALID", "1/1 log files valid"];
    assert_invalid(&world, &["INVALID: signature verification failed"], summary);
    assert!(world.verify().out.contains("2 log files not covered by a digest yet"));
}

#[test]
fn a_deleted_moved_or_damaged_digest_is_detected() {
    let world = chained();
    let digests = world.digests();
    fs::remove_file(&digests[1].path).expect("the file exists");
    let summary = ["2/3 digest files valid, 1/3 digest files INVALID", "3/3 log files valid"];
    assert_invalid(&world, &["INVALID: not found"], summary);
    fs::copy(&digests[2].path, &digests[1].path).expect("the folder is writable");
    assert_invalid(&world, &["INVALID: has been moved from its original location"], summary);
    fs::write(&digests[1].path, "no gzip").expect("the folder is writable");
    assert_invalid(&world, &["INVALID: invalid format"], summary);
    let world = chained();
    let key = text(&world.digests()[0], "digestS3Object").to_owned();
    fs::remove_file(world.trail_folder().join(format!(".metadata/{key}.json"))).expect("the file exists");
    let summary = ["2/3 digest files valid, 1/3 digest files INVALID", "1/1 log files valid"];
    assert_invalid(&world, &["INVALID: its metadata has no signature"], summary);
}

/// Returns the message of verification about time without digests.
fn not_covered(world: &World) -> Vec<String> {
    let outcome = world.verify();
    outcome.out.lines().filter(|line| line.starts_with("No digest covers")).map(str::to_owned).collect()
}

#[test]
fn the_time_without_digests_is_reported() {
    let world = world();
    for _ in 0..6 {
        call(&world);
        world.digest();
    }
    assert_eq!(not_covered(&world), Vec::<String>::new());
    let digests = world.digests();
    for digest in &digests[2..4] {
        fs::remove_file(&digest.path).expect("the file exists");
    }
    let (from, until) = (text(&digests[1], "digestEndTime"), text(&digests[4], "digestStartTime"));
    assert_eq!(not_covered(&world), [format!("No digest covers {from} to {until}")]);
    fs::write(&digests[0].path, "no gzip").expect("the folder is writable");
    fs::write(&digests[5].path, "no gzip").expect("the folder is writable");
    let after = format!("No digest covers the time after {}", text(&digests[4], "digestEndTime"));
    let before = format!("No digest covers the time before {}", text(&digests[1], "digestStartTime"));
    assert_eq!(not_covered(&world), [after, format!("No digest covers {from} to {until}"), before]);
}

#[test]
fn a_digest_is_verified_with_the_given_keys_only() {
    let world = chained();
    let keys = world.trail_folder().join(".metadata/public-keys.json");
    let moved = world.folder().join("keys.json");
    fs::rename(&keys, &moved).expect("the file exists");
    let message = world.verify().failed();
    assert!(message.contains("public-keys.json") && message.contains("--public-keys"), "{message}");
    let moved = moved.to_str().expect("the path is UTF-8");
    assert_valid(verify(&world.trail_folder(), &["--public-keys", moved]), 3, 3);
    let listed =
        world.aws(&["cloudtrail", "list-public-keys", "--start-time", "2016-12-14", "--end-time", "2016-12-15"]);
    fs::write(moved, listed.ok()).expect("the folder is writable");
    assert_valid(verify(&world.trail_folder(), &["--public-keys", moved]), 3, 3);
    fs::write(moved, "{\"PublicKeyList\": []}").expect("the folder is writable");
    let outcome = verify(&world.trail_folder(), &["--public-keys", moved]);
    assert!(outcome.out.contains("INVALID: public key not found for fingerprint"), "{}", outcome.out);
}

#[test]
fn a_folder_without_a_trail_is_refused_with_a_message() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    assert!(verify(folder.path(), &[]).failed().contains("is not a trail folder"));
    assert!(verify(&folder.path().join("missing"), &[]).failed().contains("cannot read"));
    let mut world = world();
    call(&world);
    world.stop();
    let outcome = world.verify();
    assert_eq!(outcome.out, "0/0 digest files valid\n0/0 log files valid\n1 log file not covered by a digest yet\n");
    let message = outcome.failed();
    assert!(message.contains("has no digest files, so nothing was validated"), "{message}");
}

#[test]
fn a_reset_deletes_digests_and_keeps_the_key() {
    let world = chained();
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(world.digests().len(), 0);
    let before = keys(&world);
    call(&world);
    world.digest();
    let digests = world.digests();
    assert_eq!((digests.len(), &digests[0].content["previousDigestS3Object"]), (1, &Value::Null));
    assert_eq!(keys(&world), before);
}

fn keys(world: &World) -> Vec<Value> {
    let range = json!({ "StartTime": 1_481_000_000, "EndTime": 1_482_000_000 });
    world.ok("ListPublicKeys", &range)["PublicKeyList"].as_array().expect("the value is a list").clone()
}

#[test]
fn the_sdk_the_cli_and_boto3_read_the_public_keys() {
    let world = chained();
    let from = aws_smithy_types::DateTime::from_secs(1_481_000_000);
    let until = aws_smithy_types::DateTime::from_secs(1_482_000_000);
    let listed = world.run(world.cloudtrail().list_public_keys().start_time(from).end_time(until).send());
    let listed = listed.expect("the call is answered");
    let [key] = listed.public_key_list() else { panic!("{listed:?}") };
    assert_eq!(key.value().expect("the value is present").as_ref().len(), 270, "PKCS#1 of 2,048 bits");
    assert_eq!(key.fingerprint(), world.digests()[0].content["digestPublicKeyFingerprint"].as_str());
    let program = "import boto3, hashlib\n\
        keys = boto3.client('cloudtrail').list_public_keys(StartTime=1481000000, EndTime=1482000000)['PublicKeyList']\n\
        print(len(keys), hashlib.md5(keys[0]['Value']).hexdigest() == keys[0]['Fingerprint'])";
    assert_eq!(world.python(program).ok(), "1 True");
}

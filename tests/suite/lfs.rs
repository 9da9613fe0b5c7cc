//! Git LFS by raw requests: what is stored and who gets it, broken uploads, ranges, limits, locks, records and removal.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tests::lfs::{LFS_TYPE, batch_of, id_of, pointer_to};
use tests::{Reply, World, files, wait_until, wire};

mod clients;
mod locks;
mod permissions;
mod removal;

pub(crate) const CONTENT: &[u8] = b"The content of a large file.\n";

pub(crate) fn world() -> World {
    world_with(|_| ())
}

pub(crate) fn world_with(change: impl FnOnce(&mut server::Settings)) -> World {
    let world = World::with(change);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// The files of large files, and of uploads.
pub(crate) fn stored(world: &World) -> Vec<PathBuf> {
    let data = world.folder().join("data");
    let is_lfs = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "lfs");
    let objects = files(&data.join("repositories")).into_iter().filter(is_lfs);
    objects.chain(files(&data.join("lfs-uploads"))).collect()
}

fn upload_action(world: &World, name: &str, content: &[u8]) -> Value {
    world.lfs_batch(name, "upload", &[content])[0]["actions"]["upload"].clone()
}

fn put(world: &World, action: &Value, body: &[u8]) -> Reply {
    world.lfs_action(action, "PUT", &[], body)
}

#[test]
fn an_object_of_another_repository_is_neither_there_nor_bound_without_its_content() {
    let world = world();
    world.ok("CreateRepository", &json!({ "repositoryName": "Other" }));
    world.lfs_upload("MyDemoRepo", CONTENT);
    let id = id_of(CONTENT);
    let missing = &world.lfs_batch("Other", "download", &[CONTENT])[0];
    assert_eq!(missing["error"]["code"], 404);
    assert_eq!(missing.get("actions"), None);
    let action = upload_action(&world, "Other", CONTENT);
    for (body, status) in [(&CONTENT.to_ascii_uppercase()[..], 422), (b"", 422), (&[0; 29], 422)] {
        assert_eq!(put(&world, &action, body).status, status);
        assert_eq!(world.lfs_download("Other", &id, CONTENT.len()), None);
    }
    let token_of_other = upload_action(&world, "MyDemoRepo", b"else");
    let stolen = json!({ "href": action["href"], "header": token_of_other["header"] });
    assert_eq!(put(&world, &stolen, CONTENT).status, 403);
    assert_eq!(world.lfs_download("Other", &id, CONTENT.len()), None);
    assert_eq!(put(&world, &action, CONTENT).status, 200);
    assert_eq!(world.lfs_download("Other", &id, CONTENT.len()).as_deref(), Some(CONTENT));
    assert_eq!(stored(&world).len(), 2, "each repository has its own file");
}

#[test]
fn an_upload_with_another_hash_or_size_leaves_nothing() {
    let world = world();
    let action = upload_action(&world, "MyDemoRepo", CONTENT);
    let longer = [CONTENT, b"more"].concat();
    let other = CONTENT.to_ascii_uppercase();
    for (body, told) in [
        (&other[..], "SHA-256"),
        (&longer, "The upload has 33 bytes, and the object 29. Nothing was stored."),
        (&CONTENT[1..], "The upload has 28 bytes, and the object 29. Nothing was stored."),
    ] {
        let reply = put(&world, &action, body);
        assert_eq!((reply.status, reply.header("content-type")), (422, Some(LFS_TYPE)));
        assert!(reply.json()["message"].as_str().is_some_and(|message| message.contains(told)), "{}", reply.text());
        assert_eq!(stored(&world), Vec::<PathBuf>::new());
    }
    let verify = world.lfs_batch("MyDemoRepo", "upload", &[CONTENT])[0]["actions"]["verify"].clone();
    let body = json!({ "oid": id_of(CONTENT), "size": CONTENT.len() }).to_string();
    let verified =
        |body: &str| world.lfs_action(&verify, "POST", &[("content-type", LFS_TYPE)], body.as_bytes()).status;
    assert_eq!(verified(&body), 404);
    assert_eq!(put(&world, &action, CONTENT).status, 200);
    assert_eq!(verified(&body), 200);
    assert_eq!(verified(&body.replace("29", "30")), 422);
    assert_eq!(verified(&json!({ "oid": id_of(b"else"), "size": 4 }).to_string()), 403);
}

/// Sends the head of an upload and a part of its body, without a length if `is_chunked`, and breaks the connection off.
fn break_off(world: &World, action: &Value, is_chunked: bool) {
    use std::io::{Read, Write};
    let path =
        action["href"].as_str().and_then(|href| href.strip_prefix(&world.endpoint())).expect("a URL of the server");
    let authorization = action["header"]["Authorization"].as_str().expect("a token");
    let length = if is_chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 29" };
    let piece = if is_chunked { "5\r\nThe c\r\n" } else { "The c" };
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n{length}\r\nExpect: 100-continue\r\n\r\n"
    );
    let mut stream = std::net::TcpStream::connect(world.addresses()[0]).expect("the server listens");
    stream.write_all(head.as_bytes()).expect("the server reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("the server asks for the body");
    assert_eq!(&answer, b"HTTP/1.1 100");
    stream.write_all(piece.as_bytes()).expect("the server reads");
}

#[test]
fn an_upload_that_breaks_off_removes_its_own_file_and_nothing_of_a_repetition() {
    let world = world();
    let action = upload_action(&world, "MyDemoRepo", CONTENT);
    for is_chunked in [false, true] {
        break_off(&world, &action, is_chunked);
        wait_until("the unfinished upload is removed", || stored(&world).is_empty());
    }
    world.lfs_upload("MyDemoRepo", CONTENT);
    let before = stored(&world);
    break_off(&world, &action, false);
    assert_eq!(put(&world, &action, CONTENT).status, 200, "an upload can be repeated");
    assert_eq!(put(&world, &action, b"something else of 29 bytes...").status, 422);
    wait_until("the unfinished upload is removed", || stored(&world) == before);
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()).as_deref(), Some(CONTENT));
}

#[test]
fn objects_that_are_there_are_not_sent_again_and_a_lost_file_is() {
    let world = world();
    world.lfs_upload("MyDemoRepo", CONTENT);
    let present = world.lfs_batch("MyDemoRepo", "upload", &[CONTENT, b"new"]);
    assert_eq!(present[0], json!({ "oid": id_of(CONTENT), "size": CONTENT.len() }));
    assert!(present[1]["actions"]["upload"]["href"].is_string() && present[1]["actions"]["verify"]["href"].is_string());
    assert_eq!(present[1]["authenticated"], true);
    assert_eq!(present[1]["actions"]["upload"]["expires_in"], 3_600);
    for damage in [|path: &PathBuf| fs::write(path, "short"), |path: &PathBuf| fs::remove_file(path)] {
        damage(&stored(&world)[0]).expect("the file is there");
        assert_eq!(world.lfs_batch("MyDemoRepo", "download", &[CONTENT])[0]["error"]["code"], 404);
        world.lfs_upload("MyDemoRepo", CONTENT);
        assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()).as_deref(), Some(CONTENT));
    }
    let wrong = json!({ "operation": "upload", "objects": [{ "oid": id_of(CONTENT), "size": 5 }] });
    let answer = world.lfs("MyDemoRepo", "objects/batch", &[], &wrong).json();
    assert_eq!(answer["objects"][0]["error"]["code"], 422);
}

#[test]
fn a_failure_of_any_statement_of_an_upload_leaves_no_object_and_the_upload_can_be_repeated() {
    // No background work counts among the statements.
    let world = world_with(|settings| settings.log_interval = Duration::from_hours(1));
    for number in 1.. {
        let content = format!("content {number}").into_bytes();
        let action = upload_action(&world, "MyDemoRepo", &content);
        world.store().fail_statement(number);
        let status = put(&world, &action, &content).status;
        let is_over = world.store().fail_statement(0) > 0;
        let stored = world.lfs_download("MyDemoRepo", &id_of(&content), content.len());
        if is_over {
            assert_eq!((status, stored.as_deref()), (200, Some(&content[..])));
            assert!(number > 5, "statements were failed");
            break;
        }
        assert!([200, 500].contains(&status), "{number}: {status}");
        assert_eq!(stored.is_some(), status == 200, "{number}: no object is there before the client is told");
        assert_eq!(put(&world, &action, &content).status, 200, "{number}");
        let stored = world.lfs_download("MyDemoRepo", &id_of(&content), content.len());
        assert_eq!(stored.as_deref(), Some(&content[..]), "{number}");
    }
}

#[test]
fn a_download_is_whole_or_a_range_of_bytes() {
    let world = world();
    world.lfs_upload("MyDemoRepo", CONTENT);
    let action = world.lfs_batch("MyDemoRepo", "download", &[CONTENT])[0]["actions"]["download"].clone();
    let tag = format!("\"{}\"", id_of(CONTENT));
    let get = |headers: &[(&str, &str)]| world.lfs_action(&action, "GET", headers, b"");
    let whole = get(&[]);
    assert_eq!((whole.status, &whole.body[..]), (200, CONTENT));
    let header = |name| whole.header(name).expect("the header is sent");
    assert_eq!([header("etag"), header("accept-ranges"), header("content-length")], [tag.as_str(), "bytes", "29"]);
    let part = get(&[("range", "bytes=4-10")]);
    assert_eq!((part.status, part.text().as_str()), (206, "content"));
    assert_eq!(part.header("content-range"), Some("bytes 4-10/29"));
    assert_eq!(get(&[("range", "bytes=-6")]).text(), "file.\n");
    assert_eq!(get(&[("range", "bytes=4-10"), ("if-range", &tag)]).status, 206);
    assert_eq!(get(&[("range", "bytes=4-10"), ("if-range", "\"other\"")]).body, CONTENT);
    let beyond = get(&[("range", "bytes=29-")]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */29")));
    let head = world.lfs_action(&action, "HEAD", &[], b"");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("29"), 0));
    let of_upload = json!({ "href": action["href"], "header": upload_action(&world, "MyDemoRepo", b"new")["header"] });
    assert_eq!(world.lfs_action(&of_upload, "GET", &[], b"").status, 403);
    assert_eq!(put(&world, &action, CONTENT).status, 403);
}

#[test]
fn a_token_ends_and_stays_valid_over_a_restart() {
    let mut world = world();
    let action = upload_action(&world, "MyDemoRepo", CONTENT);
    let endpoint = world.endpoint();
    world.restart();
    let action = json!({ "href": action["href"].as_str().map(|href| href.replace(&endpoint, &world.endpoint())), "header": action["header"] });
    assert_eq!(put(&world, &action, CONTENT).status, 200);
    world.move_clock(3_601);
    let expired = put(&world, &action, CONTENT);
    assert_eq!(expired.status, 403);
    assert_eq!(expired.json()["message"], "The token has expired. Repeat the push or pull.");
    let without = json!({ "href": action["href"], "header": {} });
    assert_eq!(put(&world, &without, CONTENT).status, 403);
    // A caller's own credentials are no token.
    let credentials = json!({ "href": action["href"], "header": { "Authorization": "Basic eDp5" } });
    assert_eq!(put(&world, &credentials, CONTENT).status, 403);
}

#[test]
fn invalid_batches_are_refused_with_what_is_wrong() {
    let world = world();
    let events = world.events().len();
    let id = id_of(CONTENT);
    let object = json!({ "oid": id, "size": 29 });
    for (body, status, told) in [
        (json!({ "operation": "upload", "objects": vec![&object; 1_001] }), 413, "1001"),
        (json!({ "operation": "upload", "hash_algo": "sha512", "objects": [object] }), 409, "sha512"),
        (json!({ "operation": "upload", "transfers": ["tus"], "objects": [object] }), 422, "basic"),
        (json!({ "operation": "remove", "objects": [object] }), 422, "remove"),
        (json!({ "operation": "upload" }), 422, "objects"),
        (json!({ "operation": "upload", "objects": [{ "oid": id }] }), 422, "size"),
        (json!("upload"), 422, "not what this URL takes"),
    ] {
        let reply = world.lfs("MyDemoRepo", "objects/batch", &[], &body);
        assert_eq!((reply.status, reply.header("content-type")), (status, Some(LFS_TYPE)), "{}", reply.text());
        assert!(reply.text().contains(told), "{}", reply.text());
        assert!(reply.json()["request_id"].is_string());
    }
    assert_eq!(world.events().len(), events);
    let objects = json!([object, { "oid": id.to_uppercase(), "size": 29 }, { "oid": id, "size": -1 }, { "oid": "../../x", "size": 1 }]);
    let answer =
        world.lfs("MyDemoRepo", "objects/batch", &[], &json!({ "operation": "upload", "objects": objects })).json();
    let codes: Vec<_> = (0..4).map(|at| answer["objects"][at]["error"]["code"].clone()).collect();
    assert_eq!(codes, [Value::Null, json!(422), json!(422), json!(422)]);
    assert_eq!(answer["transfer"], "basic");
    for path in ["objects/batch", "locks", "locks/verify"] {
        let reply = world.lfs("absent", path, &[], &json!({ "operation": "upload", "objects": [], "path": "x" }));
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
        assert!(reply.json()["message"].is_string());
    }
}

#[test]
fn only_clients_of_git_lfs_are_served() {
    let world = world();
    let path = "/v1/repos/MyDemoRepo.git/info/lfs/objects/batch";
    let body = batch_of("download", &[CONTENT]).to_string();
    let send = |method: &str, headers: &[(&str, &str)]| world.send(method, path, headers, body.as_bytes());
    let json = ("content-type", LFS_TYPE);
    assert_eq!(send("POST", &[json, ("accept", "text/html")]).status, 406);
    assert_eq!(send("POST", &[("accept", LFS_TYPE), ("content-type", "text/plain")]).status, 415);
    let typed = format!("{LFS_TYPE}; charset=utf-8");
    assert_eq!(send("POST", &[("accept", &typed), ("content-type", &typed)]).status, 200);
    assert_eq!(send("POST", &[json, ("accept", "*/*")]).status, 200);
    let refused = send("PUT", &[json]);
    assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
    let cross_site = send("POST", &[json, ("origin", "http://example.com"), ("sec-fetch-site", "cross-site")]);
    assert_eq!(cross_site.status, 403);
    let plain = world.send("POST", &path.replace(".git", ""), &[json], body.as_bytes());
    assert_eq!(plain.status, 200, "the URL without .git is the same");
}

#[test]
fn the_limits_are_those_of_the_settings() {
    let world = world_with(|settings| {
        settings.codecommit.lfs.object_bytes_max = 40;
        settings.codecommit.lfs.quota_bytes = Some(60);
    });
    let objects = world.lfs_batch("MyDemoRepo", "upload", &[CONTENT, &[7; 41]]);
    assert!(objects[0].get("actions").is_some());
    assert_eq!(objects[1]["error"]["code"], 422);
    assert!(objects[1]["error"]["message"].as_str().is_some_and(|message| message.contains("--lfs-max-object")));
    let (one, other) = ([1; 30], [2; 31]);
    // Each fits alone.
    let actions = [upload_action(&world, "MyDemoRepo", &one), upload_action(&world, "MyDemoRepo", &other)];
    let together = world.lfs("MyDemoRepo", "objects/batch", &[], &batch_of("upload", &[&one, &other]));
    assert_eq!(together.status, 507);
    assert!(together.json()["message"].as_str().is_some_and(|message| message.contains("--lfs-quota")));
    let event = world.last_event();
    assert_eq!((&event["eventName"], &event["errorCode"]), (&json!("GitPush"), &json!("InvalidRequestException")));
    assert_eq!(put(&world, &actions[0], &one).status, 200);
    assert_eq!(put(&world, &actions[1], &other).status, 507);
    assert_eq!(put(&world, &actions[0], &one).status, 200, "an object that is there needs no space");
    assert_eq!(stored(&world).len(), 1);
    world.lfs_upload("MyDemoRepo", &[3; 30]);
}

#[test]
fn git_lfs_can_be_turned_off() {
    let world = world_with(|settings| settings.git.lfs.is_on = false);
    let reply = world.lfs("MyDemoRepo", "objects/batch", &[], &batch_of("upload", &[CONTENT]));
    assert_eq!(reply.status, 404);
}

#[test]
fn batches_are_recorded_as_pushes_and_pulls_unless_the_settings_say_no() {
    let world = world();
    world.lfs_upload("MyDemoRepo", CONTENT);
    let before = world.events().len();
    world.lfs_batch("MyDemoRepo", "upload", &[CONTENT, b"new", b"newer"]);
    world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()).expect("it was uploaded");
    let events = world.events().split_off(before);
    let shown: Vec<_> = events
        .iter()
        .map(|event| {
            [event["eventName"].clone(), event["additionalEventData"]["lfs"].clone(), event["errorCode"].clone()]
        })
        .collect();
    let lfs = |operation: &str, objects: usize, bytes: usize| json!({ "operation": operation, "objects": objects, "bytes": bytes });
    assert_eq!(
        shown,
        [[json!("GitPush"), lfs("upload", 2, 8), Value::Null], [json!("GitPull"), lfs("download", 1, 29), Value::Null],]
    );
    assert_eq!(events[0]["additionalEventData"]["protocol"], "HTTP");
    assert_eq!(events[0]["additionalEventData"]["dataTransferred"], false);
    assert_eq!(events[0]["resources"][0]["ARN"], "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo");

    let world = world_with(|settings| settings.git.lfs.events = false);
    let before = world.events().len();
    world.lfs_upload("MyDemoRepo", CONTENT);
    world.lfs("MyDemoRepo", "locks", &[], &json!({ "path": "a.bin" }));
    assert_eq!(world.events().len(), before);
}

#[test]
fn the_path_names_account_and_region() {
    let world = world();
    let signature = wire::signed("AKIAIOSFODNN7EXAMPLE", "us-east-2");
    let create = json!({ "repositoryName": "MyDemoRepo" });
    assert_eq!(world.call_as("CreateRepository", &create, &[("authorization", &signature)]).status, 200);
    let path = "/111122223333/us-east-2/v1/repos/MyDemoRepo.git/info/lfs/objects/batch";
    let headers = [("accept", LFS_TYPE), ("content-type", LFS_TYPE)];
    let reply = world.send("POST", path, &headers, batch_of("upload", &[CONTENT]).to_string().as_bytes());
    let upload = reply.json()["objects"][0]["actions"]["upload"].clone();
    assert!(upload["href"].as_str().is_some_and(|href| href.contains("/111122223333/us-east-2/v1/repos/MyDemoRepo/")));
    assert_eq!(put(&world, &upload, CONTENT).status, 200);
    assert_eq!(world.lfs_download("MyDemoRepo", &id_of(CONTENT), CONTENT.len()), None, "the other region has another");
}

#[test]
fn a_push_with_pointers_to_missing_objects_is_refused_if_the_settings_say_so() {
    let world = world_with(|settings| settings.codecommit.lfs.check_pushes = true);
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git_commit("work", "a.bin", &pointer_to(CONTENT));
    let refused = world.git("work", &["push", &url, "main"]).failed();
    assert!(refused.contains("[remote rejected] main -> main (large files are missing)"), "{refused}");
    assert!(refused.contains(&id_of(CONTENT)), "{refused}");
    assert_eq!(world.last_event()["errorCode"], "InvalidRequestException");
    world.lfs_upload("MyDemoRepo", CONTENT);
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    // Only what is new is looked at.
    fs::remove_file(&stored(&world)[0]).expect("the file is there");
    world.git_commit("work", "README.md", "Changed.\n");
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    world.git_commit("work", "b.bin", &pointer_to(b"else"));
    world.git("work", &["push", &url, "main"]).failed();

    let unchecked = self::world();
    world.git("work", &["push", "--quiet", &unchecked.repository_url("MyDemoRepo"), "main"]).ok();
}

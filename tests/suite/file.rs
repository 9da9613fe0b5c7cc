//! Files, with the SDK and raw JSON, compared with `git`.

use std::fmt::Write;
use std::sync::Barrier;

use aws_sdk_codecommit::primitives::Blob;
use aws_sdk_codecommit::types::FileModeTypeEnum;
use serde_json::{Value, json};
use server::Settings;
use tests::World;

use crate::commit::{commit, content, empty, id, put};
use crate::trail::recorded;

/// Sets a small page size for an operation.
fn small_pages(operation: &'static str) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.codecommit.page_sizes.insert(operation.to_owned(), 2);
    }
}

/// Starts a server with an empty repository and a small page size for an operation.
fn paged(operation: &'static str) -> World {
    let world = World::with(small_pages(operation));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Reads all pages of a listing and returns the list of each.
fn pages(world: &World, operation: &str, input: &Value, list: &str, token: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut input = input.clone();
    loop {
        let page = world.ok(operation, &input);
        pages.push(page[list].as_array().expect("the value is a list").clone());
        match page.get(token) {
            Some(next) => input[token] = next.clone(),
            None => return pages,
        }
    }
}

#[test]
fn the_sdk_puts_gets_and_deletes_a_file() {
    let world = empty();
    let sdk = world.sdk();
    let put = sdk.put_file().repository_name("MyDemoRepo").branch_name("main").file_path("bin/run");
    let put = put.file_content(Blob::new(b"#!/bin/sh\n\xff")).file_mode(FileModeTypeEnum::Executable).name("Li Juan");
    let put = world.run(put.send()).expect("there is nothing in the way");
    let got = sdk.get_file().repository_name("MyDemoRepo").file_path("/bin/run").commit_specifier("refs/heads/main");
    let got = world.run(got.send()).expect("the file exists");
    assert_eq!((got.commit_id(), got.blob_id(), got.file_path()), (put.commit_id(), put.blob_id(), "bin/run"));
    assert_eq!((got.file_size(), got.file_content().as_ref()), (11, &b"#!/bin/sh\n\xff"[..]));
    assert_eq!(got.file_mode(), &FileModeTypeEnum::Executable);
    let blob = sdk.get_blob().repository_name("MyDemoRepo").blob_id(put.blob_id());
    assert_eq!(world.run(blob.send()).expect("the resource exists").content(), got.file_content());
    let folder = world.run(sdk.get_folder().repository_name("MyDemoRepo").folder_path("bin").send());
    assert_eq!(folder.expect("the element exists").files()[0].absolute_path(), Some("bin/run"));
    let delete = sdk.delete_file().repository_name("MyDemoRepo").branch_name("main").file_path("bin/run");
    let deleted = world.run(delete.parent_commit_id(put.commit_id()).send()).expect("the resource exists");
    assert_eq!(deleted.blob_id(), put.blob_id());
    let gone = sdk.get_file().repository_name("MyDemoRepo").file_path("bin/run");
    assert!(
        world
            .run(gone.send())
            .expect_err("the resource is gone")
            .into_service_error()
            .is_file_does_not_exist_exception()
    );
}

#[test]
fn a_commit_without_an_author_name_has_the_arn_of_the_caller() {
    let world = empty();
    let input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "a", "fileContent": content("a"),
    });
    let first = world.ok("PutFile", &input);
    let message = |made: &Value| {
        let input = json!({ "repositoryName": "MyDemoRepo", "commitId": id(made) });
        let shown = world.ok("GetCommit", &input)["commit"].clone();
        let author = json!({ "name": "arn:aws:iam::111122223333:user/Mary_Major", "email": "", "date": shown["author"]["date"] });
        assert_eq!((&shown["author"], &shown["committer"]), (&author, &author));
        shown["message"].clone()
    };
    assert_eq!(message(&first), "Added a");
    let changed = |parent: &Value, changes: &Value| {
        let mut input = json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": id(parent) });
        input
            .as_object_mut()
            .expect("the value is an object")
            .extend(changes.as_object().expect("the value is an object").clone());
        world.ok("CreateCommit", &input)
    };
    let second = changed(&first, &json!({ "putFiles": [{ "filePath": "a", "fileContent": content("b") }] }));
    assert_eq!(message(&second), "Edited a");
    let third = changed(&second, &put(&["b", "c"]));
    assert_eq!(message(&third), "Changed 2 files");
    let fourth = changed(&third, &json!({ "deleteFiles": [{ "filePath": "b" }] }));
    assert_eq!(message(&fourth), "Deleted b");
}

#[test]
fn every_form_of_a_commit_specifier_finds_its_files() {
    let world = empty();
    let first = commit(&world, None, &put(&["a"]));
    let second = commit(&world, Some(id(&first)), &put(&["b"]));
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "clone"]).ok();
    world.git("clone", &["tag", "light", id(&first)]).ok();
    world.git("clone", &["tag", "--annotate", "--message", "One", "v1", id(&first)]).ok();
    world.git("clone", &["tag", "--annotate", "--message", "Tag", "of-tag", "v1"]).ok();
    world.git("clone", &["tag", "--annotate", "--message", "Tree", "of-tree", "HEAD^{tree}"]).ok();
    // A branch takes precedence over a tag of the same name.
    world.git("clone", &["tag", "main", id(&first)]).ok();
    world.git("clone", &["push", "--quiet", "origin", "--tags"]).ok();
    let tag_id = world.git("clone", &["rev-parse", "of-tag"]).ok();
    let capitals = id(&first).to_uppercase();
    for (specifier, expected) in [
        (None, Some(&second)),
        (Some("HEAD"), Some(&second)),
        (Some("main"), Some(&second)),
        (Some("refs/heads/main"), Some(&second)),
        (Some("refs/tags/main"), Some(&first)),
        (Some("light"), Some(&first)),
        (Some("v1"), Some(&first)),
        (Some("refs/tags/of-tag"), Some(&first)),
        (Some(tag_id.as_str()), Some(&first)),
        (Some(id(&first)), Some(&first)),
        (Some(capitals.as_str()), Some(&first)),
        (Some("of-tree"), None),
        (first["treeId"].as_str(), None),
        (Some(&id(&first)[..12]), None),
        (Some("heads/main"), None),
    ] {
        let mut input = json!({ "repositoryName": "MyDemoRepo", "filePath": "a" });
        if let Some(specifier) = specifier {
            input["commitSpecifier"] = specifier.into();
        }
        let reply = world.call("GetFile", &input).json();
        match expected {
            Some(made) => assert_eq!(reply["commitId"], made["commitId"], "{specifier:?}"),
            None => assert_eq!(reply["__type"], "CommitDoesNotExistException", "{specifier:?}"),
        }
    }
}

#[test]
fn later_pages_of_differences_continue_in_the_first_commits() {
    let world = paged("GetDifferences");
    let first = commit(&world, None, &put(&["a/b", "a.b", "c"]));
    let second = commit(
        &world,
        Some(id(&first)),
        &json!({
            "putFiles": [
                { "filePath": "a/b", "fileContent": content("changed") },
                { "filePath": "d", "fileContent": content("d") },
                { "filePath": "a0", "fileContent": content("a0") },
            ],
            "deleteFiles": [{ "filePath": "c" }],
            "setFileModes": [{ "filePath": "a.b", "fileMode": "EXECUTABLE" }],
        }),
    );
    let input =
        json!({ "repositoryName": "MyDemoRepo", "beforeCommitSpecifier": id(&first), "afterCommitSpecifier": "main" });
    let summary = |differences: &[Value]| -> Vec<String> {
        let path = |difference: &Value| {
            difference["afterBlob"]["path"].as_str().or(difference["beforeBlob"]["path"].as_str()).map(str::to_owned)
        };
        let kind = |difference: &Value| difference["changeType"].as_str().map(str::to_owned);
        differences
            .iter()
            .map(|difference| {
                format!("{} {}", kind(difference).unwrap_or_default(), path(difference).unwrap_or_default())
            })
            .collect()
    };
    let pages = pages(&world, "GetDifferences", &input, "differences", "NextToken");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(summary(&pages.concat()), ["M a.b", "M a/b", "A a0", "D c", "A d"]);

    let token = world.ok("GetDifferences", &input)["NextToken"].clone();
    commit(&world, Some(id(&second)), &json!({ "deleteFiles": [{ "filePath": "d" }, { "filePath": "a0" }] }));
    let mut next = input.clone();
    next["NextToken"] = token.clone();
    let page = world.ok("GetDifferences", &next);
    assert_eq!(summary(page["differences"].as_array().expect("the value is a list")), ["A a0", "D c"]);
    next["afterCommitSpecifier"] = "HEAD".into();
    assert_eq!(world.call("GetDifferences", &next).json()["__type"], "InvalidContinuationTokenException");

    let all = world.sdk().get_differences().repository_name("MyDemoRepo").after_commit_specifier(id(&second));
    let mut pages = all.into_paginator().send();
    let counted = world.run(async {
        let mut counted = 0;
        while let Some(page) = pages.next().await {
            counted += page.expect("each page comes").differences().len();
        }
        counted
    });
    assert_eq!(counted, 4);
}

#[test]
fn the_history_of_a_file_is_paged_and_followed_over_a_rename() {
    let world = paged("ListFileCommitHistory");
    let text = |end: &str| content(&("A line that stays.\n".repeat(9) + end));
    let put = |path: &str, end: &str| json!({ "putFiles": [{ "filePath": path, "fileContent": text(end) }] });
    let first = commit(&world, None, &put("old", "one"));
    let second = commit(&world, Some(id(&first)), &put("old", "two"));
    let other = commit(&world, Some(id(&second)), &put("other", "other"));
    let moved = json!({
        "putFiles": [{ "filePath": "folder/new", "fileContent": text("three") }], "deleteFiles": [{ "filePath": "old" }],
    });
    let third = commit(&world, Some(id(&other)), &moved);
    let input = json!({ "repositoryName": "MyDemoRepo", "filePath": "folder/new" });
    let found = pages(&world, "ListFileCommitHistory", &input, "revisionDag", "nextToken");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    let found: Vec<_> = found
        .concat()
        .iter()
        .map(|revision| {
            (revision["commit"]["commitId"].clone(), revision["path"].clone(), revision["revisionChildren"].clone())
        })
        .collect();
    let expected = [
        (third["commitId"].clone(), json!("folder/new"), json!([])),
        (second["commitId"].clone(), json!("old"), json!([third["commitId"]])),
        (first["commitId"].clone(), json!("old"), json!([second["commitId"]])),
    ];
    assert_eq!(found, expected);
    // Later pages continue in the history of the first page.
    let token = world.ok("ListFileCommitHistory", &input)["nextToken"].clone();
    commit(&world, Some(id(&third)), &put("folder/new", "four"));
    let mut next = input.clone();
    next["nextToken"] = token;
    assert_eq!(world.ok("ListFileCommitHistory", &next)["revisionDag"][0]["commit"]["commitId"], first["commitId"]);
    next["filePath"] = "old".into();
    assert_eq!(world.call("ListFileCommitHistory", &next).json()["__type"], "InvalidContinuationTokenException");
}

#[test]
fn changed_lines_are_those_of_git() {
    let world = paged("GetBlobDifferences");
    let lines = |from: usize, to: usize| (from..to).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat();
    let before = lines(0, 60);
    let after = format!("first\n{}changed\n{}", lines(0, 20), lines(22, 40)) + &lines(41, 59) + "line 59";
    let files = [("before", &before), ("after", &after)];
    let files: Vec<_> = files.map(|(path, text)| json!({ "filePath": path, "fileContent": content(text) })).into();
    let made = commit(&world, None, &json!({ "putFiles": files }));
    let blob = |name: &str| {
        let found = made["filesAdded"]
            .as_array()
            .expect("the value is a list")
            .iter()
            .find(|added| added["absolutePath"] == name);
        found.expect("the commit added the file")["blobId"].clone()
    };
    let input = json!({ "repositoryName": "MyDemoRepo", "beforeBlobId": blob("before"), "afterBlobId": blob("after") });
    let found = pages(&world, "GetBlobDifferences", &input, "hunks", "NextToken");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let mut written = String::new();
    for hunk in found.concat() {
        let range = |side: &str| match &hunk[format!("{side}LineCount")] {
            count if *count == 1 => hunk[format!("{side}StartLine")].to_string(),
            count => format!("{},{count}", hunk[format!("{side}StartLine")]),
        };
        writeln!(written, "@@ -{} +{} @@", range("before"), range("after")).expect("writing to memory never fails");
        for line in hunk["changes"].as_array().expect("the value is a list") {
            let mark = match line["type"].as_str() {
                Some("ADD") => '+',
                Some("DELETE") => '-',
                _ => ' ',
            };
            let text = line["content"].as_str().expect("the member is a string");
            writeln!(written, "{mark}{text}").expect("writing to memory never fails");
        }
    }
    std::fs::write(world.folder().join("before"), &before).expect("the folder is writable");
    std::fs::write(world.folder().join("after"), &after).expect("the folder is writable");
    let diff = world.git(".", &["diff", "--no-index", "before", "after"]).out;
    let expected: String = diff
        .lines()
        .skip_while(|line| !line.starts_with("@@"))
        .filter(|line| !line.starts_with('\\'))
        .map(|line| match line.strip_prefix("@@ ").and_then(|rest| rest.split_once(" @@")) {
            Some((range, _)) => format!("@@ {range} @@\n"),
            None => format!("{line}\n"),
        })
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(written, expected);
}

#[test]
fn of_many_concurrent_puts_on_one_parent_one_succeeds() {
    let world = empty();
    let first = commit(&world, None, &put(&["a"]));
    let start = Barrier::new(8);
    let replies: Vec<_> = std::thread::scope(|scope| {
        let race = |number: usize| {
            let (world, start, first) = (&world, &start, &first);
            scope.spawn(move || {
                start.wait();
                let input = json!({
                    "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": id(first),
                    "filePath": "file", "fileContent": content(&number.to_string()),
                });
                (number, world.call("PutFile", &input))
            })
        };
        let threads: Vec<_> = (0..8).map(race).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|(_, reply)| reply.status == 200);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|(_, reply)| reply.json()["__type"] == "ParentCommitIdOutdatedException"));
    let file = world.ok("GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": "file" }));
    assert_eq!(file["fileContent"], content(&won[0].0.to_string()));
}

#[test]
fn a_file_can_be_added_to_ten_thousand_others() {
    let world = empty();
    world.git(".", &["init", "--quiet", "work"]).ok();
    for number in 0..10_000 {
        std::fs::write(world.folder().join(format!("work/{number:05}")), number.to_string())
            .expect("a temporary folder can be created");
    }
    world.git("work", &["add", "--all"]).ok();
    world.git("work", &["commit", "--quiet", "--message", "Many"]).ok();
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:main"]).ok();
    let parent = world.git("work", &["rev-parse", "HEAD"]).ok();
    let made = commit(&world, Some(&parent), &put(&["05000.5"]));
    let folder = world.ok("GetFolder", &json!({ "repositoryName": "MyDemoRepo", "folderPath": "" }));
    let names: Vec<_> = folder["files"]
        .as_array()
        .expect("the value is a list")
        .iter()
        .map(|file| file["relativePath"].clone())
        .collect();
    assert_eq!((names.len(), &names[5_000], &names[5_001]), (10_001, &json!("05000"), &json!("05000.5")));
    assert_eq!(folder["treeId"], made["treeId"]);
    let input =
        json!({ "repositoryName": "MyDemoRepo", "beforeCommitSpecifier": parent, "afterCommitSpecifier": "main" });
    let differences = world.ok("GetDifferences", &input);
    assert_eq!(differences["differences"][0]["afterBlob"]["path"], "05000.5");
    assert_eq!(differences["differences"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_record_has_a_file_without_its_content() {
    let world = empty();
    let input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "a", "fileContent": content("a secret"),
        "name": "Mary Major",
    });
    let (reply, record) = recorded(&world, "PutFile", &input);
    assert_eq!(
        record["requestParameters"],
        json!({ "branchName": "main", "filePath": "a", "name": "Mary Major", "repositoryName": "MyDemoRepo" })
    );
    assert_eq!(record["responseElements"], reply.json());
    assert_eq!(
        (&record["readOnly"], &record["resources"][0]["type"]),
        (&json!(false), &json!("AWS::CodeCommit::Repository"))
    );
    let changes = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": reply.json()["commitId"],
        "putFiles": [{ "filePath": "b", "fileContent": content("another") }], "deleteFiles": [{ "filePath": "a" }],
    });
    let (reply, record) = recorded(&world, "CreateCommit", &changes);
    assert_eq!(record["requestParameters"]["putFiles"], json!([{ "filePath": "b" }]));
    let made = reply.json();
    let elements = json!({
        "commitId": made["commitId"], "treeId": made["treeId"], "filesAdded": made["filesAdded"],
        "filesDeleted": made["filesDeleted"],
    });
    assert_eq!(record["responseElements"], elements);
    let (_, record) = recorded(&world, "GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": "b" }));
    assert_eq!((&record["readOnly"], &record["responseElements"]), (&json!(true), &Value::Null));
    assert_eq!(record["resources"][0]["ARN"], "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo");
    let (_, record) = recorded(&world, "GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": "a" }));
    assert_eq!(
        (&record["errorCode"], &record["errorMessage"]),
        (&json!("FileDoesNotExistException"), &json!("Could not find path a"))
    );
}

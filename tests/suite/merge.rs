//! Merges and previews of merges with the API, compared with those of `git`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::World;

use crate::commit::{content, id};

const BASE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

/// Starts a server with the diverged branches `main` and `feature`; each commits its own files.
fn forked(world: &World, destination: &[(&str, &str)], source: &[(&str, &str)]) {
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let base = put(world, "main", None, &[("a.txt", BASE), ("docs/guide.md", "A guide.\n")]);
    world.ok("CreateBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "feature", "commitId": base }));
    put(world, "main", Some(&base), destination);
    put(world, "feature", Some(&base), source);
}

fn put(world: &World, branch: &str, parent: Option<&str>, files: &[(&str, &str)]) -> String {
    let files = files.iter().map(|(path, text)| json!({ "filePath": path, "fileContent": content(text) }));
    let mut input = json!({
        "repositoryName": "MyDemoRepo", "branchName": branch, "authorName": "Mary Major", "email": "m@example.com",
        "putFiles": files.collect::<Vec<_>>(),
    });
    if let Some(parent) = parent {
        input["parentCommitId"] = parent.into();
    }
    id(&world.ok("CreateCommit", &input)).to_owned()
}

fn input(more: &Value) -> Value {
    let mut input = json!({
        "repositoryName": "MyDemoRepo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main",
    });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    input
}

fn clone(world: &World) {
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "clone"]).ok();
}

#[test]
fn a_three_way_merge_equals_that_of_git() {
    let world = World::new();
    forked(
        &world,
        &[("a.txt", &BASE.replace("two", "TWO")), ("c.txt", "other\n")],
        &[("a.txt", &BASE.replace("nine", "NINE")), ("b.txt", "new\n")],
    );
    clone(&world);
    let tree = world.git("clone", &["merge-tree", "--write-tree", "origin/main", "origin/feature"]).ok();
    let parents = world.git("clone", &["rev-parse", "origin/main", "origin/feature"]).ok();
    let merged = world.ok("MergeBranchesByThreeWay", &input(&json!({ "conflictDetailLevel": "LINE_LEVEL" })));
    assert_eq!(merged["treeId"], tree);
    world.git("clone", &["fetch", "--quiet"]).ok();
    assert_eq!(world.git("clone", &["rev-parse", "origin/main"]).ok(), id(&merged));
    assert_eq!(world.git("clone", &["rev-parse", "origin/main^1", "origin/main^2"]).ok(), parents);
    let found = world.ok("GetMergeCommit", &input(&json!({ "destinationCommitSpecifier": parents[..40].to_owned() })));
    assert_eq!(found["mergedCommitId"], merged["commitId"]);
}

#[test]
fn a_squash_has_one_parent_and_an_unreferenced_merge_updates_no_branch() {
    let world = World::new();
    forked(&world, &[("c.txt", "other\n")], &[("b.txt", "new\n")]);
    let made = world.ok("CreateUnreferencedMergeCommit", &input(&json!({ "mergeOption": "THREE_WAY_MERGE" })));
    let branch = |world: &World| {
        let input = json!({ "repositoryName": "MyDemoRepo", "branchName": "main" });
        world.ok("GetBranch", &input)["branch"]["commitId"].clone()
    };
    let before = branch(&world);
    assert_ne!(before, made["commitId"]);
    let commit = |id: &Value| world.ok("GetCommit", &json!({ "repositoryName": "MyDemoRepo", "commitId": id }));
    assert_eq!(commit(&made["commitId"])["commit"]["parents"].as_array().map(Vec::len), Some(2));
    let squashed = world.ok("MergeBranchesBySquash", &input(&json!({})));
    assert_eq!(commit(&squashed["commitId"])["commit"]["parents"], json!([before]));
    assert_eq!((squashed["treeId"].clone(), branch(&world)), (made["treeId"].clone(), squashed["commitId"].clone()));
}

#[test]
fn accepting_one_side_resolves_conflicts_as_git_does() {
    let world = World::new();
    let (ours, theirs) = (BASE.replace("two", "OURS").replace("nine", "x"), BASE.replace("two", "THEIRS"));
    forked(&world, &[("a.txt", &ours)], &[("a.txt", &theirs)]);
    clone(&world);
    for (strategy, option) in [("ACCEPT_SOURCE", "theirs"), ("ACCEPT_DESTINATION", "ours")] {
        let tree = ["merge-tree", "--write-tree", "-X", option, "origin/main", "origin/feature"];
        let tree = world.git("clone", &tree).ok();
        let by_line = json!({
            "mergeOption": "SQUASH_MERGE", "conflictDetailLevel": "LINE_LEVEL", "conflictResolutionStrategy": strategy,
        });
        assert_eq!(world.ok("CreateUnreferencedMergeCommit", &input(&by_line))["treeId"], tree, "{strategy}");
    }
}

#[test]
fn hunks_reproduce_the_files_that_they_describe() {
    let world = World::new();
    let destination = BASE.replace("two\n", "2\n").replace("nine\n", "").replace("five\n", "5\n");
    let source =
        BASE.replace("two\n", "II\n").replace("seven\n", "seven\nand a half\n").replace("five\n", "5\n") + "no end";
    forked(&world, &[("a.txt", &destination)], &[("a.txt", &source)]);
    for level in ["FILE_LEVEL", "LINE_LEVEL"] {
        let mut texts = [Vec::new(), Vec::new(), Vec::new()];
        let mut lines = [0; 3];
        let (mut token, mut pages, mut conflicts) = (None::<String>, 0, 0);
        loop {
            let mut asked = input(&json!({
                "mergeOption": "THREE_WAY_MERGE", "filePath": "a.txt", "conflictDetailLevel": level, "maxMergeHunks": 2,
            }));
            if let Some(token) = &token {
                asked["nextToken"] = token.as_str().into();
            }
            let reply = world.ok("DescribeMergeConflicts", &asked);
            pages += 1;
            for hunk in reply["mergeHunks"].as_array().expect("hunks") {
                conflicts += usize::from(hunk["isConflict"] == true);
                for (side, name) in ["base", "destination", "source"].into_iter().enumerate() {
                    let text = hunk[name]["hunkContent"].as_str().expect("the hunk has content");
                    texts[side].extend(STANDARD.decode(text).expect("the text is base64"));
                    assert_eq!(hunk[name]["startLine"], lines[side]);
                    lines[side] = hunk[name]["endLine"].as_i64().expect("a line");
                }
            }
            match reply["nextToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => break,
            }
        }
        let expected = [BASE, &destination, &source].map(|text| text.as_bytes().to_vec());
        assert_eq!(texts, expected, "{level}");
        assert_eq!(conflicts, 1, "{level}");
        assert_eq!(pages > 1, level == "LINE_LEVEL");
    }
}

#[test]
fn conflicts_come_in_pages() {
    let world = World::new();
    let names: Vec<String> = (0..5).map(|number| format!("f{number}")).collect();
    let files = |text: &'static str| names.iter().map(|name| (name.as_str(), text)).collect::<Vec<_>>();
    forked(&world, &files("destination\n"), &files("source\n"));
    for operation in ["GetMergeConflicts", "BatchDescribeMergeConflicts"] {
        let mut asked = input(&json!({ "mergeOption": "SQUASH_MERGE", "maxConflictFiles": 2 }));
        let mut found = Vec::new();
        loop {
            let reply = world.ok(operation, &asked);
            let list = reply["conflictMetadataList"].as_array().or(reply["conflicts"].as_array()).expect("conflicts");
            assert!(list.len() <= 2);
            let path = |conflict: &Value| {
                conflict["filePath"].as_str().or(conflict["conflictMetadata"]["filePath"].as_str()).map(str::to_owned)
            };
            found.extend(list.iter().filter_map(path));
            let Some(token) = reply["nextToken"].as_str() else { break };
            asked["nextToken"] = token.into();
        }
        assert_eq!(found, names, "{operation}");
    }
}

#[test]
fn a_merge_over_the_cost_limit_is_refused() {
    let mut world = World::new();
    forked(&world, &[("a.txt", &BASE.replace("two", "2"))], &[("a.txt", &BASE.replace("nine", "9"))]);
    let default = git::MergeLimits::default();
    let limits = [
        (git::MergeLimits { time: Duration::ZERO, ..default }, "TipsDivergenceExceededException"),
        (git::MergeLimits { content_bytes_max: 10, ..default }, "MaximumFileContentToLoadExceededException"),
        (git::MergeLimits { items_max: 0, ..default }, "MaximumItemsToCompareExceededException"),
    ];
    for (limits, exception) in limits {
        world.restart_with(|settings| settings.codecommit.merge = limits);
        for operation in ["MergeBranchesByThreeWay", "GetMergeOptions"] {
            let reply = world.call(operation, &input(&json!({ "conflictDetailLevel": "LINE_LEVEL" })));
            assert_eq!(reply.failure()["__type"], exception, "{operation}");
        }
    }
}

#[test]
fn no_concurrent_merge_is_lost() {
    let world = World::new();
    forked(&world, &[("c.txt", "other\n")], &[("b.txt", "new\n")]);
    let base = world.ok("GetMergeOptions", &input(&json!({})))["baseCommitId"].clone();
    let names = ["f0", "f1", "f2", "f3"];
    for name in names {
        let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": name, "commitId": base });
        world.ok("CreateBranch", &branch);
        put(&world, name, base.as_str(), &[(name, "new\n")]);
    }
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let merge = |name| world.call("MergeBranchesBySquash", &input(&json!({ "sourceCommitSpecifier": name })));
        let threads: Vec<_> = names.map(|name| scope.spawn(move || merge(name))).into_iter().collect();
        threads.into_iter().map(|thread| thread.join().expect("the process ends")).collect()
    });
    for (name, reply) in names.iter().zip(outcomes) {
        let file = json!({ "repositoryName": "MyDemoRepo", "filePath": name });
        let is_there = world.call("GetFile", &file).status == 200;
        assert_eq!(is_there, reply.status == 200, "{name}");
        if reply.status != 200 {
            assert_eq!(reply.failure()["__type"], "ConcurrentReferenceUpdateException");
        }
    }
}

#[test]
fn a_merge_is_recorded() {
    let world = World::new();
    forked(&world, &[("c.txt", "other\n")], &[("b.txt", "new\n")]);
    let merged =
        world.ok("MergeBranchesByThreeWay", &input(&json!({ "commitMessage": "Merge", "keepEmptyFolders": true })));
    let events = world.events();
    let event = events.last().expect("the call is recorded");
    assert_eq!((&event["eventName"], &event["readOnly"]), (&json!("MergeBranchesByThreeWay"), &json!(false)));
    assert_eq!(event["responseElements"]["commitId"], merged["commitId"]);
    assert_eq!(event["requestParameters"]["sourceCommitSpecifier"], "feature");
    assert_eq!(event["resources"][0]["ARN"], "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo");
}

#[test]
fn maintenance_learns_of_unreachable_objects_of_calls() {
    let world = World::new();
    forked(&world, &[("c.txt", "other\n")], &[("b.txt", "new\n")]);
    let repository = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let id = repository["repositoryMetadata"]["repositoryId"].as_str().expect("an id");
    let folder = world.folder().join("data/repositories").join(id);
    assert!(!git::maintenance::has_unreachable(&folder), "branches only went on");
    let merge = input(&json!({ "mergeOption": "THREE_WAY_MERGE" }));
    world.ok("CreateUnreferencedMergeCommit", &merge);
    assert!(git::maintenance::has_unreachable(&folder));

    std::fs::remove_file(folder.join("objects/info/let-go")).expect("the mark of unreachable objects exists");
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "feature" }));
    assert!(git::maintenance::has_unreachable(&folder));
}

//! Trees that calls may create: only those that a push may contain, so that every Git client accepts them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::World;

/// A `.gitmodules` whose URL `git clone` would take as an option.
const PAYLOAD: &str = "[submodule \"a\"]\n\tpath = a\n\turl = -u./payload\n";
const SOUND: &str = "[submodule \"a\"]\n\tpath = a\n\turl = https://example.com/a.git\n";

fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    world
}

fn tip(world: &World, branch: &str) -> Value {
    let reply = world.call("GetBranch", &json!({ "repositoryName": "demo", "branchName": branch }));
    reply.json()["branch"]["commitId"].clone()
}

/// Creates a commit on a branch; returns the name of the exception, or `null`.
fn commit(world: &World, branch: &str, changes: &Value) -> Value {
    let mut input = changes.clone();
    input["repositoryName"] = "demo".into();
    input["branchName"] = branch.into();
    input["parentCommitId"] = tip(world, branch);
    world.call("CreateCommit", &input).json()["__type"].clone()
}

fn put(path: &str, mode: &str, content: &str) -> Value {
    json!({ "filePath": path, "fileMode": mode, "fileContent": STANDARD.encode(content) })
}

/// Clones with all checks of a strict client, and checks the clone.
fn check(world: &World, name: &str) {
    let url = world.repository_url("demo");
    world.git(".", &["clone", "--quiet", "-c", "transfer.fsckObjects=true", "--mirror", &url, name]).ok();
    world.git(name, &["fsck", "--strict", "--no-dangling"]).ok();
}

#[test]
fn files_that_endanger_clients_are_refused() {
    let world = world();
    let first = json!({ "putFiles": [put("payload", "NORMAL", PAYLOAD), put("link", "SYMLINK", "payload")] });
    assert_eq!(commit(&world, "main", &first), Value::Null);
    let long = "x ".repeat(1100);
    for (what, changes) in [
        ("a URL", json!({ "putFiles": [put(".gitmodules", "NORMAL", PAYLOAD)] })),
        ("a path", json!({ "putFiles": [put(".gitmodules", "NORMAL", "[submodule \"a\"]\n\tpath = -a\n")] })),
        ("a name", json!({ "putFiles": [put(".gitmodules", "NORMAL", "[submodule \"../a\"]\n\tpath = a\n")] })),
        ("an update", json!({ "putFiles": [put(".gitmodules", "NORMAL", "[submodule \"a\"]\n\tupdate = !true\n")] })),
        ("below", json!({ "putFiles": [put("a/b/.gitmodules", "NORMAL", PAYLOAD)] })),
        ("NTFS", json!({ "putFiles": [put("GITMOD~1", "NORMAL", PAYLOAD)] })),
        ("HFS+", json!({ "putFiles": [put(".git\u{200c}modules", "NORMAL", PAYLOAD)] })),
        ("a link", json!({ "putFiles": [put(".gitmodules", "SYMLINK", "payload")] })),
        ("long lines", json!({ "putFiles": [put(".gitattributes", "NORMAL", &long)] })),
        (
            "a copy",
            json!({ "putFiles": [
            { "filePath": ".gitmodules", "sourceFile": { "filePath": "payload", "isMove": false } },
        ] }),
        ),
        (
            "a move of a link",
            json!({ "putFiles": [
            { "filePath": ".gitmodules", "sourceFile": { "filePath": "link", "isMove": true } },
        ] }),
        ),
    ] {
        assert_eq!(commit(&world, "main", &changes), "InvalidPathException", "{what}");
    }
    let file = json!({
        "repositoryName": "demo", "branchName": "main", "filePath": ".gitmodules",
        "fileContent": STANDARD.encode(PAYLOAD), "parentCommitId": tip(&world, "main"),
    });
    let refused = world.call("PutFile", &file);
    assert_eq!((refused.status, &refused.json()["__type"]), (400, &json!("InvalidPathException")));
    let message = refused.json()["message"].as_str().expect("the member is a string").to_owned();
    assert!(message.contains("gitmodulesUrl: disallowed submodule url: -u./payload"), "{message}");
    assert_eq!(commit(&world, "main", &json!({ "putFiles": [put(".gitmodules", "NORMAL", SOUND)] })), Value::Null);
    let modes = json!({ "setFileModes": [{ "filePath": ".gitmodules", "fileMode": "SYMLINK" }] });
    assert_eq!(commit(&world, "main", &modes), "InvalidPathException");
    check(&world, "clone");
}

#[test]
fn a_merge_creates_no_such_file_either() {
    let world = world();
    assert_eq!(commit(&world, "main", &json!({ "putFiles": [put(".gitmodules", "NORMAL", SOUND)] })), Value::Null);
    let branch = json!({ "repositoryName": "demo", "branchName": "other", "commitId": tip(&world, "main") });
    assert_eq!(world.call("CreateBranch", &branch).status, 200);
    for (branch, url) in [("main", "https://example.com/b.git"), ("other", "https://example.com/c.git")] {
        let content = SOUND.replace("https://example.com/a.git", url);
        let changes = json!({ "putFiles": [put(".gitmodules", "NORMAL", &content)] });
        assert_eq!(commit(&world, branch, &changes), Value::Null);
    }
    let merge = |operation: &str, content: &str| {
        let input = json!({
            "repositoryName": "demo", "sourceCommitSpecifier": "other", "destinationCommitSpecifier": "main",
            "mergeOption": "THREE_WAY_MERGE", "conflictResolutionStrategy": "AUTOMERGE",
            "conflictResolution": { "replaceContents": [{
                "filePath": ".gitmodules", "replacementType": "USE_NEW_CONTENT", "content": STANDARD.encode(content),
            }] },
        });
        world.call(operation, &input).json()["__type"].clone()
    };
    for operation in ["CreateUnreferencedMergeCommit", "MergeBranchesBySquash", "MergeBranchesByThreeWay"] {
        assert_eq!(merge(operation, PAYLOAD), "InvalidPathException", "{operation}");
    }
    assert_eq!(merge("MergeBranchesByThreeWay", SOUND), Value::Null);
    check(&world, "clone");
}

#[test]
fn without_fsck_calls_may_write_what_pushes_may_contain() {
    let world = World::with(|settings| settings.git.fsck = false);
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    let changes = json!({ "putFiles": [put(".gitmodules", "NORMAL", PAYLOAD)] });
    assert_eq!(commit(&world, "main", &changes), Value::Null);
}

#[test]
fn all_objects_of_calls_pass_git_fsck() {
    let world = world();
    let names = [
        "a",
        ".gitmodules",
        ".gitattributes",
        ".gitignore",
        ".mailmap",
        "dir/.gitmodules",
        ".GITMODULES",
        "gitmod~1",
        ".gitmodules ",
        ".gitmodules::$DATA",
        "\u{200b}.gitmodules",
        "a\\.gitmodules",
        "git~2",
        "a b/c\td",
        "-a",
        "~",
        "\u{e9}/\u{65e5}\u{672c}",
        "con.txt",
        "a\nb",
        "\"q\"",
    ];
    let contents = [PAYLOAD, SOUND, "", "[submodule", "../outside", "/etc/passwd", "\0", "* text\n"];
    let texts = [
        "",
        "A message\0with a NUL",
        "<>",
        "\0",
        ".",
        "a\nb\r\nc",
        "Ana <a@b>",
        "\u{e9}",
        " ",
        "tree 0000\n\nauthor x",
    ];
    let (mut accepted, mut refused) = (0, 0);
    for (number, name) in names.iter().enumerate() {
        for (offset, content) in contents.iter().enumerate() {
            let text = |more: usize| texts[(number * contents.len() + offset + more) % texts.len()];
            let mode = ["NORMAL", "EXECUTABLE", "SYMLINK"][(number + offset) % 3];
            let changes = json!({
                "putFiles": [put(name, mode, content), put("counter", "NORMAL", &format!("{number}/{offset}"))],
                "authorName": text(0), "email": text(3), "commitMessage": text(7),
            });
            match commit(&world, "main", &changes).as_str() {
                None => accepted += 1,
                Some("InvalidPathException" | "InvalidEmailException") => refused += 1,
                Some("FileNameConflictsWithDirectoryNameException" | "DirectoryNameConflictsWithFileNameException") => {
                }
                Some(other) => panic!("{other}: {changes}"),
            }
        }
    }
    assert!(accepted > 50 && refused > 50, "{accepted} made, {refused} refused");
    check(&world, "clone");
    let messages = world.git("clone", &["log", "--format=%B", "main"]).ok();
    assert!(messages.contains("A messagewith a NUL"), "a message loses what Git does not take");
}

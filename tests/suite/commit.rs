//! Commits created and read with the API, compared with those of `git`.

use std::sync::Barrier;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::World;

/// Encodes content for a request.
pub fn content(text: &str) -> String {
    STANDARD.encode(text)
}

/// Starts a server with an empty repository.
pub fn empty() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Creates a commit with `changes` on `main`.
pub fn commit(world: &World, parent: Option<&str>, changes: &Value) -> Value {
    world.ok("CreateCommit", &input(parent, changes))
}

/// Returns the input for a commit on `main`.
pub fn input(parent: Option<&str>, changes: &Value) -> Value {
    let mut input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "authorName": "Mary Major", "email": "mary_major@example.com",
        "commitMessage": "A change\n",
    });
    for (name, value) in changes.as_object().expect("changes are an object") {
        input[name] = value.clone();
    }
    if let Some(parent) = parent {
        input["parentCommitId"] = parent.into();
    }
    input
}

/// Returns the name of the exception that refuses a commit.
fn refused(world: &World, parent: Option<&str>, changes: &Value) -> Value {
    world.call("CreateCommit", &input(parent, changes)).failure()["__type"].clone()
}

/// Creates a commit and returns its id.
pub fn id(reply: &Value) -> &str {
    reply["commitId"].as_str().expect("a commit has an id")
}

/// Returns files with their paths as content.
pub fn put(paths: &[&str]) -> Value {
    let files: Vec<_> = paths.iter().map(|path| json!({ "filePath": path, "fileContent": content(path) })).collect();
    json!({ "putFiles": files })
}

/// Clones the repository into `clone`.
fn clone(world: &World) {
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "clone"]).ok();
}

fn files(world: &World, commit: &str) -> String {
    world.git("clone", &["ls-tree", "-r", "--format=%(objectmode) %(path)", commit]).ok()
}

#[test]
fn a_commit_has_the_id_that_git_gives_it() {
    let world = empty();
    let made = commit(
        &world,
        None,
        &json!({ "putFiles": [
            { "filePath": "README.md", "fileContent": content("A demonstration.\n") },
            { "filePath": "bin/run", "fileContent": content("#!/bin/sh\n"), "fileMode": "EXECUTABLE" },
            { "filePath": "link", "fileContent": content("README.md"), "fileMode": "SYMLINK" },
        ] }),
    );
    world.git(".", &["init", "--quiet", "work"]).ok();
    let work = world.folder().join("work");
    std::fs::create_dir(work.join("bin")).expect("the folder is writable");
    std::fs::write(work.join("README.md"), "A demonstration.\n").expect("the folder is writable");
    std::fs::write(work.join("bin/run"), "#!/bin/sh\n").expect("the folder is writable");
    std::os::unix::fs::symlink("README.md", work.join("link")).expect("the folder is writable");
    world.git("work", &["add", "--all"]).ok();
    world.git("work", &["update-index", "--chmod=+x", "bin/run"]).ok();
    assert_eq!(made["treeId"], world.git("work", &["write-tree"]).ok());

    // The clock of the server advances with each call, so `git` uses the time of the commit of the API.
    let shown = world.ok("GetCommit", &json!({ "repositoryName": "MyDemoRepo", "commitId": id(&made) }));
    let date = shown["commit"]["author"]["date"].as_str().expect("the commit has a date").to_owned();
    let tree = made["treeId"].as_str().expect("the reply names the tree").to_owned();
    let script = format!(
        "printf 'A change\\n' | GIT_AUTHOR_DATE='{date}' GIT_COMMITTER_DATE='{date}' git -c alias.x=commit-tree x {tree}"
    );
    let alias = format!("alias.made=!{script}");
    assert_eq!(world.git("work", &["-c", &alias, "made"]).ok(), id(&made));
    assert_eq!(
        shown["commit"],
        json!({
            "commitId": id(&made), "treeId": tree, "parents": [], "message": "A change\n", "additionalData": "",
            "author": { "name": "Mary Major", "email": "mary_major@example.com", "date": date },
            "committer": { "name": "Mary Major", "email": "mary_major@example.com", "date": date },
        })
    );
}

#[test]
fn commits_of_the_api_and_of_git_are_visible_to_both() {
    let world = empty();
    let first = commit(&world, None, &put(&["a", "b/c"]));
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "main" });
    assert_eq!(world.ok("GetBranch", &branch)["branch"]["commitId"], first["commitId"]);
    let metadata = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(metadata["repositoryMetadata"]["defaultBranch"], "main");
    clone(&world);
    assert_eq!(files(&world, "HEAD"), "100644 a\n100644 b/c");
    let pushed = world.git_commit("clone", "b/d", "pushed");
    world.git("clone", &["push", "--quiet", "origin", "HEAD:main"]).ok();
    let file = json!({ "repositoryName": "MyDemoRepo", "filePath": "b/d", "commitSpecifier": "main" });
    assert_eq!(world.ok("GetFile", &file)["fileContent"], content("pushed"));
    assert_eq!(refused(&world, Some(id(&first)), &put(&["e"])), "ParentCommitIdOutdatedException");
    let second = commit(&world, Some(&pushed), &put(&["e"]));
    world.git("clone", &["pull", "--quiet", "--ff-only", "origin", "main"]).ok();
    assert_eq!(world.git("clone", &["rev-parse", "HEAD"]).ok(), id(&second));
    world.git("clone", &["fsck", "--strict"]).ok();
}

#[test]
fn files_are_moved_copied_deleted_and_get_other_modes() {
    let world = empty();
    let first = commit(&world, None, &put(&["a", "b/c", "d", "run"]));
    let made = commit(
        &world,
        Some(id(&first)),
        &json!({
            "putFiles": [
                { "filePath": "moved", "sourceFile": { "filePath": "a", "isMove": true } },
                { "filePath": "copied", "sourceFile": { "filePath": "d" }, "fileMode": "EXECUTABLE" },
                { "filePath": "d", "fileContent": content("edited") },
            ],
            "deleteFiles": [{ "filePath": "b/c" }],
            "setFileModes": [{ "filePath": "run", "fileMode": "EXECUTABLE" }],
        }),
    );
    let paths = |list: &str| -> Vec<String> {
        let entries = made[list].as_array().expect("the value is a list").iter();
        entries.map(|entry| format!("{} {}", entry["fileMode"], entry["absolutePath"]).replace('"', "")).collect()
    };
    assert_eq!(paths("filesAdded"), ["EXECUTABLE copied", "NORMAL moved"]);
    assert_eq!(paths("filesUpdated"), ["NORMAL d", "EXECUTABLE run"]);
    assert_eq!(paths("filesDeleted"), ["NORMAL a", "NORMAL b/c"]);
    clone(&world);
    assert_eq!(files(&world, "HEAD"), "100755 copied\n100644 d\n100644 moved\n100755 run");
    assert_eq!(world.git("clone", &["show", "HEAD:moved", "HEAD:copied", "HEAD:d"]).ok(), "adedited");
}

#[test]
fn empty_folders_are_kept_on_request() {
    let world = empty();
    let first = commit(&world, None, &put(&["a/b/c", "a/d", "e/f/g", "h"]));
    let gone = json!({ "deleteFiles": [{ "filePath": "a/b/c" }, { "filePath": "a/d" }, { "filePath": "h" }] });
    let mut kept = gone.clone();
    kept["keepEmptyFolders"] = true.into();
    kept["putFiles"] = json!([{ "filePath": "i", "sourceFile": { "filePath": "e/f/g", "isMove": true } }]);
    let made = commit(&world, Some(id(&first)), &kept);
    let added: Vec<_> = made["filesAdded"]
        .as_array()
        .expect("the value is a list")
        .iter()
        .map(|added_file| &added_file["absolutePath"])
        .collect();
    assert_eq!(added, ["a/b/.gitkeep", "e/f/.gitkeep", "i"]);
    clone(&world);
    assert_eq!(files(&world, id(&made)), "100644 a/b/.gitkeep\n100644 e/f/.gitkeep\n100644 i");
    // Deleting the placeholder file of a folder deletes the folder.
    let input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "e/f/.gitkeep", "keepEmptyFolders": true,
        "parentCommitId": made["commitId"],
    });
    let made = world.ok("DeleteFile", &input);
    world.git("clone", &["fetch", "--quiet"]).ok();
    assert_eq!(files(&world, id(&made)), "100644 a/b/.gitkeep\n100644 i");
}

#[test]
fn the_last_file_can_be_deleted() {
    let world = empty();
    let first = commit(&world, None, &put(&["a"]));
    let made = commit(&world, Some(id(&first)), &json!({ "deleteFiles": [{ "filePath": "a" }] }));
    assert_eq!(made["treeId"], "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    clone(&world);
    assert_eq!(files(&world, id(&made)), "");
    let folder = world.ok("GetFolder", &json!({ "repositoryName": "MyDemoRepo", "folderPath": "/" }));
    assert_eq!(folder["files"], json!([]));
}

#[test]
fn of_many_concurrent_commits_on_one_parent_one_succeeds() {
    let world = empty();
    let mut tip = id(&commit(&world, None, &put(&["a"]))).to_owned();
    for round in 0..4 {
        let start = Barrier::new(8);
        let replies: Vec<_> = std::thread::scope(|scope| {
            let race = |number: usize| {
                let (world, start, tip) = (&world, &start, &tip);
                scope.spawn(move || {
                    start.wait();
                    world.call("CreateCommit", &input(Some(tip), &put(&[&format!("{round}/{number}")])))
                })
            };
            let threads: Vec<_> = (0..8).map(race).collect();
            threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|reply| reply.json()["__type"] == "ParentCommitIdOutdatedException"));
        tip = id(&won[0].json()).to_owned();
        let branch = world.ok("GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
        assert_eq!(branch["branch"]["commitId"], tip);
    }
}

#[test]
fn of_many_concurrent_first_commits_one_succeeds() {
    let world = empty();
    let start = Barrier::new(8);
    let replies: Vec<_> = std::thread::scope(|scope| {
        let race = |number: usize| {
            let (world, start) = (&world, &start);
            scope.spawn(move || {
                start.wait();
                world.call("CreateCommit", &input(None, &put(&[&number.to_string()])))
            })
        };
        let threads: Vec<_> = (0..8).map(race).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|reply| reply.json()["__type"] == "ParentCommitIdRequiredException"));
}

#[test]
fn a_file_cannot_replace_a_folder_or_its_contents() {
    let world = empty();
    world.git_repository("work");
    world.git_commit("work", "a/b", "b");
    world.git_commit("work", "link", "l");
    let head = world.git("work", &["rev-parse", "HEAD"]).ok();
    world.git("work", &["update-index", "--add", "--cacheinfo", &format!("160000,{head},module")]).ok();
    world.git("work", &["commit", "--quiet", "--message", "module"]).ok();
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:main"]).ok();
    let parent = world.git("work", &["rev-parse", "HEAD"]).ok();
    let refused = |path: &str| {
        let answer = refused(&world, Some(&parent), &put(&[path]));
        let input = json!({
            "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": parent, "filePath": path,
            "fileContent": content(path),
        });
        assert_eq!(world.call("PutFile", &input).failure()["__type"], answer);
        answer
    };
    assert_eq!(refused("a"), "FileNameConflictsWithDirectoryNameException");
    assert_eq!(refused("README.md/b"), "DirectoryNameConflictsWithFileNameException");
    assert_eq!(refused("a/b/c/d"), "DirectoryNameConflictsWithFileNameException");
    assert_eq!(refused("module"), "FilePathConflictsWithSubmodulePathException");
    assert_eq!(refused("module/a/b"), "FilePathConflictsWithSubmodulePathException");
    // Files that the same commit deletes do not conflict with new ones.
    let swap = json!({
        "putFiles": [
            { "filePath": "a", "sourceFile": { "filePath": "a/b", "isMove": true } },
            { "filePath": "README.md/b", "fileContent": content("b") },
        ],
        "deleteFiles": [{ "filePath": "README.md" }],
    });
    let made = commit(&world, Some(&parent), &swap);
    clone(&world);
    assert_eq!(files(&world, id(&made)), "100644 README.md/b\n100644 a\n100644 link\n160000 module");
}

#[test]
fn commits_are_shown_as_git_wrote_them() {
    let world = empty();
    world.git_repository("work");
    let script = "alias.odd=!printf 'tree %s\\nauthor A \\351 <a@b> 1 +0130\\ncommitter C <> 2 -0000\\nencoding latin1\\n\\nno newline' \
                  $(git write-tree) | git hash-object -t commit -w --stdin";
    let odd = world.git("work", &["-c", script, "odd"]).ok();
    world
        .git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), &format!("{odd}:refs/heads/main")])
        .ok();
    let shown = world.ok("GetCommit", &json!({ "repositoryName": "MyDemoRepo", "commitId": odd }))["commit"].clone();
    assert_eq!(shown["author"], json!({ "name": "A \u{fffd}", "email": "a@b", "date": "1 +0130" }));
    assert_eq!(shown["committer"], json!({ "name": "C", "email": "", "date": "2 -0000" }));
    assert_eq!((&shown["message"], &shown["additionalData"]), (&json!("no newline"), &json!("encoding latin1\n")));
}

#[test]
fn packs_of_many_commits_are_rolled_up_in_the_background() {
    let world = World::with(|settings| settings.git.pack_limit = 2);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let metadata = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }))["repositoryMetadata"].clone();
    let repository = metadata["repositoryId"].as_str().expect("the value has an id");
    let folder = world.folder().join("data/repositories").join(repository).join("objects/pack");
    let packs = || std::fs::read_dir(&folder).expect("the folder exists").count();
    let mut tip = id(&commit(&world, None, &put(&["0"]))).to_owned();
    let mut most = packs();
    // Each commit adds a pack, so fewer packs show that maintenance ran.
    let is_rolled_up = (1..2_000).any(|number| {
        tip = id(&commit(&world, Some(&tip), &put(&[&number.to_string()]))).to_owned();
        let now = packs();
        most = most.max(now);
        now < most
    });
    assert!(is_rolled_up, "{most} files");
    let folder = world.ok("GetFolder", &json!({ "repositoryName": "MyDemoRepo", "folderPath": "/" }));
    assert!(folder["files"].as_array().is_some_and(|files| files.len() > 1));
}

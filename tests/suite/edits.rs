//! Random edits of files with the API, compared with the trees of `git`.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use git::Object;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tests::World;

use crate::commit::{content, id, input};

/// Files by path: the name of the mode and the content, one of a few.
type Files = BTreeMap<String, (&'static str, String)>;

/// A random edit; an index selects the path of an existing file.
#[derive(Clone, Debug)]
enum Edit {
    Put(String, &'static str, String),
    Copy(Index, String, bool),
    Delete(Index),
    DeletePath(String),
    SetMode(Index, &'static str),
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]", "[ab](/[ab]){1,2}", "[ab][.0]", "[ab]/[cd]"]
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("NORMAL"), 1 => Just("EXECUTABLE"), 1 => Just("SYMLINK")]
}

fn files() -> impl Strategy<Value = Files> {
    let all = prop::collection::btree_map(path(), (mode(), "[xyz]"), 1..10);
    all.prop_map(|all| {
        let mut files = Files::new();
        for (path, file) in all {
            files.insert(path.clone(), file);
            if has_conflict(&files) {
                files.remove(&path);
            }
        }
        files
    })
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        3 => (path(), mode(), "[xyz]").prop_map(|(path, mode, content)| Edit::Put(path, mode, content)),
        2 => (any::<Index>(), path(), any::<bool>()).prop_map(|(from, to, is_move)| Edit::Copy(from, to, is_move)),
        4 => any::<Index>().prop_map(Edit::Delete),
        1 => path().prop_map(Edit::DeletePath),
        1 => (any::<Index>(), mode()).prop_map(|(file, mode)| Edit::SetMode(file, mode)),
    ];
    prop::collection::vec(edit, 1..4)
}

/// Returns whether a path would be both a file and a folder.
fn has_conflict(files: &Files) -> bool {
    files.keys().any(|path| path.match_indices('/').any(|(end, _)| files.contains_key(&path[..end])))
}

/// Returns the request for the edits, and the resulting files if the request is valid.
fn edited(files: &Files, edits: &[Edit]) -> (Value, Option<Files>) {
    let at = |index: &Index| files.keys().nth(index.index(files.len())).expect("there are files").clone();
    let (mut puts, mut deletes, mut modes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for edit in edits {
        match edit {
            Edit::Put(path, mode, text) => {
                puts.push(json!({ "filePath": path, "fileMode": mode, "fileContent": content(text) }));
                new.push((path.clone(), (*mode, text.clone())));
            }
            Edit::Copy(from, to, is_move) => {
                let from = at(from);
                puts.push(json!({ "filePath": to, "sourceFile": { "filePath": from, "isMove": is_move } }));
                new.push((to.clone(), files[&from].clone()));
                gone.extend(is_move.then_some(from));
            }
            Edit::Delete(file) => gone.push(at(file)),
            Edit::DeletePath(path) => gone.push(path.clone()),
            Edit::SetMode(file, mode) => {
                let file = at(file);
                modes.push(json!({ "filePath": file, "fileMode": mode }));
                new.push((file.clone(), (*mode, files[&file].1.clone())));
            }
        }
        if let Edit::Delete(_) | Edit::DeletePath(_) = edit {
            deletes.push(json!({ "filePath": gone.last() }));
        }
    }
    let request = json!({ "putFiles": puts, "deleteFiles": deletes, "setFileModes": modes });
    let named: BTreeSet<&String> = gone.iter().chain(new.iter().map(|(path, _)| path)).collect();
    let named = named.len();
    let mut result = files.clone();
    let are_there = gone.iter().all(|path| result.remove(path).is_some());
    let gone_and_new = gone.len() + new.len();
    result.extend(new);
    let is_good = are_there && named == gone_and_new && !has_conflict(&result) && result != *files;
    (request, is_good.then_some(result))
}

/// Returns the id of the tree that `git` creates for files.
fn tree_of_git(world: &World, files: &Files) -> String {
    let mut arguments = vec!["update-index".to_owned(), "--add".to_owned()];
    for (path, (mode, text)) in files {
        let mode = match *mode {
            "EXECUTABLE" => "100755",
            "SYMLINK" => "120000",
            _ => "100644",
        };
        let blob = Object::blob(text.as_str()).id().expect("the text does not collide in SHA-1");
        arguments.extend(["--cacheinfo".to_owned(), format!("{mode},{blob},{path}")]);
    }
    world.git("index", &["read-tree", "--empty"]).ok();
    world.git("index", &arguments.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    world.git("index", &["write-tree", "--missing-ok"]).ok()
}

#[test]
fn random_edits_create_the_same_trees_as_git() {
    let world = World::new();
    world.git(".", &["init", "--quiet", "index"]).ok();
    let (tried, made) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&(files(), edits()), |(files, edits)| {
        tried.set(tried.get() + 1);
        let name = format!("Repo{}", tried.get());
        world.ok("CreateRepository", &json!({ "repositoryName": name }));
        let request = |parent: Option<&str>, changes: &Value| {
            let mut request = input(parent, changes);
            request["repositoryName"] = name.as_str().into();
            request
        };
        let all: Vec<_> = files
            .iter()
            .map(|(path, (mode, text))| json!({ "filePath": path, "fileMode": mode, "fileContent": content(text) }))
            .collect();
        let first = world.ok("CreateCommit", &request(None, &json!({ "putFiles": all })));
        prop_assert_eq!(&first["treeId"], &tree_of_git(&world, &files));
        let (changes, expected) = edited(&files, &edits);
        let reply = world.call("CreateCommit", &request(Some(id(&first)), &changes));
        let Some(expected) = expected else {
            prop_assert_eq!(reply.status, 400);
            return Ok(());
        };
        prop_assert_eq!(reply.status, 200, "{}", reply.text());
        prop_assert_eq!(&reply.json()["treeId"], &tree_of_git(&world, &expected));
        made.set(made.get() + 1);
        Ok(())
    });
    result.expect("the API does as git does");
    assert!(made.get() > 20, "{} of {} edits could be made", made.get(), tried.get());
}

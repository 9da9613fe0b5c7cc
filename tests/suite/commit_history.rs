//! History operations that AWS documents as permissions only: compared with Git, and read page by page.

use serde_json::{Value, json};
use tests::World;

/// Starts a server with a repository that has tags and two branches with criss-cross merges.
fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    let git = |words: &[&str]| world.git("work", words).ok();
    for (branch, files) in [("one", ["a", "b", "c"]), ("two", ["d", "e", "f"])] {
        git(&["checkout", "--quiet", "-b", branch, "main"]);
        for file in files {
            world.git_commit("work", &format!("{branch}/{file}"), file);
        }
    }
    git(&["merge", "--quiet", "--no-ff", "--message", "one into two", "one~1"]);
    git(&["checkout", "--quiet", "one"]);
    git(&["merge", "--quiet", "--no-ff", "--message", "two into one", "two~2"]);
    world.git_commit("work", "one/g", "g");
    git(&["tag", "--annotate", "--message", "One", "v1"]);
    let url = world.repository_url("MyDemoRepo");
    git(&["push", "--quiet", &url, "main", "one", "two", "v1"]);
    world
}

/// Returns the items of all pages of a listing with two items per page.
fn pages(world: &World, operation: &str, input: &Value, members: &[&str]) -> Vec<Value> {
    let mut input = input.clone();
    input["repositoryName"] = "MyDemoRepo".into();
    input["maxResults"] = 2.into();
    let mut all = Vec::new();
    loop {
        let page = world.ok(operation, &input);
        let items = members.iter().flat_map(|member| page[member].as_array().expect("the value is a list").clone());
        let items: Vec<_> = items.collect();
        assert!(items.len() == 2 || page["nextToken"].is_null(), "{page}");
        all.extend(items);
        if page["nextToken"].is_null() {
            return all;
        }
        input["nextToken"] = page["nextToken"].clone();
    }
}

fn ids(commits: &[Value]) -> Vec<String> {
    commits.iter().map(|commit| commit["commitId"].as_str().expect("a commit has an id").to_owned()).collect()
}

fn rev_list(world: &World, arguments: &[&str]) -> Vec<String> {
    world.git("work", &[&["rev-list"], arguments, &["--"]].concat()).ok().lines().map(str::to_owned).collect()
}

#[test]
fn a_history_has_the_commits_of_git_in_its_order() {
    let world = world();
    for branch in ["one", "two", "v1", "main"] {
        let ours = ids(&pages(&world, "GetCommitHistory", &json!({ "commitSpecifier": branch }), &["commits"]));
        assert_eq!(ours, rev_list(&world, &[branch]), "{branch}");
    }
}

#[test]
fn later_pages_continue_in_the_first_history_after_the_branch_moved() {
    let world = world();
    let input = json!({ "repositoryName": "MyDemoRepo", "commitSpecifier": "one", "maxResults": 3 });
    let first = world.ok("GetCommitHistory", &input);
    let all = rev_list(&world, &["one"]);
    world.git_commit("work", "later", "later");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "one"]).ok();
    let mut input = input;
    input["nextToken"] = first["nextToken"].clone();
    let second = world.ok("GetCommitHistory", &input);
    let listed = |page: &Value| ids(page["commits"].as_array().expect("the value is a list"));
    assert_eq!([listed(&first), listed(&second)].concat(), all[..6]);
}

#[test]
fn commits_of_one_branch_only_are_those_that_git_finds() {
    let world = world();
    for (source, destination) in [("one", "two"), ("two", "one"), ("one", "main"), ("main", "two"), ("one", "one")] {
        let input = json!({ "sourceCommitSpecifier": source, "destinationCommitSpecifier": destination });
        let ours = ids(&pages(&world, "GetCommitsFromMergeBase", &input, &["sourceCommits", "destinationCommits"]));
        let ahead = rev_list(&world, &[source, &format!("^{destination}")]);
        let behind = rev_list(&world, &[destination, &format!("^{source}")]);
        assert_eq!(ours, [ahead, behind].concat(), "{source} {destination}");
        let mut whole = input.clone();
        whole["repositoryName"] = "MyDemoRepo".into();
        let base = world.ok("GetCommitsFromMergeBase", &whole)["baseCommitId"].clone();
        let bases = world.git("work", &["merge-base", "--all", source, destination]).ok();
        assert!(bases.lines().any(|known| base == known), "{base} is none of {bases}");
    }
}

#[test]
fn a_tree_has_the_entries_that_git_lists() {
    let world = world();
    let shown = |entry: &Value| {
        let text = |member: &str| entry[member].as_str().expect("the member is a string").to_owned();
        format!("{} {} {}\t{}", text("mode"), text("objectType"), text("objectId"), text("relativePath"))
    };
    for (input, arguments) in [
        (json!({ "commitSpecifier": "one" }), &["ls-tree", "one"][..]),
        (json!({ "commitSpecifier": "one", "recursive": true }), &["ls-tree", "-r", "-t", "one"]),
        (json!({ "commitSpecifier": "two", "folderPath": "/two" }), &["ls-tree", "two:two"]),
        (json!({ "treeId": world.git("work", &["rev-parse", "two:two"]).ok() }), &["ls-tree", "two:two"]),
    ] {
        let ours: Vec<_> = pages(&world, "GetTree", &input, &["entries"]).iter().map(shown).collect();
        let git = world.git("work", arguments).ok();
        assert_eq!(ours, git.lines().collect::<Vec<_>>(), "{input}");
    }
}

#[test]
fn references_match_git_including_peeled_tags() {
    let world = world();
    let shown = |reference: &Value| {
        let text = |member: &str| reference[member].as_str().expect("the member is a string").to_owned();
        let peeled =
            reference["peeledObjectId"].as_str().map(|id| format!("\n{id}\t{}^{{}}", text("referenceFullName")));
        format!("{}\t{}{}", text("objectId"), text("referenceFullName"), peeled.unwrap_or_default())
    };
    let ours: Vec<_> = pages(&world, "GetReferences", &json!({}), &["references"]).iter().map(shown).collect();
    let url = world.repository_url("MyDemoRepo");
    assert_eq!(ours.join("\n"), world.git("work", &["ls-remote", &url, "refs/*"]).ok());
    let tags = pages(&world, "GetReferences", &json!({ "referencePrefix": "refs/tags/" }), &["references"]);
    assert_eq!((tags.len(), &tags[0]["referenceName"], &tags[0]["referenceType"]), (1, &json!("v1"), &json!("tag")));
}

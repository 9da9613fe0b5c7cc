//! Conflicts that are resolved by forms.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::World;

use super::{page_of, submitted};
use crate::console::{Browser, between, names_after};
use crate::pull_request::create;

const BASE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

/// Starts a server with a pull request whose branches changed files; `None` deletes a file.
fn conflicting(destination: &[(&str, Option<&str>)], source: &[(&str, Option<&str>)]) -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let base = put(&world, "main", None, &[("a.txt", Some(BASE)), ("b.txt", Some(BASE)), ("<c>.txt", Some("c\n"))]);
    world.ok("CreateBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "feature", "commitId": base }));
    put(&world, "main", Some(&base), destination);
    put(&world, "feature", Some(&base), source);
    create(&world, "feature");
    world
}

fn put(world: &World, branch: &str, parent: Option<&str>, files: &[(&str, Option<&str>)]) -> String {
    let puts = files
        .iter()
        .filter_map(|(path, text)| Some(json!({ "filePath": path, "fileContent": STANDARD.encode((*text)?) })));
    let deletes = files.iter().filter(|(_, text)| text.is_none()).map(|(path, _)| json!({ "filePath": path }));
    let mut input = json!({
        "repositoryName": "MyDemoRepo",
        "branchName": branch,
        "putFiles": puts.collect::<Vec<_>>(),
        "deleteFiles": deletes.collect::<Vec<_>>(),
    });
    if let Some(parent) = parent {
        input["parentCommitId"] = parent.into();
    }
    world.ok("CreateCommit", &input)["commitId"].as_str().expect("a commit has an id").to_owned()
}

/// Returns the content of a file on `main`; `None` if it does not exist.
fn content(world: &World, path: &str) -> Option<String> {
    let reply = world.call("GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": path })).json();
    let content = STANDARD.decode(reply["fileContent"].as_str()?).expect("the content is base64");
    Some(String::from_utf8(content).expect("the content is text"))
}

/// Returns the hidden fields of the form on a page, without the token.
fn hidden(page: &str) -> Vec<(String, String)> {
    let form = between(page, "name=\"strategy\"", "</form>");
    let mut fields = vec![("strategy".to_owned(), between(form, "value=\"", "\"").to_owned())];
    for field in form.split("<input type=\"hidden\" ").skip(1) {
        let value = between(field, "value=\"", "\"").replace("&#60;", "<").replace("&#62;", ">");
        fields.push((between(field, "name=\"", "\"").to_owned(), value));
    }
    fields
}

fn with<'f>(hidden: &'f [(String, String)], chosen: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    hidden.chain(chosen.iter().copied()).collect()
}

#[test]
fn each_conflict_is_resolved_by_its_choice() {
    let changed = |two: &str, nine: &str| BASE.replace("two\n", two).replace("nine\n", nine);
    let (ours, theirs) = (changed("TWO\n", "NINE\n"), changed("Zwei\n", "Neun\n"));
    let (ours_b, theirs_b) = (changed("TWO\n", "nine\n"), changed("Zwei\n", "Neun\n"));
    let world = conflicting(
        &[("a.txt", Some(&ours)), ("b.txt", Some(&ours_b)), ("<c>.txt", None)],
        &[("a.txt", Some(&theirs)), ("b.txt", Some(&theirs_b)), ("<c>.txt", Some("C\n"))],
    );
    let mut browser = Browser::signed_in(&world);
    assert!(browser.page(&page_of("")).contains("Resolve the conflicts and merge"));
    let recorded = world.events().len();
    let page = browser.page(&page_of("merge"));
    assert_eq!(
        names_after(&world, recorded),
        ["GetPullRequest", "GetMergeOptions", "GetMergeConflicts", "BatchDescribeMergeConflicts"]
    );
    assert!(page.contains("<pre data-side>TWO\n</pre>") && page.contains("<pre data-side>Zwei\n</pre>"), "{page}");
    assert!(
        page.contains("<bdi>&#60;c&#62;.txt</bdi>") && page.contains("destination deleted, source modified"),
        "{page}"
    );
    let positions: Vec<_> =
        hidden(&page).into_iter().filter(|(name, _)| name == "path").map(|(_, path)| path).collect();
    assert_eq!(positions, ["<c>.txt", "a.txt", "b.txt"]);
    let hidden = hidden(&page);
    let numbers: Vec<&str> =
        page.split("name=\"hunk-1-").skip(1).map(|rest| rest.split('"').next().expect("a number")).collect();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    let (first_hunk, last_hunk) = (format!("hunk-1-{first}"), format!("hunk-1-{last}"));
    let own = format!("own-1-{last}");
    let b_hunk = format!("hunk-2-{}", between(&page, "name=\"hunk-2-", "\""));
    let choices = [
        ("resolution", "each"),
        ("file-0", "source"),
        ("file-1", "hunks"),
        (first_hunk.as_str(), "source"),
        (last_hunk.as_str(), "own"),
        (own.as_str(), "9\r\n9"),
        ("file-2", "hunks"),
    ];

    let incomplete = browser.submit(&page_of("merge"), &page_of("merge"), &with(&hidden, &choices));
    assert_eq!(incomplete.status, 400);
    let text = incomplete.text();
    assert!(text.contains("Choose a version of conflict 1 of b.txt."), "{text}");
    assert!(text.contains(&format!("name=\"{last_hunk}\" value=\"own\" checked")) && text.contains("9\n9</textarea>"));

    let choices = [&choices[..], &[(b_hunk.as_str(), "both"), ("message", "Merge by hand")]].concat();
    let merged = submitted(&mut browser, "merge", "merge", &with(&hidden, &choices));
    assert!(merged.contains("Merged by a three-way merge"), "{merged}");
    assert_eq!(content(&world, "a.txt"), Some(changed("Zwei\n", "9\n9\n")));
    assert_eq!(content(&world, "b.txt"), Some(changed("TWO\nZwei\n", "Neun\n")));
    assert_eq!(content(&world, "<c>.txt").as_deref(), Some("C\n"));
}

#[test]
fn one_side_can_win_all_conflicts_or_a_file() {
    let world = conflicting(
        &[("a.txt", Some(&BASE.replace("two", "TWO"))), ("b.txt", Some("ours\n")), ("<c>.txt", Some("C\n"))],
        &[("a.txt", Some(&BASE.replace("two", "Zwei"))), ("b.txt", Some("theirs\n")), ("<c>.txt", None)],
    );
    let mut browser = Browser::signed_in(&world);
    let hidden = hidden(&browser.page(&page_of("merge?strategy=squash")));
    assert_eq!(hidden[0].1, "squash");
    let choices = [("resolution", "each"), ("file-0", "source"), ("file-1", "destination"), ("file-2", "source")];
    let merged = submitted(&mut browser, "merge?strategy=squash", "merge", &with(&hidden, &choices));
    assert!(merged.contains("Merged by a squash merge"), "{merged}");
    assert_eq!(content(&world, "a.txt"), Some(BASE.replace("two", "TWO")));
    assert_eq!((content(&world, "b.txt").as_deref(), content(&world, "<c>.txt")), (Some("theirs\n"), None));

    let world =
        conflicting(&[("a.txt", Some(&BASE.replace("two", "TWO")))], &[("a.txt", Some(&BASE.replace("two", "2")))]);
    let mut browser = Browser::signed_in(&world);
    let fields = hidden_of_first(&mut browser);
    submitted(&mut browser, "merge", "merge", &with(&fields, &[("resolution", "source")]));
    assert_eq!(content(&world, "a.txt"), Some(BASE.replace("two", "2")));
}

fn hidden_of_first(browser: &mut Browser<'_>) -> Vec<(String, String)> {
    hidden(&browser.page(&page_of("merge")))
}

#[test]
fn choices_for_a_destination_that_has_moved_are_refused() {
    let world = conflicting(&[("a.txt", Some("ours\n"))], &[("a.txt", Some("theirs\n"))]);
    let mut browser = Browser::signed_in(&world);
    let hidden = hidden_of_first(&mut browser);
    let main = world.ok("GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    put(&world, "main", main["branch"]["commitId"].as_str(), &[("later.txt", Some("Later.\n"))]);
    let choices = [("resolution", "each"), ("file-0", "source")];
    let refused = browser.submit(&page_of("merge"), &page_of("merge"), &with(&hidden, &choices));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("The destination branch has moved"), "{}", refused.text());
    let pull_request = crate::pull_request::get(&world, &"1".into());
    assert_eq!(pull_request["pullRequestStatus"], Value::from("OPEN"));
}

#[test]
fn binary_files_and_modes_are_chosen_as_a_whole() {
    let world = conflicting(&[("a.txt", Some("\0ours"))], &[("a.txt", Some("\0theirs"))]);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(&page_of("merge"));
    assert_eq!(names_after(&world, recorded), ["GetPullRequest", "GetMergeOptions", "GetMergeConflicts"]);
    assert!(page.contains("The source: its file") && !page.contains("data-choose>"), "{page}");
    let fields = hidden(&page);
    let missing = browser.submit(&page_of("merge"), &page_of("merge"), &with(&fields, &[("resolution", "each")]));
    assert!(missing.text().contains("Choose a version of a.txt."), "{}", missing.text());
    submitted(&mut browser, "merge", "merge", &with(&fields, &[("resolution", "each"), ("file-0", "source")]));
    assert_eq!(content(&world, "a.txt").as_deref(), Some("\0theirs"));
}

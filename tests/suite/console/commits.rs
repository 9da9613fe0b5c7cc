//! Commits: the page of one, its differences, and its comments.

use serde_json::{Value, json};
use tests::World;

use super::{Browser, between, escape, names_after};

/// Creates a commit with files, and returns its id.
pub(super) fn commit(world: &World, parent: Option<&str>, message: &str, files: &[(&str, &str)]) -> String {
    let files: Vec<Value> =
        files.iter().map(|(path, content)| json!({ "filePath": path, "fileContent": encode(content) })).collect();
    let mut input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "authorName": "Mary Major", "email": "mary_major@example.com",
        "commitMessage": message, "putFiles": files,
    });
    if let Some(parent) = parent {
        input["parentCommitId"] = parent.into();
    }
    world.ok("CreateCommit", &input)["commitId"].as_str().expect("the reply has an id").to_owned()
}

/// Encodes the content of a file.
pub(super) fn encode(content: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(content)
}

/// Creates a repository with two commits, and returns their ids.
pub(super) fn two_commits(world: &World) -> [String; 2] {
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let lines: Vec<_> = (1..=30).map(|number| format!("line {number}\n")).collect();
    let numbered = lines.concat();
    let first =
        commit(world, None, "Add two files", &[("README.md", "A demonstration.\n"), ("src/lines.txt", &numbered)]);
    let changed = numbered.replace("line 3\n", "line three\n").replace("line 20\n", "line 20  \n");
    let second = commit(
        world,
        Some(&first),
        "Change <lines>\n\nThe <b>body</b>.\n",
        &[("src/lines.txt", &changed), ("new.txt", "new\n")],
    );
    [first, second]
}

#[test]
fn a_commit_has_its_people_differences_and_records() {
    let world = World::new();
    let [first, second] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(&format!("repositories/MyDemoRepo/commit?id={second}"));
    let operations =
        ["GetCommit", "GetCommentsForComparedCommit", "GetDifferences", "GetBlobDifferences", "GetBlobDifferences"];
    assert_eq!(names_after(&world, recorded), operations);
    for part in [
        "Change &#60;lines&#62;",
        "The &#60;b&#62;body&#60;/b&#62;.",
        "Mary Major",
        &first[..8],
        "src/lines.txt",
        "<td class=\"number\">3</td><td class=\"number\"></td><td class=\"line\">",
        "line <del>3</del>",
        "line <ins>three</ins>",
        "@@ -1,6 +1,6 @@",
        "data-copy=\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("line 10<"), "{page}");
    let page = browser.page(&format!("repositories/MyDemoRepo/commit?id={second}&view=split&whitespace=ignore"));
    assert!(page.contains("class=\"diff split\"") && !page.contains("line 20"), "{page}");
    assert!(page.contains("<td class=\"number removed\">3</td>"), "{page}");
}

#[test]
fn the_first_commit_is_compared_with_nothing_and_a_missing_one_is_not_found() {
    let world = World::new();
    let [first, _] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let page = browser.page(&format!("repositories/MyDemoRepo/commit?id={first}"));
    assert!(page.contains("this is the first commit of its history") && page.contains("line 30"), "{page}");
    for (path, status, name) in [
        ("MyDemoRepo/commit?id=0123456789012345678901234567890123456789", 404, "CommitIdDoesNotExistException"),
        ("MyDemoRepo/commit", 400, "CommitIdRequiredException"),
        ("MyDemoRepo/commit?id=%3Cscript%3E", 400, "InvalidCommitIdException"),
        ("Absent/commit?id=0123456789012345678901234567890123456789", 404, "RepositoryDoesNotExistException"),
    ] {
        let reply = browser.get(&format!("repositories/{path}"));
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.text().contains(name) && !reply.text().contains("<script>"), "{path}: {}", reply.text());
    }
}

#[test]
fn deleted_binary_and_moved_files_are_shown() {
    let world = World::new();
    let [_, second] = two_commits(&world);
    let third = world.ok(
        "CreateCommit",
        &json!({
            "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": second,
            "putFiles": [{ "filePath": "bytes", "fileContent": encode("a\0b") }],
            "deleteFiles": [{ "filePath": "README.md" }],
            "setFileModes": [{ "filePath": "new.txt", "fileMode": "EXECUTABLE" }],
        }),
    );
    let third = third["commitId"].as_str().expect("the reply has an id");
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(&format!("repositories/MyDemoRepo/commit?id={third}"));
    let operations = ["GetCommit", "GetCommentsForComparedCommit", "GetDifferences", "GetBlob", "GetBlobDifferences"];
    assert_eq!(names_after(&world, recorded), operations);
    for part in ["A demonstration.", "The file is binary", "mode 100644 to 100755", "The content is the same."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let alone = browser.page(&format!("repositories/MyDemoRepo/commit?id={third}&file=README.md"));
    assert!(alone.contains("A demonstration.") && !alone.contains("bytes"), "{alone}");
    assert!(alone.contains("All files"), "{alone}");
}

#[test]
fn a_line_is_discussed_without_scripts() {
    let world = World::new();
    let [first, second] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let commit = format!("repositories/MyDemoRepo/commit?id={second}");
    let page = browser.page(&format!("{commit}&file=src%2Flines.txt&at=AFTER-3"));
    assert!(page.contains("Comment on line 3</label>"), "{page}");
    let comments = "repositories/MyDemoRepo/comments";
    let here = format!("/_console/{commit}");
    let common = [("here", here.as_str()), ("before", &first), ("after", &second)];
    let line = [("path", "src/lines.txt"), ("version", "AFTER"), ("position", "3")];
    let posted = [&common[..], &line, &[("action", "post"), ("content", "Why <i>three</i>?")]].concat();
    let posted = browser.submit(&commit, comments, &posted);
    let location = posted.header("location").expect("the form leads to a page").to_owned();
    assert_eq!(posted.status, 303, "{}", posted.text());
    assert!(location.starts_with(&format!("{here}#comment-")), "{location}");
    let page = browser.page(&commit);
    let id = between(&page, "name=\"comment\" value=\"", "\"").to_owned();
    assert!(page.contains("Why &#60;i&#62;three&#60;/i&#62;?") && page.contains("The comment was posted."), "{page}");
    // The thread stands in the table, right below the line.
    let below = between(&page, "line <ins>three</ins>", "</table>");
    assert!(below.contains("Why &#60;i&#62;"), "{page}");
    let recorded = world.events().len();
    for (action, fields) in [
        ("reply", vec![("content", "Because.")]),
        ("react", vec![("reaction", ":thumbsup:")]),
        ("update", vec![("content", "Why?")]),
    ] {
        let fields = [&common[..], &[("action", action), ("comment", &id)], &fields].concat();
        assert_eq!(browser.submit(&commit, comments, &fields).status, 303, "{action}");
    }
    let names = names_after(&world, recorded);
    let writes: Vec<_> = names.iter().filter(|name| !name.starts_with("Get")).collect();
    assert_eq!(writes, ["PostCommentReply", "PutCommentReaction", "UpdateComment"]);
    let page = browser.page(&commit);
    for part in ["Because.", "\u{1f44d}", "Why?", "changed <time"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let fields = [&common[..], &[("action", "delete"), ("comment", &id)]].concat();
    assert_eq!(browser.submit(&commit, comments, &fields).status, 303);
    let page = browser.page(&commit);
    assert!(page.contains("This comment was deleted.") && page.contains("Because."), "{page}");
    let wrong =
        [&common[..], &line[..2], &[("position", "99"), ("action", "post"), ("content", "My <b>words</b>")]].concat();
    let refused = browser.submit(&commit, comments, &wrong);
    assert_eq!(refused.status, 400);
    // What the reader wrote is not lost.
    let back = format!("<a href=\"{here}\">Back to the page</a>");
    for part in ["InvalidFilePositionException", "My &#60;b&#62;words&#60;/b&#62;</textarea>", &back] {
        assert!(refused.text().contains(part), "{part}: {}", refused.text());
    }
}

#[test]
fn a_form_does_not_lead_to_other_sites() {
    let world = World::new();
    let [first, second] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let commit = format!("repositories/MyDemoRepo/commit?id={second}");
    let fields = [
        ("here", "https://evil.example/"),
        ("before", first.as_str()),
        ("after", &second),
        ("action", "post"),
        ("content", "x"),
    ];
    let posted = browser.submit(&commit, "repositories/MyDemoRepo/comments", &fields);
    let location = posted.header("location").expect("the form leads to a page");
    assert!(location.starts_with("/_console/repositories/MyDemoRepo/commits#"), "{location}");
}

#[test]
fn hostile_names_stay_text_in_differences() {
    let world = World::new();
    let [_, second] = two_commits(&world);
    let path = "<img src=x onerror=alert(1)>&\u{202e}\"'/x y.txt";
    let long = "x".repeat(10_000);
    let message = format!("<script>alert(1)</script>{long}");
    let third = commit(&world, Some(&second), &message, &[(path, "</td><script>alert(1)</script>\u{202e}\r\n")]);
    let mut browser = Browser::signed_in(&world);
    for query in ["", "&view=split", &format!("&file={}&at=AFTER-1", escape(path))] {
        let page = browser.page(&format!("repositories/MyDemoRepo/commit?id={third}{query}"));
        assert!(!page.contains("<script>") && !page.contains("<img src=x"), "{page}");
        assert!(page.contains("&#60;img src=x onerror"), "{page}");
        assert!(page.contains(&long), "{page}");
    }
}

#[test]
fn many_files_are_in_pages_and_lines_have_a_limit() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    let lines: Vec<_> = (0..1_500).map(|number| format!("{number}\n")).collect();
    let long = lines.concat();
    for number in 0..120 {
        let path = world.folder().join(format!("work/file-{number:03}.txt"));
        std::fs::write(path, "one\n").expect("the folder is writable");
    }
    let commit = world.git_commit("work", "a-long-one.txt", &long);
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(&format!("repositories/MyDemoRepo/commit?id={commit}"));
    let read = names_after(&world, recorded).into_iter().filter(|name| name == "GetBlobDifferences").count();
    assert_eq!(read, 100);
    assert!(page.contains("100 files on this page</summary>") && page.contains("file-098.txt"), "{page}");
    assert!(page.contains("More lines differ than are shown here.") && !page.contains("file-099.txt"), "{page}");
    let (before, _) = page.split_once("\" rel=\"next\">Next files").expect("there is a second page");
    let next = before.rsplit('"').next().expect("the link has an address").replace("&#38;", "&");
    let page = browser.page(&next);
    assert!(page.contains("21 files</summary>") && page.contains("file-119.txt"), "{page}");
    let alone = browser.page(&format!("repositories/MyDemoRepo/commit?id={commit}&file=a-long-one.txt"));
    assert!(!alone.contains("More lines differ") && alone.contains(">1500</td>"), "{alone}");
}

#[test]
fn an_archive_of_a_commit_is_written_to_a_bucket() {
    let world = World::new();
    let [_, second] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let form = format!("repositories/MyDemoRepo/archive?id={second}");
    let recorded = world.events().len();
    let page = browser.page(&form);
    assert!(page.contains(&format!("value=\"MyDemoRepo-{}.zip\"", &second[..8])), "{page}");
    let fields = [("id", second.as_str()), ("bucket", "artifacts"), ("key", "a/b c.zip")];
    let started = browser.submit(&form, "repositories/MyDemoRepo/archive", &fields);
    assert_eq!(started.status, 303, "{}", started.text());
    let state = started.header("location").expect("the form leads to a page").to_owned();
    tests::wait_until("the archive is written", || browser.page(&state).contains(">Uploaded<"));
    assert!(browser.page(&state).contains("href=\"/artifacts/a/b%20c.zip\" download"));
    let object = browser.send("GET", "/artifacts/a/b%20c.zip", &[], b"");
    assert_eq!((object.status, &object.body[..2]), (200, b"PK".as_slice()), "{}", object.text());
    let mut names = names_after(&world, recorded);
    names.dedup();
    assert_eq!(names, ["UploadArchive", "GetUploadArchiveStatus", "GetObject"]);
    let refused = browser.submit(&form, "repositories/MyDemoRepo/archive", &fields[..2]);
    assert_eq!(refused.status, 400, "{}", refused.text());
}

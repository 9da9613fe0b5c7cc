//! Files: their lines, their bytes, and the forms that change them.

use serde_json::json;
use tests::lfs::{id_of, pointer_to};
use tests::{Reply, World};

use super::commits::{commit, encode, two_commits};
use super::{Browser, between, names_after};

const FILE: &str = "repositories/MyDemoRepo/code?path=src%2Flines.txt";

/// Adds a file by its bytes in base64.
fn put(world: &World, path: &str, content: &str) {
    let branch = world.ok("GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    let input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": branch["branch"]["commitId"],
        "filePath": path, "fileContent": content,
    });
    world.ok("PutFile", &input);
}

/// Returns the content of a file of `main` in base64.
fn content(world: &World, path: &str) -> String {
    let file = world.ok("GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": path }));
    file["fileContent"].as_str().expect("the reply has the content").to_owned()
}

#[test]
fn a_file_has_numbered_lines_and_records() {
    let world = World::new();
    let [_, second] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page(FILE);
    assert_eq!(names_after(&world, recorded), ["GetObjectIdentifier", "GetReferences", "GetBlob"]);
    for part in
        ["<tr id=\"L3\">", "href=\"#L3\">3</a>", "line three", "30 lines", "/raw?path=", "/edit?path=", &second[..8]]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("id=\"L31\""), "{page}");
    let page = browser.page(&format!("{FILE}&ref={second}"));
    assert!(!page.contains("/edit?"), "a commit cannot be changed: {page}");
    assert!(browser.page(&format!("{FILE}&from=29")).contains("Lines before 29"));
}

#[test]
fn bytes_of_all_kinds_break_nothing() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    for (path, content, part) in [
        ("latin", "Y2Fm6Q==", "The file is not in UTF-8."),
        ("returns", &encode("a\r\nb\r\n"), "2 lines"),
        ("old-mac", &encode("a\rb\r"), "1 line,"),
        ("without-end", &encode("a\nb"), "2 lines"),
        ("bytes", "AAECAw==", "The file is binary and is not shown."),
        ("bidi", &encode("a\u{202e}b\n"), "change the direction of text"),
        ("page.html", &encode("<script>alert(1)</script>\n"), "1 line,"),
    ] {
        put(&world, path, content);
        let page = browser.page(&format!("repositories/MyDemoRepo/code?path={path}"));
        assert!(page.contains(part) && !page.contains("<script>alert"), "{path}: {page}");
    }
    let empty = json!([{ "filePath": "empty", "fileContent": "" }]);
    let branch = world.ok("GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    let input = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "parentCommitId": branch["branch"]["commitId"], "putFiles": empty,
    });
    world.ok("CreateCommit", &input);
    assert!(browser.page("repositories/MyDemoRepo/code?path=empty").contains("The file is empty."));
}

#[test]
fn a_file_above_the_limit_is_not_shown() {
    let world = World::new();
    two_commits(&world);
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "work"]).ok();
    world.git_commit("work", "large.txt", &"x".repeat(6 * 1_048_576 + 1));
    world.git("work", &["push", "--quiet", "origin", "main"]).ok();
    let mut browser = Browser::signed_in(&world);
    let page = browser.page("repositories/MyDemoRepo/code?path=large.txt");
    assert!(page.contains("FileTooLargeException") && page.len() < 60_000, "{}", page.len());
    assert_eq!(browser.get("repositories/MyDemoRepo/raw?path=large.txt").status, 400);
}

#[test]
fn raw_content_cannot_run() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let png = "iVBORw0KGgoAAAANSUhEUg==";
    for (path, content, content_type, disposition) in [
        ("page.html", &encode("<script>alert(1)</script>"), "text/plain; charset=utf-8", "inline"),
        ("image.svg", &encode("<svg xmlns='http://www.w3.org/2000/svg'/>"), "text/plain; charset=utf-8", "inline"),
        ("latin.js", &"Y2Fm6Q==".to_owned(), "text/plain", "inline"),
        ("image.png", &png.to_owned(), "image/png", "inline"),
        ("bytes.html", &"AAECAw==".to_owned(), "application/octet-stream", "attachment"),
    ] {
        put(&world, path, content);
        let recorded = world.events().len();
        let reply = browser.get(&format!("repositories/MyDemoRepo/raw?path={path}"));
        assert_eq!(names_after(&world, recorded), ["GetFile"], "{path}");
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(reply.header("content-security-policy"), Some("sandbox; default-src 'none'"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        let sent = reply.header("content-disposition").expect("the file has a name");
        assert!(sent.starts_with(disposition) && sent.contains(&format!("filename=\"{path}\"")), "{path}: {sent}");
    }
    put(&world, "a\"; x=\u{fc}.txt", &encode("x"));
    let reply = browser.get("repositories/MyDemoRepo/raw?path=a%22%3B%20x%3D%C3%BC.txt");
    let expected = "inline; filename=\"a___x__.txt\"; filename*=UTF-8''a%22%3B%20x%3D%C3%BC.txt";
    assert_eq!(reply.header("content-disposition"), Some(expected));
    let page = browser.page("repositories/MyDemoRepo/code?path=image.png");
    assert!(page.contains("<img src=\"/_console/repositories/MyDemoRepo/raw?path=image.png\""), "{page}");
}

#[test]
fn a_file_is_edited_moved_and_deleted() {
    let world = World::new();
    two_commits(&world);
    put(&world, "windows.txt", &encode("a\r\nb\r\n"));
    let mut browser = Browser::signed_in(&world);
    let edit = "repositories/MyDemoRepo/edit?path=windows.txt";
    let recorded = world.events().len();
    let page = browser.page(edit);
    assert_eq!(names_after(&world, recorded), ["GetRepository", "GetBranch", "GetFile"]);
    assert!(page.contains(">\na\nb\n</textarea>") && page.contains("value=\"yes\" checked> Lines end"), "{page}");
    let parent = between(&page, "name=\"parent\" value=\"", "\"").to_owned();
    let fields = [
        ("parent", parent.as_str()),
        ("branch", "main"),
        ("original", "windows.txt"),
        ("path", "windows.txt"),
        ("content", "a\r\nc\r\n"),
        ("returns", "yes"),
        ("name", "Li Juan"),
        ("email", "li_juan@example.com"),
        ("message", "Edit"),
    ];
    let action = "repositories/MyDemoRepo/edit";
    let saved = browser.submit(edit, action, &fields);
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(content(&world, "windows.txt"), encode("a\r\nc\r\n"));
    let page = browser.page("repositories/MyDemoRepo/commits");
    assert!(page.contains("Li Juan") && page.contains("Edit"), "{page}");
    // The branch has moved on: the reader's text stays in the form, and can be saved on top.
    let changed = [&fields[..4], &[("content", "mine <b>\r\n")], &fields[6..]].concat();
    let refused = browser.submit(edit, action, &changed);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("ParentCommitIdOutdatedException") && text.contains("mine &#60;b&#62;"), "{text}");
    let again = [&changed[..], &[("newest", "yes")]].concat();
    assert_eq!(browser.submit(edit, action, &again).status, 303);
    assert_eq!(content(&world, "windows.txt"), encode("mine <b>\n"));
    // A new path moves the file.
    let parent = between(&browser.page(edit), "name=\"parent\" value=\"", "\"").to_owned();
    let moved = [
        ("parent", parent.as_str()),
        ("branch", "main"),
        ("original", "windows.txt"),
        ("path", "docs/moved.txt"),
        ("content", "x\r\n"),
    ];
    assert_eq!(browser.submit(edit, action, &moved).status, 303);
    assert_eq!(content(&world, "docs/moved.txt"), encode("x\n"));
    assert_eq!(browser.get("repositories/MyDemoRepo/code?path=windows.txt").status, 404);
    let delete = "repositories/MyDemoRepo/delete?path=docs%2Fmoved.txt";
    let page = browser.page(delete);
    let parent = between(&page, "name=\"parent\" value=\"", "\"").to_owned();
    let fields = [("parent", parent.as_str()), ("branch", "main"), ("original", "docs/moved.txt")];
    let deleted = browser.submit(delete, "repositories/MyDemoRepo/delete", &fields);
    assert_eq!(deleted.status, 303, "{}", deleted.text());
    assert_eq!(browser.get("repositories/MyDemoRepo/code?path=docs%2Fmoved.txt").status, 404);
    let names: Vec<_> = names_after(&world, recorded).into_iter().filter(|name| !name.starts_with("Get")).collect();
    assert_eq!(names, ["PutFile", "PutFile", "PutFile", "CreateCommit", "DeleteFile"]);
}

/// Sends a form with files.
fn upload(browser: &mut Browser<'_>, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Reply {
    let page = browser.page("repositories/MyDemoRepo/upload?path=docs");
    let token = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    let parent = between(&page, "name=\"parent\" value=\"", "\"").to_owned();
    let mut body = Vec::new();
    for (name, value) in [&[("csrf", token.as_str()), ("parent", &parent), ("branch", "main")], fields].concat() {
        body.extend(format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes());
    }
    for (name, content) in files {
        let head = format!("--X\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--X--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=X"), ("sec-fetch-site", "same-origin")];
    browser.send("POST", "repositories/MyDemoRepo/upload", &headers, &body)
}

#[test]
fn files_are_uploaded_in_one_commit() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let fields = [("folder", "docs"), ("name", "Mary Major"), ("message", "Two <files>")];
    let uploaded = upload(&mut browser, &fields, &[("a.bin", b"\0\x01\r\n--Y"), ("b.txt", b"")]);
    assert_eq!(uploaded.status, 303, "{}", uploaded.text());
    assert_eq!(content(&world, "docs/a.bin"), "AAENCi0tWQ==");
    assert_eq!(content(&world, "docs/b.txt"), "");
    let page = browser.page("repositories/MyDemoRepo/code?path=docs");
    assert!(page.contains("2 files were uploaded in commit"), "{page}");
    let refused = upload(&mut browser, &[("folder", "docs"), ("message", "kept & shown")], &[("../x", b"a")]);
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("Exception") && text.contains("kept &#38; shown"), "{text}");
    let none = upload(&mut browser, &[], &[("", b"")]);
    assert_eq!(none.status, 400, "{}", none.text());
}

#[test]
fn a_form_that_is_cut_or_comes_from_elsewhere_changes_nothing() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    for (site, body) in [
        ("same-origin", "--X\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n"),
        ("same-origin", "--X--\r\n"),
        ("cross-site", "--X--\r\n"),
    ] {
        let headers = [("content-type", "multipart/form-data; boundary=X"), ("sec-fetch-site", site)];
        let reply = browser.send("POST", "repositories/MyDemoRepo/upload", &headers, body.as_bytes());
        assert_eq!(reply.status, 403, "{site} {body}");
    }
    assert_eq!(world.events().len(), recorded);
}

#[test]
fn a_history_lists_commits_with_their_parents_and_a_graph() {
    let world = World::new();
    let [first, second] = two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/commits");
    assert_eq!(names_after(&world, recorded), ["GetReferences", "GetCommitHistory"]);
    for part in [
        &first[..8],
        &second[..8],
        "<svg class=\"graph\"",
        "aria-hidden=\"true\"",
        "Change &#60;lines&#62;",
        "<details><summary class=\"muted\">",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/commits?path=README.md");
    assert_eq!(names_after(&world, recorded), ["GetReferences", "ListFileCommitHistory"]);
    assert!(page.contains(&first[..8]) && !page.contains(&second), "{page}");
    let mut parent = second;
    for number in 0..40 {
        parent = commit(&world, Some(&parent), &format!("Number {number}"), &[("n", &number.to_string())]);
    }
    let page = browser.page("repositories/MyDemoRepo/commits");
    assert_eq!(page.matches("<svg class=\"graph\"").count(), 35);
    let (before, _) = page.split_once("\" rel=\"next\">Older commits").expect("there is a second page");
    let next = before.rsplit('"').next().expect("the link has an address").replace("&#38;", "&");
    let page = browser.page(&next);
    assert_eq!(page.matches("<svg class=\"graph\"").count(), 7);
    assert!(page.contains("Newest commits") && !page.contains("Older commits"), "{page}");
}

#[test]
fn a_large_file_is_shown_by_its_pointer_and_downloaded() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let content = b"The content of a large file.\n";
    put(&world, "large.bin", &encode(&pointer_to(content)));
    let page = browser.page("repositories/MyDemoRepo/code?path=large.bin");
    for part in ["Large file, 29 bytes", &id_of(content), "The content is not on the server."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("/edit?"), "{page}");
    assert_eq!(browser.get("repositories/MyDemoRepo/large?path=large.bin").status, 404);
    world.lfs_upload("MyDemoRepo", content);
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/code?path=large.bin");
    assert_eq!(names_after(&world, recorded), ["GetObjectIdentifier", "GetReferences", "GetBlob"]);
    assert!(page.contains("Download the file (29 bytes)") && page.contains("/large?path=large.bin"), "{page}");
    let recorded = world.events().len();
    let file = browser.get("repositories/MyDemoRepo/large?path=large.bin");
    assert_eq!((file.status, &file.body[..]), (200, &content[..]));
    assert_eq!(names_after(&world, recorded), ["GetFile"]);
    let header = |name| file.header(name).unwrap_or_default();
    assert_eq!([header("content-length"), header("content-type")], ["29", "application/octet-stream"]);
    assert!(header("content-disposition").starts_with("attachment; filename=\"large.bin\""));
    assert!(header("content-security-policy").starts_with("sandbox"));
    assert_eq!(browser.get("repositories/MyDemoRepo/large?path=src%2Flines.txt").status, 404);
}

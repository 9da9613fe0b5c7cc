//! Code: folders, the chooser, README files, and empty repositories.

use serde_json::json;
use tests::World;

use super::commits::{commit, two_commits};
use super::{Browser, escape, names_after};

#[test]
fn a_folder_has_its_entries_and_records() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/code");
    assert_eq!(names_after(&world, recorded), ["GetRepository", "GetReferences", "GetTree", "GetBlob"]);
    for part in [
        "<option value=\"refs/heads/main\" selected>main</option>",
        ">src</bdi>/</a>",
        ">new.txt</bdi></a>",
        "A demonstration.",
        "git clone codecommit::us-east-1://MyDemoRepo",
        "data-copy=\"http",
        "data-copy=\"ssh",
        "events?ResourceName=MyDemoRepo",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let folder = page.find(">src</bdi>").expect("the folder is listed");
    assert!(folder < page.find(">README.md</bdi></a></th>").expect("the file is listed"), "folders come first");
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/code?ref=main&path=src");
    assert_eq!(names_after(&world, recorded), ["GetObjectIdentifier", "GetRepository", "GetReferences", "GetTree"]);
    assert!(page.contains(">lines.txt</bdi>") && page.contains("aria-current=\"page\"><bdi>src</bdi>"), "{page}");
}

#[test]
fn an_empty_repository_says_how_to_push() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/code");
    assert_eq!(names_after(&world, recorded), ["GetRepository"]);
    assert!(page.contains("git push --set-upstream origin main") && page.contains("/create\""), "{page}");
    let fields = [("branch", "main"), ("path", "README.md"), ("content", "Hello.\r\n"), ("name", "Mary Major")];
    let created = browser.submit("repositories/MyDemoRepo/create", "repositories/MyDemoRepo/create", &fields);
    assert_eq!(created.status, 303, "{}", created.text());
    assert!(browser.page("repositories/MyDemoRepo/code").contains("Hello."));
}

#[test]
fn what_does_not_exist_is_said_in_the_words_of_aws() {
    let world = World::new();
    two_commits(&world);
    let mut browser = Browser::signed_in(&world);
    for (path, status, name) in [
        ("Absent/code", 404, "RepositoryDoesNotExistException"),
        ("MyDemoRepo/code?ref=absent", 404, "CommitDoesNotExistException"),
        ("MyDemoRepo/code?path=absent", 404, "PathDoesNotExistException"),
        ("MyDemoRepo/code?ref=a..b", 400, "InvalidCommitException"),
        ("MyDemoRepo/raw?path=absent", 404, "FileDoesNotExistException"),
        ("MyDemoRepo/edit?path=absent", 404, "FileDoesNotExistException"),
        ("MyDemoRepo/edit?ref=absent&path=README.md", 404, "BranchDoesNotExistException"),
        ("MyDemoRepo/commits?ref=absent", 404, "CommitDoesNotExistException"),
    ] {
        let reply = browser.get(&format!("repositories/{path}"));
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(reply.text().contains(name), "{path}: {}", reply.text());
    }
}

#[test]
fn a_readme_runs_no_code_and_links_to_files_of_the_commit() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let readme = "# Title\n\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) \
                  [b](JAVA&#10;SCRIPT:alert(1)) [c](guide.md) ![d](picture.png)\n";
    commit(&world, None, "Add", &[("docs/README.md", readme)]);
    let mut browser = Browser::signed_in(&world);
    let page = browser.page("repositories/MyDemoRepo/code?path=docs");
    assert!(page.contains("id=\"text-title\">Title</h3>"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x") && !page.contains("href=\"java"), "{page}");
    assert!(page.contains("/code?path=docs%2Fguide.md\">c</a>"), "{page}");
    assert!(page.contains("<img src=\"/_console/repositories/MyDemoRepo/raw?path=docs%2Fpicture.png\""), "{page}");
}

#[test]
fn hostile_names_of_branches_and_files_stay_text() {
    let world = World::new();
    let [_, second] = two_commits(&world);
    let branch = "<script>alert(1)</script>&\u{202e}\"'";
    world.ok("CreateBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": branch, "commitId": second }));
    let path = format!("<img src=x onerror=alert(1)>\u{202e}/{}/&\"'.txt", "x".repeat(200));
    commit(&world, Some(&second), "Add", &[(&path, "x\n")]);
    let mut browser = Browser::signed_in(&world);
    let folder = path.split('/').next().expect("a path has parts");
    for query in [
        String::new(),
        format!("?ref={}", escape(branch)),
        format!("?path={}", escape(folder)),
        format!("?path={}", escape(&path)),
    ] {
        let page = browser.page(&format!("repositories/MyDemoRepo/code{query}"));
        assert!(!page.contains("<script>") && !page.contains("<img src=x"), "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    }
}

#[test]
fn a_large_folder_is_in_pages_of_a_thousand() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    for number in 0..1_200 {
        let path = world.folder().join(format!("work/{number:04}"));
        std::fs::write(path, "one\n").expect("the folder is writable");
    }
    world.git_commit("work", "last", "x\n");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let mut browser = Browser::signed_in(&world);
    let page = browser.page("repositories/MyDemoRepo/code");
    assert!(page.contains(">0999</bdi>") && !page.contains(">1000</bdi>"), "a thousand entries");
    let (before, _) = page.split_once("\" rel=\"next\">More files").expect("there is a second page");
    let next = before.rsplit('"').next().expect("the link has an address").replace("&#38;", "&");
    let page = browser.page(&next);
    assert!(
        page.contains(">1000</bdi>") && page.contains(">README.md</bdi>") && !page.contains("More files"),
        "the rest"
    );
}

#[test]
fn links_executables_and_submodules_are_shown_as_such() {
    let world = World::new();
    let [first, second] = two_commits(&world);
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "work"]).ok();
    std::os::unix::fs::symlink("README.md", world.folder().join("work/link")).expect("the folder is writable");
    world.git("work", &["update-index", "--add", "--cacheinfo", &format!("160000,{first},module")]).ok();
    world.git("work", &["update-index", "--chmod=+x", "new.txt"]).ok();
    world.git("work", &["add", "link"]).ok();
    world.git("work", &["commit", "--quiet", "--message", "Kinds"]).ok();
    world.git("work", &["push", "--quiet", "origin", "main"]).ok();
    let mut browser = Browser::signed_in(&world);
    let page = browser.page("repositories/MyDemoRepo/code");
    for part in ["Symbolic link", "Submodule", "Executable", &first[..8]] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let recorded = world.events().len();
    let page = browser.page("repositories/MyDemoRepo/code?path=module");
    assert_eq!(names_after(&world, recorded), ["GetObjectIdentifier", "GetReferences"]);
    assert!(page.contains("Submodule at commit"), "{page}");
    assert!(browser.page("repositories/MyDemoRepo/code?path=link").contains("Symbolic link to <code><bdi>README.md"));
    assert!(browser.page("repositories/MyDemoRepo/code?path=new.txt").contains("Executable"));
    assert_ne!(first, second);
}

//! Seeds with faults: each is refused with the file, the reason and what to do, and leaves nothing.

use std::os::unix::fs::symlink;

use super::*;

/// Fails the test if a seed is not refused with a text, or leaves anything.
fn assert_refused(seed: &SeedFolder, expected: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let message = seed.refused(&data);
    assert!(message.contains(expected), "{message}");
    assert!(message.starts_with("cannot use the seed: '"), "{message}");
    let repositories = fs::read_dir(data.join("repositories"));
    let left: Vec<_> = repositories.into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().starts_with("removed-")), "{left:?}");
    let plain = Settings { listen: vec![([127, 0, 0, 1], 0).into()], data_dir: Some(data), ..Settings::default() };
    let world = World::with(|settings| *settings = plain);
    assert!(state(&world).is_empty());
}

#[test]
fn links_out_of_the_seed_are_refused() {
    let seed = SeedFolder::new();
    let work = seed.history();
    fs::create_dir_all(seed.path().join("repositories")).expect("the folder is writable");
    symlink(&work, seed.path().join("repositories/work")).expect("the folder is writable");
    assert_refused(&seed, "it leads out of the seed");

    let seed = SeedFolder::new();
    let bare = seed.add_bare(&seed.history(), "one.git");
    symlink("/etc/passwd", bare.join("refs/heads/x")).expect("the folder is writable");
    assert_refused(&seed, "is a symbolic link");
}

#[test]
fn incomplete_repositories_are_refused() {
    let seed = SeedFolder::new();
    let bare = seed.add_bare(&seed.history(), "one.git");
    let tree = git(&bare, &["rev-parse", "trunk^{tree}"]).ok();
    let objects = bare.join("objects");
    for pack in
        tests::files(&objects.join("pack")).iter().filter(|file| file.extension().is_some_and(|end| end == "pack"))
    {
        let moved = seed.0.path().join("moved.pack");
        fs::rename(pack, &moved).expect("the folder is writable");
        let input = fs::File::open(&moved).expect("the file was moved");
        let unpacked = Command::new("git").arg("-C").arg(&bare).args(["unpack-objects", "-q"]).stdin(input).status();
        assert!(unpacked.expect("git is installed").success());
    }
    for file in tests::files(&objects.join("pack")) {
        fs::remove_file(file).expect("the folder is writable");
    }
    fs::remove_file(objects.join(&tree[..2]).join(&tree[2..])).expect("the object is loose");
    assert_refused(&seed, &tree);

    let seed = SeedFolder::new();
    let work = seed.history();
    seed.add_bare(&work, "aaa.git");
    fs::create_dir_all(seed.path().join("repositories")).expect("the folder is writable");
    let bundle = seed.path().join("repositories/one.bundle");
    git(&work, &["bundle", "create", "--quiet", bundle.to_str().expect("UTF-8"), "--all"]).ok();
    let whole = fs::read(&bundle).expect("the bundle was written");
    fs::write(&bundle, &whole[..whole.len() - 30]).expect("the folder is writable");
    assert_refused(&seed, "one.bundle");

    git(&work, &["bundle", "create", "--quiet", bundle.to_str().expect("UTF-8"), "trunk~1..trunk"]).ok();
    assert_refused(&seed, "it needs commits that it does not have");
}

#[test]
fn hostile_files_are_refused() {
    let seed = SeedFolder::new();
    let file = seed.write("repositories/one/huge", "");
    fs::File::options().write(true).open(file).and_then(|file| file.set_len(1 << 40)).expect("the file can be sparse");
    assert_refused(&seed, "is larger than 2 GB");

    for (name, expected) in
        [("repositories/one/.GIT/config", "hasDotgit"), ("repositories/one/a/.git", "another Git repository")]
    {
        let seed = SeedFolder::new();
        seed.write(name, "text\n");
        assert_refused(&seed, expected);
    }

    let seed = SeedFolder::new();
    let bare = seed.add_bare(&seed.history(), "one.git");
    let trunk = git(&bare, &["rev-parse", "trunk"]).ok();
    for (name, content, expected) in [
        ("objects/info/alternates", "/tmp\n", "it borrows objects"),
        ("shallow", "", "it is a shallow clone"),
        ("refs/heads/bad", "text\n", "is no file of references"),
        ("refs/heads/a..b", &trunk, "reference refs/heads/a..b: funny refname"),
        ("HEAD", &"x".repeat(10_000), "is no file of references"),
    ] {
        let path = bare.join(name);
        let before = fs::read(&path).ok();
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder is writable");
        fs::write(&path, content).expect("the folder is writable");
        assert_refused(&seed, expected);
        match before {
            Some(before) => fs::write(&path, before).expect("the folder is writable"),
            None => fs::remove_file(&path).expect("the folder is writable"),
        }
    }
}

#[test]
fn faults_of_the_file_and_the_folder_name_their_place() {
    for (name, content, expected) in [
        ("repositories/notes.txt", "", "it is no repository"),
        ("repositories/bad name/file", "", "InvalidRepositoryNameException"),
        ("444455556666/nowhere/repositories/a/b", "", "it is no region"),
        (
            "seed.toml",
            "[[repository]]\nname = \"a\"\n\n[[repository]]\nname = \"a\"\n",
            "line 5: repository 'a' has another entry",
        ),
        ("seed.toml", "[[repository]]\nname = \"a b\"\n", "line 2: repository 'a b': InvalidRepositoryNameException"),
        (
            "seed.toml",
            "[[repository]]\nname = \"a\"\ndefault-branch = \"b\"\n",
            "line 3: the repository has no branches",
        ),
        ("seed.toml", "[defaults]\ncommit-author = \"Mary\"\n", "line 2: write a name and an address"),
    ] {
        let seed = SeedFolder::new();
        seed.write(name, content);
        assert_refused(&seed, expected);
    }
    let seed = SeedFolder::new();
    seed.add_bare(&seed.history(), "one.git");
    seed.write("repositories/one/file", "");
    assert_refused(&seed, "is the same repository; remove one of them");
    let message = SeedFolder::new().refused(&seed.0.path().join("data"));
    assert!(message.contains("check the path and its permissions"), "{message}");
}

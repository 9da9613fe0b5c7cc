//! Reading objects that Git has stored, and that other processes move.

use std::{fs, path::Path};

use git::{Kind, ObjectId, Offers, Repository};

use crate::bench::{Bench, Work, feed, objects, run};

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).expect("forty digits")
}

/// Creates a bare clone.
fn bare(bench: &Bench, name: &str, from: &Work, arguments: &[&str]) -> Work {
    let path = bench.path(name);
    let mut all = vec!["clone", "--quiet", "--bare"];
    all.extend_from_slice(arguments);
    all.extend_from_slice(&[from.path.to_str().expect("plain"), path.to_str().expect("plain")]);
    run(from.path.parent().expect("a folder"), &all);
    Work { path }
}

/// Checks that all objects of a repository are found, and that a missing one is not.
fn finds_all(repository: &Repository, work: &Work) {
    for hex in work.objects() {
        let found = repository.find(&id(&hex)).expect("readable");
        assert_eq!(found.expect("there").kind.to_string(), work.git(&["cat-file", "-t", &hex]), "{hex}");
    }
    assert_eq!(repository.kind(&id(&"1".repeat(40))).expect("readable"), None);
}

#[test]
fn additional_files_of_git_beside_packs_do_no_harm() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    let bare = bare(&bench, "bare", &work, &["--no-local"]);
    bare.git(&["-c", "pack.indexVersion=1", "repack", "-adfq"]);
    finds_all(&Repository::open(&bare.path).expect("a repository"), &work);
    let packs = bare.path.join("objects/pack");
    let mut pack = fs::read_dir(&packs).expect("a folder").map(|entry| entry.expect("readable").path());
    let pack = pack.find(|path| path.extension().is_some_and(|extension| extension == "pack")).expect("a pack");
    fs::write(pack.with_extension("keep"), "").expect("a writable folder");
    bare.git(&["-c", "repack.packKeptObjects=true", "repack", "-adbq", "--write-midx"]);
    bare.git(&["commit-graph", "write", "--reachable"]);
    bare.git(&["repack", "-dq", "--cruft"]);
    fs::write(packs.join("pack-x.promisor"), "").expect("a writable folder");
    finds_all(&Repository::open(&bare.path).expect("a repository"), &work);
}

#[test]
fn a_damaged_pack_does_not_affect_others() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    let first = work.commit("file", "one");
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let second = work.commit("file", "two");
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let repository = Repository::open(&bench.served()).expect("a repository");
    let packs = bench.served().join("objects/pack");
    let index_with = |id: &str| {
        let packs = fs::read_dir(&packs).expect("a folder").map(|entry| entry.expect("readable").path());
        let mut packs = packs.filter(|path| path.extension().is_some_and(|extension| extension == "idx"));
        let lists =
            |path: &Path| run(path.parent().expect("a folder"), &["verify-pack", "-v", path.to_str().expect("plain")]);
        packs.find(|path| lists(path).contains(&format!("{id} commit"))).expect("a pack")
    };
    let index = index_with(&first);
    let whole = fs::read(&index).expect("readable");
    fs::remove_file(&index).expect("a writable folder");
    assert!(repository.refresh().expect("readable"));
    assert_eq!(repository.kind(&id(&first)).expect("readable"), None);
    for damaged in [&whole[..whole.len() - 1], b"", &[whole.as_slice(), b"x"].concat()] {
        fs::write(&index, damaged).expect("a writable folder");
        assert_eq!(repository.kind(&id(&first)).expect("readable"), None);
        assert_eq!(repository.unusable_packs().len(), 1);
        assert_eq!(repository.kind(&id(&second)).expect("readable"), Some(Kind::Commit));
    }
    fs::write(&index, &whole).expect("a writable folder");
    assert_eq!(repository.kind(&id(&first)).expect("readable"), Some(Kind::Commit));
    assert!(repository.unusable_packs().is_empty());
}

#[test]
fn alternates_are_followed() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    let mut before: Option<Work> = None;
    for name in ["a", "b", "c"] {
        work.commit(name, name);
        let shared: &[&str] = if before.is_some() { &["--shared"] } else { &["--no-local"] };
        let next = bare(&bench, name, before.as_ref().unwrap_or(&work), shared);
        next.git(&["fetch", "--quiet", work.path.to_str().expect("plain"), "+refs/heads/*:refs/heads/*"]);
        before = Some(next);
    }
    let last = before.expect("three repositories");
    let repository = Repository::open(&last.path).expect("a repository");
    finds_all(&repository, &work);
    // A cycle, by a relative path, and a missing folder.
    fs::write(bench.path("a/objects/info/alternates"), "../../c/objects\n../../none\n").expect("a writable folder");
    finds_all(&Repository::open(&last.path).expect("a repository"), &work);
    fs::remove_file(bench.path("c/objects/info/alternates")).expect("a file");
    repository.refresh().expect("readable");
    let root = work.git(&["rev-list", "--max-parents=0", "HEAD"]);
    assert_eq!(repository.kind(&id(&root)).expect("readable"), None);
    fs::write(bench.path("c/objects/info/alternates"), "../../b/objects\n").expect("a writable folder");
    assert_eq!(repository.kind(&id(&root)).expect("readable"), Some(Kind::Commit));
}

/// Makes all packed objects loose.
fn unpack(bare: &Work) {
    let packs = fs::read_dir(bare.path.join("objects/pack")).expect("a folder");
    for path in packs.map(|entry| entry.expect("readable").path()) {
        let bytes = fs::read(&path).expect("readable");
        fs::remove_file(&path).expect("a writable folder");
        if path.extension().is_some_and(|extension| extension == "pack") {
            feed(&bare.path, &["unpack-objects", "-q"], &bytes);
        }
    }
}

#[test]
fn changes_by_other_processes_are_noticed() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    let bare = bare(&bench, "root/plain.git", &work, &["--no-local"]);
    let repository = Repository::open(&bare.path).expect("a repository");
    let url = bench.url().replace("r.git", "plain.git");
    let commands: [&[&[&str]]; 6] = [
        &[&["repack", "-adfq"]],
        &[&["repack", "-adq", "--cruft"], &["prune-packed"]],
        &[&["gc", "--quiet", "--prune=now"]],
        &[&["unpack-all"]],
        &[&["pack-refs", "--all"], &["gc", "--quiet", "--aggressive"]],
        &[&["repack", "-q"], &["prune", "--expire=now"], &["multi-pack-index", "write"]],
    ];
    for (round, commands) in commands.iter().enumerate() {
        finds_all(&repository, &work);
        let tip = work.commit("file", &format!("round {round}"));
        work.git(&["push", "--quiet", bare.path.to_str().expect("plain"), "HEAD:refs/heads/main"]);
        for command in *commands {
            if command[0] == "unpack-all" { unpack(&bare) } else { drop(bare.git(command)) }
        }
        assert_eq!(repository.kind(&id(&tip)).expect("readable"), Some(Kind::Commit));
        let clone = bench.path(&format!("clone{round}"));
        run(&work.path, &["clone", "--quiet", "--bare", &url, clone.to_str().expect("plain")]);
        assert_eq!(objects(&clone, &["main"]), objects(&work.path, &["main"]));
    }
}

#[test]
fn the_empty_tree_needs_no_file() {
    for offers in [Offers::AWS, Offers::FULL] {
        let bench = Bench::new(offers);
        let served = Work { path: bench.served() };
        // Computes the id only; no object is written.
        let tree = served.git(&["hash-object", "-t", "tree", "/dev/null"]);
        let tip = served.git(&["commit-tree", "-m", "no files", &tree]);
        served.git(&["update-ref", "refs/heads/main", &tip]);
        assert!(served.git(&["count-objects"]).starts_with("1 objects"));
        let repository = Repository::open(&served.path).expect("a repository");
        assert_eq!(repository.kind(&id(&tree)).expect("readable"), Some(Kind::Tree));
        let found = repository.find(&id(&tree)).expect("readable").expect("there");
        assert_eq!((found.kind, found.data), (Kind::Tree, Vec::new()));

        let sent = |work: &Work| {
            work.git(&["fsck", "--full", "--strict"]);
            assert_eq!(work.git(&["count-objects", "-v"]).lines().nth(2), Some("in-pack: 2"));
        };
        let clone = bench.clone("clone", &["--bare"]);
        sent(&clone);
        sent(&bench.clone("shallow", &["--bare", "--depth=1"]));
        let work = bench.clone("work", &[]);
        work.commit("file", "content");
        work.git(&["rm", "--quiet", "file"]);
        work.git(&["commit", "--quiet", "--message", "no files again"]);
        work.git(&["push", "--quiet", bench.url(), "main"]);
        clone.git(&["fetch", "--quiet", bench.url(), "main:main"]);
        assert_eq!(clone.objects(), work.objects());
        clone.git(&["fsck", "--full", "--strict"]);
    }
}

#[test]
fn the_index_of_a_pack_is_restored_if_it_is_missing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let add = |text: &str| {
        let repository = Repository::open_or_create(folder.path()).expect("a repository");
        let blob = git::Object { kind: Kind::Blob, data: text.as_bytes().to_vec() };
        repository.add(&[blob], &repository.use_objects(), false).expect("a fully connected set")[0]
    };
    let ids = ["one", "two"].map(add);
    let packs = folder.path().join("objects/pack");
    let files = |extension: &str| {
        let entries = fs::read_dir(&packs).expect("a folder").map(|entry| entry.expect("readable").path());
        entries.filter(|path| path.extension().is_some_and(|known| known == extension)).collect::<Vec<_>>()
    };
    for index in files("idx") {
        fs::remove_file(index).expect("a writable folder");
    }
    let repository = Repository::open_or_create(folder.path()).expect("a repository");
    assert_eq!(repository.reindexed_packs().len(), 2);
    assert_eq!(repository.unusable_packs(), []);
    assert!(ids.iter().all(|id| repository.kind(id).expect("readable").is_some()));
    drop(repository);
    run(folder.path(), &["fsck", "--full"]);

    // A damaged pack stays as it is, and is reported.
    let damaged = files("pack").remove(0);
    fs::remove_file(damaged.with_extension("idx")).expect("a writable folder");
    let mut permissions = fs::metadata(&damaged).expect("the pack exists").permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the file belongs to the test")]
    permissions.set_readonly(false);
    fs::set_permissions(&damaged, permissions).expect("a writable folder");
    fs::write(&damaged, b"PACK").expect("a writable file");
    let repository = Repository::open_or_create(folder.path()).expect("a repository");
    let unusable = repository.unusable_packs();
    assert_eq!(unusable.len(), 1);
    assert_eq!(unusable[0].0, fs::canonicalize(&damaged).expect("the pack exists").with_extension("idx"));
    assert!(damaged.exists());
    assert_eq!(ids.iter().filter(|id| repository.kind(id).expect("readable").is_some()).count(), 1);
}

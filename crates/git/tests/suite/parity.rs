//! Configuration of repositories, compared with Git's own server.
//!
//! The same commands are run against two copies of one folder, one served by the example and one by `git http-backend`.
//! Their output, exit status and effects must be the same.

mod pair;

use crate::bench::{feed, run, try_git};
use pair::ServerPair;

#[test]
fn services_are_switched_on_and_off() {
    let pair = ServerPair::new(&["http.uploadpack=false"]);
    assert!(pair.same(&["fetch", "URL"]).contains("403"));
    pair.same(&["push", "--porcelain", "URL", "HEAD:main"]);
    let pair = ServerPair::new(&["http.receivepack=off"]);
    assert!(pair.same(&["push", "URL", "HEAD:main"]).contains("403"));
    assert!(pair.same(&["-c", "http.extraHeader=X-T-User: me", "push", "URL", "HEAD:main"]).contains("403"));
    pair.same(&["ls-remote", "URL"]);
    pair.served(&["config", "--unset-all", "http.receivepack"]);
    assert!(pair.same(&["push", "URL", "HEAD:main"]).contains("403"));
    let pushed = pair.same(&["-c", "http.extraHeader=X-T-User: me", "push", "--porcelain", "URL", "HEAD:main"]);
    assert!(pushed.contains("Done"), "{pushed}");
    pair.check();
}

#[test]
fn references_are_hidden() {
    for settings in [
        &["transfer.hideRefs=refs/hidden"][..],
        &["uploadpack.hideRefs=refs/hidden", "uploadpack.hideRefs=refs/heads/side"],
        &["receive.hideRefs=refs/heads/side"],
        &["transfer.hideRefs=refs/heads", "transfer.hideRefs=!refs/heads/main", "receive.hideRefs=!refs/heads/side"],
        &["transfer.hideRefs=!refs/heads/side", "transfer.hideRefs=refs/heads/side"],
        &["transfer.hideRefs=^refs/tags/"],
        &["transfer.hideRefs=HEAD"],
    ] {
        let pair = ServerPair::new(settings);
        for version in ["0", "1"] {
            pair.same(&["-c", &format!("protocol.version={version}"), "ls-remote", "URL"]);
        }
        pair.same(&["push", "--porcelain", "URL", "HEAD:refs/heads/side"]);
        pair.same(&["push", "--porcelain", "URL", ":refs/heads/side"]);
        pair.same(&["push", "--porcelain", "URL", "HEAD:refs/heads/new"]);
        pair.check();
    }
}

#[test]
fn hidden_tips_are_sent_if_the_configuration_allows_it() {
    for settings in [
        &["transfer.hideRefs=refs/hidden", "uploadpack.allowTipSHA1InWant=true"][..],
        &["uploadpack.allowReachableSHA1InWant=true"],
        &["uploadpack.allowAnySHA1InWant=true"],
        &[],
    ] {
        let pair = ServerPair::new(settings);
        let id = pair.served(&["rev-parse", "refs/hidden/old"]).lines().nth(1).expect("an id").to_owned();
        pair.same(&["init", "--quiet", "new"]);
        pair.same_in("work/new", &["-c", "protocol.version=0", "fetch", "URL", &id]);
    }
}

#[test]
fn pushes_are_denied() {
    let pair = ServerPair::new(&["receive.denyDeletes=true"]);
    pair.same(&["push", "--porcelain", "URL", ":side", ":refs/tags/v1", "HEAD:main"]);
    pair.check();
    let pair = ServerPair::new(&["receive.denyNonFastForwards=true"]);
    pair.same(&[
        "push",
        "--porcelain",
        "--force",
        "URL",
        "HEAD~3:main",
        "HEAD~3:side",
        "HEAD:refs/tags/v1",
        "HEAD:new",
    ]);
    pair.same(&["push", "--porcelain", "URL", "HEAD:main"]);
    pair.check();
    for value in ["refuse", "ignore", "warn", "true", "false"] {
        let pair = ServerPair::new(&[&format!("receive.denyDeleteCurrent={value}")]);
        pair.same(&["push", "--porcelain", "URL", ":main"]);
        pair.check();
    }
    let pair = ServerPair::new(&[]);
    pair.same(&["push", "--porcelain", "URL", ":main", ":side"]);
    pair.check();
}

#[test]
fn the_checked_out_branch_is_guarded() {
    for value in ["refuse", "ignore", "warn", "true", "no"] {
        let pair = ServerPair::new(&["core.bare=false", &format!("receive.denyCurrentBranch={value}")]);
        pair.same(&["push", "--porcelain", "URL", "HEAD:main", "HEAD:side"]);
        pair.served(&["for-each-ref"]);
    }
    let pair = ServerPair::new(&["core.bare=false"]);
    pair.same(&["push", "--porcelain", "URL", "HEAD:main", "HEAD:side"]);
    pair.served(&["for-each-ref"]);
}

#[test]
fn version_2_offers_the_configured_features() {
    for settings in [
        &["uploadpack.allowFilter=true"][..],
        &["uploadpack.allowRefInWant=true"],
        &["uploadpack.allowSidebandAll=true"],
        &["lsrefs.unborn=ignore"],
        &["lsrefs.unborn=advertise"],
        &["transfer.hideRefs=refs/heads/side", "transfer.advertiseObjectInfo=true"],
        &["transfer.advertiseSID=true"],
    ] {
        let pair = ServerPair::new(settings);
        pair.same(&["ls-remote", "--symref", "URL", "refs/heads/*"]);
        pair.same(&["clone", "--quiet", "--bare", "--filter=blob:none", "URL", "partial"]);
        pair.same_in("work/partial", &["rev-list", "--objects", "--all", "--missing=print"]);
        // Git's server and Git's client disagree about the order of sections when references are wanted by name.
        if settings != ["uploadpack.allowRefInWant=true"] {
            pair.same(&["clone", "--quiet", "--bare", "--depth=2", "URL", "shallow"]);
            pair.same_in("work/shallow", &["rev-list", "--objects", "--all"]);
        }
        pair.served(&["symbolic-ref", "HEAD", "refs/heads/unborn"]);
        pair.same(&["clone", "--quiet", "URL", "empty"]);
        pair.same_in("work/empty", &["symbolic-ref", "HEAD"]);
    }
}

#[test]
fn invalid_configurations_are_fatal() {
    for setting in ["http.receivepack=maybe", "http.getanyfile=2x", "core.repositoryFormatVersion=9"] {
        let pair = ServerPair::new(&[setting]);
        for side in 0..2 {
            let url = format!("{}/r.git", pair.urls[side]);
            let output = try_git(&pair.path(side, "work"), &["ls-remote", &url], b"");
            assert!(String::from_utf8_lossy(&output.stderr).contains("error: 500"), "{setting} on side {side}");
        }
    }
    let pair = ServerPair::new(&["uploadpack.allowFilter=maybe"]);
    let output = try_git(&pair.path(0, "work"), &["ls-remote", &format!("{}/r.git", pair.urls[0])], b"");
    assert!(!output.status.success());
}

#[test]
fn capabilities_of_pushes_are_switched_on_and_off() {
    for settings in [
        &["receive.advertiseAtomic=false"][..],
        &["receive.advertisePushOptions=true"],
        &["receive.maxInputSize=1m"],
        &["transfer.advertiseSID=true"],
    ] {
        let pair = ServerPair::new(settings);
        pair.same(&["push", "--porcelain", "--atomic", "URL", "HEAD:main", "HEAD:new"]);
        pair.same(&["push", "--porcelain", "--push-option", "x", "URL", "HEAD:other"]);
        pair.check();
    }
}

#[test]
fn objects_are_checked_if_that_is_configured() {
    for (settings, is_accepted) in [
        (&[][..], true),
        (&["receive.fsckObjects=true"], false),
        (&["transfer.fsckObjects=true"], false),
        (&["transfer.fsckObjects=true", "receive.fsckObjects=false"], true),
        (&["receive.fsckObjects=true", "receive.fsck.missingEmail=ignore"], true),
    ] {
        let pair = ServerPair::new(settings);
        for side in 0..2 {
            let tree = run(&pair.path(side, "work"), &["rev-parse", "HEAD^{tree}"]);
            let commit = format!("tree {tree}\nauthor A 1 +0000\ncommitter A 1 +0000\n\nx\n");
            let arguments = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
            let id = feed(&pair.path(side, "work"), &arguments, commit.as_bytes());
            let id = String::from_utf8_lossy(&id).trim().to_owned();
            run(&pair.path(side, "work"), &["update-ref", "refs/heads/odd", &id]);
            // Git's messages about the object are longer, so only the success is compared.
            let url = format!("{}/r.git", pair.urls[side]);
            let pushed = try_git(&pair.path(side, "work"), &["push", &url, "odd"], b"");
            assert_eq!(pushed.status.success(), is_accepted, "{settings:?} on side {side}");
        }
        pair.served(&["for-each-ref"]);
    }
}

#[test]
fn filters_are_allowed_one_by_one() {
    let pair = ServerPair::new(&["uploadpack.allowFilter=true", "uploadpackfilter.allow=false"]);
    let settings = [
        "",
        "uploadpackfilter.tree.maxDepth=2",
        "uploadpackfilter.blob:none.allow=true",
        "uploadpackfilter.combine.allow=true",
    ];
    for (round, setting) in settings.into_iter().enumerate() {
        if let Some((key, value)) = setting.split_once('=') {
            pair.served(&["config", key, value]);
        }
        for (number, filter) in ["blob:none", "tree:2", "tree:3", "combine:tree:2+blob:none"].into_iter().enumerate() {
            let (filter, name) = (format!("--filter={filter}"), format!("filtered{round}{number}"));
            pair.same(&["-c", "protocol.version=2", "clone", "--quiet", "--bare", &filter, "URL", &name]);
        }
    }
}

#[test]
fn conflicting_reference_names_are_refused_as_by_git() {
    let pair = ServerPair::new(&[]);
    for round in 0..2 {
        pair.same(&["push", "--porcelain", "URL", "HEAD:refs/heads/side/below"]);
        pair.same(&["push", "--porcelain", "URL", "HEAD:refs/hidden", "HEAD:refs/heads/hidden"]);
        pair.same(&["push", "--porcelain", "--atomic", "URL", "HEAD:refs/heads/side/below", "HEAD:refs/heads/new"]);
        pair.same(&["push", "--porcelain", "--atomic", "URL", "HEAD:refs/heads/n", "HEAD:refs/heads/n/m"]);
        let names = [format!("HEAD:refs/heads/a{round}"), format!("HEAD:refs/heads/a{round}/b")];
        pair.same(&["push", "--porcelain", "URL", &names[0], &names[1]]);
        pair.same(&["push", "--porcelain", "URL", ":refs/heads/side/gone"]);
        pair.check();
        pair.served(&["pack-refs", "--all"]);
    }
    pair.same(&["push", "--porcelain", "URL", ":refs/heads/side", "HEAD:refs/heads/hidden2"]);
    pair.same(&["push", "--porcelain", "URL", "HEAD:refs/heads/side/below"]);
    pair.check();
}

#[test]
fn locks_of_other_processes_are_respected() {
    let pair = ServerPair::new(&[]);
    for (lock, target) in [("refs/heads/main.lock", "HEAD:main"), ("packed-refs.lock", ":side")] {
        for side in 0..2 {
            std::fs::write(pair.path(side, "root/r.git").join(lock), "").expect("a writable folder");
        }
        assert!(pair.same(&["push", "--porcelain", "URL", target]).contains("failed to update ref"));
        for side in 0..2 {
            std::fs::remove_file(pair.path(side, "root/r.git").join(lock)).expect("the lock exists");
        }
        pair.same(&["push", "--porcelain", "URL", target]);
        pair.check();
    }
}

#[test]
fn updates_of_symbolic_references_change_their_targets() {
    let pair = ServerPair::new(&[]);
    pair.served(&["symbolic-ref", "refs/heads/alias", "refs/heads/side"]);
    pair.served(&["symbolic-ref", "refs/heads/dangling", "refs/heads/gone"]);
    pair.same(&["ls-remote", "--symref", "URL"]);
    pair.same(&["push", "--porcelain", "URL", "HEAD:refs/heads/alias"]);
    pair.same(&["push", "--porcelain", "--force", "URL", "HEAD~2:refs/heads/alias", "HEAD~2:refs/heads/side"]);
    pair.same(&["push", "--porcelain", "--force", "URL", "HEAD~1:refs/heads/alias", "HEAD:refs/heads/side"]);
    pair.same(&["push", "--porcelain", "URL", "HEAD:refs/heads/dangling"]);
    pair.check();
    pair.same(&["push", "--porcelain", "URL", ":refs/heads/alias"]);
    pair.served(&["for-each-ref"]);
}

#[test]
fn broken_references_are_left_out() {
    let pair = ServerPair::new(&[]);
    let heads = pair.path(0, "root/r.git/refs/heads");
    std::fs::write(heads.join("garbage"), "nonsense\n").expect("a writable folder");
    std::fs::write(heads.join("missing"), "1".repeat(40)).expect("a writable folder");
    std::fs::write(heads.join("bad..name"), "1".repeat(40)).expect("a writable folder");
    std::fs::create_dir(heads.join("empty")).expect("a writable folder");
    for version in ["0", "2"] {
        // Git's own server lists them with ids of missing objects, and then no client can clone.
        let (setting, url) = (format!("protocol.version={version}"), format!("{}/r.git", pair.urls[0]));
        let work = pair.path(0, "work");
        run(&work, &["-c", &setting, "clone", "--quiet", &url, version]);
        let names = run(&work.join(version), &["for-each-ref", "--format=%(refname)", "refs/remotes/origin"]);
        assert_eq!(names, "refs/remotes/origin/HEAD\nrefs/remotes/origin/main\nrefs/remotes/origin/side");
    }
}

#[test]
fn updates_are_logged_if_reflogs_are_enabled() {
    for settings in [&["core.logAllRefUpdates=true"][..], &["core.logAllRefUpdates=always"], &[]] {
        let pair = ServerPair::new(settings);
        pair.same(&["push", "--porcelain", "URL", "HEAD:main", "HEAD:new", "HEAD:refs/tags/t"]);
        pair.same(&["push", "--porcelain", "--force", "URL", "HEAD~1:main"]);
        for name in ["HEAD", "refs/heads/main", "refs/heads/new", "refs/tags/t"] {
            pair.served(&["reflog", "show", "--format=%gd %H %gs %gn %ge", name]);
        }
        pair.same(&["push", "--porcelain", "URL", ":new"]);
        let [ours, theirs] = [0, 1].map(|side| pair.path(side, "root/r.git/logs/refs/heads/new").exists());
        assert_eq!(ours, theirs);
    }
}

//! Pushes.

use super::{Pipes, VERSIONS, disconnect, diverge, gits, model};
use crate::{
    bench::{leftovers, run, try_git_with},
    craft,
};

#[test]
fn pushes_update_references_as_with_git() {
    let (_folder, served) = model();
    for path in gits() {
        for version in VERSIONS {
            let pipes = Pipes::new(&served, path, version);
            pipes.succeeds("", &["clone", "--quiet", "URL", "clone"]);
            let [ours, gits] = [0, 1].map(|side| pipes.place(side, "clone"));
            ours.git(&["commit", "--quiet", "--allow-empty", "--message", "a commit"]);
            ours.git(&["tag", "--annotate", "--message", "t", "v9"]);
            gits.git(&["pull", "--quiet", "--ff-only", "--tags", ours.path.to_str().expect("a plain path"), "main"]);
            let before = leftovers(&pipes.served(0));
            pipes.succeeds("clone", &["push", "--porcelain", "origin", "HEAD:main", "v9"]);
            pipes.succeeds("clone", &["push", "--porcelain", "origin", "HEAD~3:refs/heads/new", ":refs/tags/light"]);
            pipes.succeeds("clone", &["push", "--porcelain", "origin", "HEAD:main"]);
            pipes.succeeds("clone", &["push", "--porcelain", "--force", "origin", "HEAD~2:main"]);
            pipes.check("r.git");
            assert_eq!(leftovers(&pipes.served(0)), before);
        }
    }
}

#[test]
fn rejected_references_stay_as_they_are() {
    let (_folder, served) = model();
    for path in gits() {
        let pipes = Pipes::new(&served, path, "0");
        pipes.configure("receive.denyNonFastForwards", "true");
        pipes.configure("receive.denyDeletes", "true");
        pipes.succeeds("", &["clone", "--quiet", "URL", "clone"]);
        for atomic in ["--no-atomic", "--atomic"] {
            let arguments = ["push", "--porcelain", "--force", atomic, "origin", "HEAD~3:main", ":side3", "HEAD:new"];
            let outcome = pipes.same("clone", &arguments);
            assert!(outcome.contains("[remote rejected]"), "{outcome}");
            pipes.check("r.git");
        }
    }
}

#[test]
fn a_push_of_nothing_is_no_error() {
    let (_folder, served) = model();
    let pipes = Pipes::new(&served, None, "0");
    pipes.succeeds("", &["clone", "--quiet", "URL", "clone"]);
    let outcome = pipes.succeeds("clone", &["push", "origin", "HEAD:main"]);
    assert!(outcome.contains("Everything up-to-date"), "{outcome}");
}

#[test]
fn a_push_that_ends_early_leaves_nothing() {
    let (_folder, served) = model();
    let pipes = Pipes::new(&served, None, "0");
    let before = leftovers(&pipes.served(0));
    let old = run(&served, &["rev-parse", "main~3"]);
    let mut request = craft::lines(&[format!("{} {old} refs/heads/x\0report-status", craft::null()), String::new()]);
    request.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\x01\x9a");
    for end in 0..=request.len() {
        disconnect("receive-pack", &pipes.served(0), "version=0", &request[..end]);
    }
    assert_eq!(leftovers(&pipes.served(0)), before);
    pipes.check("r.git");
}

#[test]
fn the_offers_of_aws_are_enough_for_every_client() {
    let (_folder, served) = model();
    for path in gits() {
        for version in VERSIONS {
            let pipes = Pipes::new(&served, path, version);
            let url = format!("{} aws", pipes.url(0));
            let place = pipes.place(0, "");
            let git = |arguments: &[&str]| {
                let version = format!("protocol.version={version}");
                let mut all = vec!["-c", "protocol.ext.allow=always", "-c", &version];
                all.extend_from_slice(arguments);
                let mut variables = vec![("GIT_PROTOCOL", "version=2")];
                variables.extend(path.map(|path| ("PATH", path)));
                let output = try_git_with(&place.path, &all, b"", &variables);
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "git {arguments:?}: {complaint}");
            };
            git(&["clone", "--quiet", &url, "clone"]);
            git(&["clone", "--quiet", "--depth=2", &url, "shallow"]);
            git(&["-C", "shallow", "fetch", "--quiet", "--unshallow"]);
            diverge(&place.path.join("clone"), 300);
            git(&["-C", "clone", "push", "--quiet", "origin", "own0:main", "--force", "own1:other"]);
            git(&["-C", "shallow", "fetch", "--quiet", "origin"]);
            for clone in ["clone", "shallow"] {
                run(&place.path.join(clone), &["fsck", "--connectivity-only"]);
            }
        }
    }
}

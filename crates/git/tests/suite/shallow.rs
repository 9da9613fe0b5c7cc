//! Clones of limited depth.

use git::Offers;

use crate::bench::{Bench, Work, objects};

fn shallow_commits(work: &Work) -> Vec<String> {
    let text = std::fs::read_to_string(work.path.join(".git/shallow")).unwrap_or_default();
    let mut all: Vec<_> = text.lines().map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn a_shallow_clone_is_deepened_step_by_step() {
    for offers in [Offers::AWS, Offers::FULL] {
        let bench = Bench::new(offers);
        let work = bench.work("work");
        work.fill();
        work.git(&["push", "--quiet", bench.url(), "--all"]);
        work.git(&["push", "--quiet", bench.url(), "--tags"]);
        let clone = bench.clone("clone", &["--no-tags", "--depth", "1"]);
        // The same steps with a clone from git itself. Without tags: a client that finds new tags requests only these, and
        // does not deepen its branches.
        let peer = bench.path("peer");
        let served = format!("file://{}", bench.served().display());
        bench.work("any").git(&[
            "clone",
            "--quiet",
            "--no-tags",
            "--depth",
            "1",
            &served,
            peer.to_str().expect("a plain path"),
        ]);
        let peer = Work { path: peer };
        assert_eq!(shallow_commits(&clone), shallow_commits(&peer));
        for depth in ["2", "5", "4", "9"] {
            for work in [&clone, &peer] {
                work.git(&["fetch", "--quiet", "--no-tags", "--depth", depth]);
                work.git(&["fsck", "--full"]);
            }
            assert_eq!(shallow_commits(&clone), shallow_commits(&peer), "{depth}");
            assert_eq!(clone.objects(), peer.objects(), "{depth}");
        }
        clone.git(&["fetch", "--quiet", "--no-tags", "--unshallow"]);
        clone.git(&["fsck", "--full", "--strict"]);
        assert_eq!(shallow_commits(&clone), Vec::<String>::new());
        assert_eq!(objects(&clone.path, &["origin/main"]), objects(&work.path, &["main"]));
    }
}

#[test]
fn shallow_clones_pull_and_push() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main~5:refs/heads/main"]);
    let clone = bench.clone("clone", &["--depth", "2"]);
    work.git(&["push", "--quiet", bench.url(), "main"]);
    clone.git(&["pull", "--quiet", "--ff-only"]);
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    clone.git(&["fsck", "--full"]);
    let tip = clone.commit("from the shallow", "content\n");
    clone.git(&["push", "--quiet", "origin", "main"]);
    assert_eq!(work.git(&["ls-remote", bench.url(), "refs/heads/main"]), format!("{tip}\trefs/heads/main"));
    bench.check();
}

#[test]
fn a_push_from_a_shallow_clone_to_an_empty_repository_is_refused() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    let shallow = bench.path("shallow");
    let source = format!("file://{}", work.path.display());
    work.git(&["clone", "--quiet", "--depth", "1", &source, shallow.to_str().expect("a plain path")]);
    let complaint = Work { path: shallow }.refused(&["push", bench.url(), "HEAD:refs/heads/main"]);
    assert!(complaint.contains("shallow update not allowed"), "{complaint}");
    bench.check();
}

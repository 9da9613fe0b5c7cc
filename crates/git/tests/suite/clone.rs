//! Clones contain everything that was pushed.

use git::{Offers, Options, Repository};

use crate::{
    bench::{Bench, feed, objects, run},
    craft,
};

#[test]
fn a_clone_has_everything_that_was_pushed() {
    for offers in [Offers::AWS, Offers::FULL] {
        let bench = Bench::new(offers);
        let work = bench.work("work");
        work.fill();
        work.git(&["push", "--quiet", bench.url(), "--all"]);
        work.git(&["push", "--quiet", bench.url(), "--tags"]);
        bench.check();
        let clone = bench.clone("clone", &["--mirror"]);
        assert_eq!(clone.objects(), work.objects());
        let references = ["for-each-ref", "--format=%(refname) %(objectname)"];
        assert_eq!(clone.git(&references), work.git(&references));
        clone.git(&["fsck", "--full", "--strict"]);
        assert_eq!(bench.clone("files", &[]).git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn an_empty_repository_can_be_cloned() {
    let bench = Bench::new(Offers::AWS);
    let clone = bench.clone("clone", &[]);
    assert_eq!(clone.git(&["for-each-ref"]), "");
    clone.commit("file", "content");
    clone.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    assert_eq!(bench.clone("again", &[]).objects(), clone.objects());
}

#[test]
fn a_deleted_default_branch_is_not_advertised() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.commit("file", "content");
    work.git(&["push", "--quiet", bench.url(), "main", "main:other"]);
    assert!(work.git(&["ls-remote", "--symref", bench.url()]).contains("ref: refs/heads/main\tHEAD"));
    work.git(&["push", "--quiet", bench.url(), ":main"]);
    assert!(!work.git(&["ls-remote", bench.url()]).contains("HEAD"));
}

#[test]
fn a_clone_of_one_branch_has_no_objects_of_others() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "--all"]);
    work.git(&["push", "--quiet", bench.url(), "--tags"]);
    let clone = bench.clone("clone", &["--bare", "--single-branch", "--no-tags", "--branch", "side3"]);
    let got = run(&clone.path, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    assert_eq!(got.lines().collect::<Vec<_>>(), objects(&work.path, &["side3"]));
}

#[test]
fn packs_are_sound_for_all_capabilities_of_clients() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main~9:refs/heads/main"]);
    work.git(&["push", "--quiet", bench.url(), "main~4:main"]);
    work.git(&["push", "--quiet", bench.url(), "main"]);
    work.git(&["push", "--quiet", bench.url(), "--all"]);
    let tip = work.git(&["rev-parse", "main"]);
    let repository = Repository::open(&bench.served()).expect("the repository");
    for capabilities in ["", "ofs-delta", "multi_ack", "thin-pack ofs-delta"] {
        for offers in [Offers::AWS, Offers::FULL] {
            let options = Options { offers, ..Options::default() };
            let request = craft::lines(&[format!("want {tip} {capabilities}\n"), String::new(), "done\n".into()]);
            let answer = craft::fetch(&repository, &[&tip], &request, &options).expect("a pack");
            let pack = answer.strip_prefix(b"0008NAK\n").expect("a line NAK first");
            let empty = bench.work(&format!("{capabilities}{}", offers.modern));
            feed(&empty.path, &["index-pack", "--stdin", "--strict"], pack);
            empty.git(&["update-ref", "refs/heads/x", &tip]);
            assert_eq!(empty.objects(), objects(&work.path, &["main"]));
        }
    }
}

#[test]
fn small_side_bands_are_served() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    let tip = work.commit("file", &"content\n".repeat(5000));
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let repository = Repository::open(&bench.served()).expect("the repository");
    let request = craft::lines(&[format!("want {tip} side-band\n"), String::new(), "done\n".into()]);
    let answer = craft::fetch(&repository, &[&tip], &request, &Options::default()).expect("a pack");
    assert!(answer.starts_with(b"0008NAK\n0020\x02Counting objects: 3, done.\n"));
    assert!(answer.ends_with(b"0000"));
}

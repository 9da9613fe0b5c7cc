//! Pushes update references, or are refused with a reason.

use std::io::Write;

use git::{Offers, Options, Repository};

use crate::{
    bench::{Bench, feed, objects},
    craft,
};

#[test]
fn references_are_created_updated_and_deleted() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main", "light", "v1"]);
    work.git(&["push", "--quiet", bench.url(), "main~3:refs/heads/old", "main~2:refs/heads/two"]);
    assert!(work.refused(&["push", bench.url(), "main~4:old"]).contains("[rejected]"));
    work.git(&["push", "--quiet", bench.url(), "+main~4:old"]);
    work.git(&["push", "--quiet", bench.url(), ":two", ":refs/tags/light"]);
    let listed = work.git(&["ls-remote", bench.url()]);
    let expected = [
        ("main", "HEAD"),
        ("main", "refs/heads/main"),
        ("main~4", "refs/heads/old"),
        ("v1", "refs/tags/v1"),
        ("v1^{}", "refs/tags/v1^{}"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(value, name)| format!("{}\t{name}", work.git(&["rev-parse", value]))).collect();
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    bench.check();
}

#[test]
fn a_push_can_have_many_references_up_to_a_limit() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.commit("file", "content");
    let names = (0..4001).map(|number| format!("create refs/tags/n{number} HEAD\n")).collect::<Vec<_>>().concat();
    feed(&work.path, &["update-ref", "--stdin"], names.as_bytes());
    work.git(&["push", "--quiet", bench.url(), "refs/tags/n1*:refs/tags/n1*", "main"]);
    assert_eq!(work.git(&["ls-remote", "--tags", bench.url()]).lines().count(), 1111);
    let bench = Bench::new(Offers::AWS);
    let complaint = work.refused(&["push", bench.url(), "--tags"]);
    assert!(complaint.contains("Too many reference update commands"), "{complaint}");
    assert_eq!(work.git(&["ls-remote", bench.url()]), "");
    bench.check();
}

#[test]
fn refusals_have_the_words_of_git() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let tip = work.commit("file", "content");
    let blob = work.git(&["rev-parse", "HEAD:file"]);
    let pack = feed(&work.path, &["pack-objects", "--stdout", "--revs", "-q"], b"HEAD\n");
    let null = craft::null();
    let commands = [
        ("refs/heads/blob", &blob),
        ("refs/heads/../x", &tip),
        ("refs/one", &tip),
        ("refs/heads/-x", &tip),
        ("refs/heads/missing", &"1".repeat(40)),
        ("foo/bar/baz", &tip),
        ("refs/tags/blob", &blob),
        ("refs/heads/ok", &tip),
    ];
    let mut lines: Vec<_> = commands.iter().map(|(name, new)| format!("{null} {new} {name}")).collect();
    lines[0].push_str("\0report-status");
    lines.push(String::new());
    let request = [craft::lines(&lines), pack].concat();
    let peer = bench.work("peer");
    let expected = crate::bench::try_git(&peer.path, &["receive-pack", "--stateless-rpc", "."], &request).stdout;
    let repository = Repository::open(&bench.served()).expect("the repository");
    let (answer, calls) = craft::push(&repository, &request, &Options::default());
    assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(&expected));
    assert_eq!(calls, 1);
}

#[test]
fn a_flush_without_commands_gets_an_empty_answer() {
    let bench = Bench::new(Offers::AWS);
    let repository = Repository::open(&bench.served()).expect("the repository");
    assert_eq!(craft::push(&repository, b"0000", &Options::default()), (Vec::new(), 0));
}

#[test]
fn an_atomic_push_updates_all_references_or_none() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main~2:refs/heads/main"]);
    let complaint =
        work.refused(&["push", "--atomic", bench.url(), "main", "main:refs/heads/new", "bare-blob:refs/heads/blob"]);
    assert!(complaint.contains("atomic push failure"), "{complaint}");
    assert_eq!(work.git(&["ls-remote", "--heads", bench.url()]).lines().count(), 1);
    work.git(&["push", "--quiet", "--atomic", bench.url(), "main", "main:refs/heads/new"]);
    assert_eq!(work.git(&["ls-remote", "--heads", bench.url()]).lines().count(), 2);
    bench.check();
}

#[test]
fn thin_packs_are_completed() {
    for offers in [Offers::AWS, Offers::FULL] {
        let bench = Bench::new(offers);
        let work = bench.work("work");
        work.fill();
        let commits = work.git(&["rev-list", "--reverse", "main"]);
        for commit in commits.lines().step_by(2) {
            work.git(&["push", "--quiet", "--force", bench.url(), &format!("{commit}:refs/heads/main")]);
        }
        work.git(&["push", "--quiet", bench.url(), "main"]);
        bench.check();
        let clone = bench.clone("clone", &["--bare"]);
        assert_eq!(clone.objects(), objects(&work.path, &["main"]));
        clone.git(&["fsck", "--full", "--strict"]);
        let served = crate::bench::Work { path: bench.served() };
        for index in std::fs::read_dir(bench.served().join("objects/pack")).expect("a folder of packs") {
            let path = index.expect("a readable entry").path();
            if path.extension().is_some_and(|extension| extension == "idx") {
                served.git(&["verify-pack", path.to_str().expect("a plain path")]);
            }
        }
    }
}

#[test]
fn large_files_are_pushed_and_cloned() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let mut file = std::io::BufWriter::new(std::fs::File::create(work.path.join("large")).expect("a new file"));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..60 << 17 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes()).expect("a large disk");
    }
    drop(file);
    work.commit("small", "content");
    work.git(&["push", "--quiet", bench.url(), "main"]);
    bench.check();
    let clone = bench.clone("clone", &[]);
    assert_eq!(clone.git(&["rev-parse", "HEAD:large"]), work.git(&["rev-parse", "HEAD:large"]));
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
}

#[test]
fn requests_can_be_compressed_or_chunked() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["-c", "http.postBuffer=1", "push", "--quiet", bench.url(), "--all"]);
    work.git(&["push", "--quiet", bench.url(), "--tags"]);
    bench.check();
    let clone = bench.path("clone");
    let clone = clone.to_str().expect("a plain path");
    work.git(&["-c", "http.postBuffer=1", "clone", "--quiet", bench.url(), clone]);
}

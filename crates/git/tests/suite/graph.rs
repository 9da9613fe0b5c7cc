//! Repositories that are large enough for a graph.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use git::{Interrupt, Offers, Options, Repository};

use crate::{
    bench::{Bench, Work, feed, objects, run},
    craft,
    random::{Dice, history},
};

const COMMITS: usize = 1500;

/// Pushes a random history in steps; the first one is by far the largest.
fn filled(bench: &Bench, dice: &mut Dice) -> Work {
    let work = bench.work("work");
    history(&work, dice, COMMITS);
    push(&work, bench, (0..COMMITS - 60).step_by(19));
    work
}

fn push(work: &Work, bench: &Bench, numbers: impl Iterator<Item = usize>) {
    let mut arguments = vec!["push".to_owned(), "--quiet".to_owned(), bench.url().to_owned()];
    arguments.extend(numbers.map(|number| format!("c{number}:refs/heads/b{number}")));
    work.git(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Fetches with and without haves; the client has exactly the objects reachable from the haves.
fn check(bench: &Bench, repository: &Repository, work: &Work, dice: &mut Dice, name: &str) {
    let tips = run(&bench.served(), &["for-each-ref", "--format=%(objectname)"]);
    let tips: Vec<_> = tips.lines().collect();
    for round in 0..8 {
        let mut choose = |count: usize| {
            let start = dice.below(tips.len());
            tips.iter().cycle().skip(start).step_by(1 + dice.below(9)).take(count).copied().collect::<Vec<_>>()
        };
        let wants = if round == 0 { tips.clone() } else { choose(1 + round % 3) };
        let haves = if round % 2 == 0 { Vec::new() } else { choose(1) };
        let mut lines: Vec<_> = wants.iter().map(|id| format!("want {id}\n")).collect();
        lines[0] = lines[0].replace('\n', " thin-pack ofs-delta\n");
        lines.push(String::new());
        lines.extend(haves.iter().map(|id| format!("have {id}\n")));
        lines.push("done\n".into());
        let options = Options { offers: Offers::FULL, ..Options::default() };
        let answer = craft::fetch(repository, &tips, &craft::lines(&lines), &options).expect("a pack");
        let head = haves.first().map_or("0008NAK\n".into(), |id| format!("0031ACK {id}\n"));
        let pack = answer.strip_prefix(head.as_bytes()).expect("one acknowledgement");
        let client = bench.work(&format!("{name}{round}"));
        let revisions = haves.iter().map(|id| format!("{id}\n")).collect::<Vec<_>>().concat();
        let known = feed(&work.path, &["pack-objects", "--stdout", "--revs", "-q"], revisions.as_bytes());
        feed(&client.path, &["index-pack", "--stdin"], &known);
        feed(&client.path, &["index-pack", "--stdin", "--fix-thin"], pack);
        let expected = objects(&work.path, &[&wants[..], &haves].concat());
        let got = run(&client.path, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        assert_eq!(got.lines().collect::<Vec<_>>(), expected, "{wants:?} {haves:?}");
    }
}

fn graphs(served: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(served.join("objects/pack")).expect("a folder of packs");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "graph")).collect()
}

#[test]
fn fetches_are_exact_with_a_graph() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let bench = Bench::new(Offers::FULL);
    let work = filled(&bench, &mut dice);
    let built = Repository::open(&bench.served()).expect("the repository");
    check(&bench, &built, &work, &mut dice, "built");
    built.write_graph().expect("a writable folder");
    assert_eq!(graphs(&bench.served()).len(), 1);
    let loaded = Repository::open(&bench.served()).expect("the repository");
    check(&bench, &loaded, &work, &mut dice, "loaded");
    // Further packs, completed with bases that the large pack has too.
    for start in [COMMITS - 55, COMMITS - 30, COMMITS - 10] {
        push(&work, &bench, (start..).step_by(3).take(3));
        work.git(&["push", "--quiet", bench.url(), &format!("c{start}^{{tree}}:refs/tags/tree{start}")]);
    }
    let grown = Repository::open(&bench.served()).expect("the repository");
    check(&bench, &grown, &work, &mut dice, "grown");
    bench.check();
}

#[test]
fn shallow_clones_of_a_charted_repository_are_complete() {
    let mut dice = Dice(0x0fed_cba9_8765_4321);
    let bench = Bench::new(Offers::FULL);
    let work = filled(&bench, &mut dice);
    Repository::open(&bench.served()).expect("the repository").write_graph().expect("a writable folder");
    for (round, depth) in ["1", "7", "40"].into_iter().enumerate() {
        let clone = bench.clone(&format!("clone{round}"), &["--bare", "--depth", depth, "--no-single-branch"]);
        clone.git(&["fetch", "--quiet", "--depth", "30", bench.url(), "refs/heads/*:refs/heads/*"]);
        clone.git(&["fsck", "--connectivity-only"]);
        clone.git(&["fetch", "--quiet", "--depth", "2147483647", bench.url(), "refs/heads/*:refs/heads/*"]);
        assert_eq!(clone.objects(), objects(&bench.served(), &["--all"]));
    }
    let single = bench.clone("single", &["--bare", "--single-branch", "--branch", "b190"]);
    let got = run(&single.path, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    assert_eq!(got.lines().collect::<Vec<_>>(), objects(&work.path, &["c190"]));
}

#[test]
fn damaged_graphs_are_ignored_and_replaced() {
    let mut dice = Dice(0x0bad_c0de_0bad_c0de);
    let bench = Bench::new(Offers::FULL);
    let work = filled(&bench, &mut dice);
    Repository::open(&bench.served()).expect("the repository").write_graph().expect("a writable folder");
    let path = graphs(&bench.served()).pop().expect("a graph");
    let sound = fs::read(&path).expect("a readable file");
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 4;
    let cases = [&[][..], &sound[..sound.len() / 3], &sound[..sound.len() - 1], &flipped, b"ccgraph\x02"];
    for (round, bytes) in cases.into_iter().enumerate() {
        fs::write(&path, bytes).expect("a writable folder");
        let repository = Repository::open(&bench.served()).expect("the repository");
        if round % 2 == 0 {
            check(&bench, &repository, &work, &mut dice, &format!("damaged{round}-"));
        }
        // A sound graph replaces it.
        repository.write_graph().expect("a writable folder");
        assert_eq!(fs::read(&path).expect("a readable file"), sound);
    }
}

#[test]
fn building_a_graph_ends_when_it_is_interrupted() {
    let bench = Bench::new(Offers::FULL);
    filled(&bench, &mut Dice(0x0dd_ba11));
    let repository = Repository::open(&bench.served()).expect("the repository");
    let is_stopped = Arc::new(AtomicBool::new(true));
    repository
        .interrupted_by(Interrupt::on([Arc::clone(&is_stopped)]))
        .write_graph()
        .expect("an interruption is not an error");
    assert_eq!(graphs(&bench.served()).len(), 0);
    // After an interruption, the next attempt succeeds.
    is_stopped.store(false, Ordering::Relaxed);
    repository.interrupted_by(Interrupt::on([is_stopped])).write_graph().expect("a writable folder");
    assert_eq!(graphs(&bench.served()).len(), 1);
}

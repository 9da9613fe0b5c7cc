//! The ways in which packs go wrong, each by name.

use super::bench::{Bench, Entry, blob, git, pack, reused, selection, store, take};
use crate::{Kind, Repository, pack_writer::Style};

const ALL: Style = Style { thin: true, offsets: true, search: true, index: false, threads: 1 };

/// Texts of which each is much like the others.
fn texts() -> [Vec<u8>; 4] {
    let lines = |changed: usize| {
        let line = |at: usize| format!("line {at} {}\n", if at == changed { "changed" } else { "as ever" });
        (0..100).map(line).collect::<String>().into_bytes()
    };
    [lines(10), lines(20), lines(30), lines(40)]
}

fn styles() -> impl Iterator<Item = Style> {
    (0..8).map(|round: u8| Style {
        thin: round & 1 != 0,
        offsets: round & 2 != 0,
        search: round & 4 != 0,
        ..Style::default()
    })
}

#[test]
fn a_base_that_two_packs_hold_is_sent_once() {
    let [a, b, c, _] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    store(&served, "1", &[(&b, Entry::Ref(&a)), (&a, Entry::Whole(Kind::Blob))]);
    store(&served, "2", &[(&c, Entry::Ref(&a)), (&a, Entry::Whole(Kind::Blob))]);
    for (round, style) in styles().enumerate() {
        let all = [&b, &a, &c].map(|data| (blob(data), Kind::Blob));
        let client = bench.repository(&format!("client{round}"));
        take(&client, &pack(&served, &selection(&all, &[]), style));
        git(&client, &["fsck", "--full"], b"");
    }
}

#[test]
fn deltas_of_two_packs_make_no_cycle() {
    let [a, b, c, _] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    store(&served, "1", &[(&b, Entry::Whole(Kind::Blob)), (&a, Entry::Ref(&b))]);
    store(&served, "2", &[(&a, Entry::Whole(Kind::Blob)), (&b, Entry::Ref(&a)), (&c, Entry::Whole(Kind::Blob))]);
    for (round, style) in styles().enumerate() {
        // What is found last is looked for first where the one before it was: one comes from each pack.
        for (turn, all) in [[&a, &c, &b], [&b, &c, &a]].into_iter().enumerate() {
            let all = all.map(|data| (blob(data), Kind::Blob));
            let client = bench.repository(&format!("client{round}-{turn}"));
            take(&client, &pack(&served, &selection(&all, &[]), style));
        }
    }
}

#[test]
fn a_base_that_the_client_lacks_is_not_named() {
    let [a, b, c, d] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    store(
        &served,
        "1",
        &[(&a, Entry::Whole(Kind::Blob)), (&b, Entry::Offset(&a, 0)), (&c, Entry::Offset(&b, 1)), (&d, Entry::Ref(&c))],
    );
    for (round, style) in styles().enumerate() {
        for (turn, sent) in [vec![&b, &c, &d], vec![&d, &b], vec![&c]].into_iter().enumerate() {
            let all: Vec<_> = sent.iter().map(|data| (blob(data), Kind::Blob)).collect();
            let client = bench.repository(&format!("client{round}-{turn}"));
            take(&client, &pack(&served, &selection(&all, &[]), style));

            let mut selection = selection(&[], &[]);
            let pack_of = Repository::open(&served).expect("a repository").reader().packs()[0].clone();
            selection.reused = Some(reused(&pack_of, |id| all.iter().any(|(chosen, _)| chosen == id)));
            let client = bench.repository(&format!("client{round}-{turn}-reused"));
            take(&client, &pack(&served, &selection, style));
        }
    }
}

#[test]
fn a_base_that_is_sent_too_is_no_thin_base() {
    let [a, b, c, _] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    store(&served, "1", &[(&b, Entry::Whole(Kind::Blob)), (&a, Entry::Ref(&b))]);
    for (round, style) in styles().enumerate() {
        // The client has both, and yet both are sent.
        let client = bench.repository(&format!("client{round}"));
        for data in [&a, &b, &c] {
            git(&client, &["hash-object", "-w", "--stdin"], data);
        }
        let all = [&a, &b].map(|data| (blob(data), Kind::Blob));
        let mut selection = selection(&all, &[]);
        selection.bases = selection.objects.clone();
        take(&client, &pack(&served, &selection, style));
    }
}

#[test]
fn a_base_that_lies_behind_its_delta_is_sent_before_it() {
    let [a, b, c, _] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    store(&served, "1", &[(&c, Entry::Ref(&b)), (&b, Entry::Ref(&a)), (&a, Entry::Whole(Kind::Blob))]);
    for (round, style) in styles().enumerate() {
        // A client that has the base would else take it for one that the pack lacks.
        let client = bench.repository(&format!("client{round}"));
        git(&client, &["hash-object", "-w", "--stdin"], &a);
        let mut selection = selection(&[], &[]);
        let pack_of = Repository::open(&served).expect("a repository").reader().packs()[0].clone();
        selection.reused = Some(reused(&pack_of, |_| true));
        take(&client, &pack(&served, &selection, style));
    }
}

#[test]
fn a_client_gets_new_deltas_on_what_it_has() {
    let [a, b, c, d] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    let whole = |_| Entry::Whole(Kind::Blob);
    store(&served, "1", &[&a, &b, &c, &d].map(|data| (&data[..], whole(data))));
    let client = bench.repository("client");
    git(&client, &["hash-object", "-w", "--stdin"], &a);
    let all = [&b, &c, &d].map(|data| (blob(data), Kind::Blob));
    let sent = pack(&served, &selection(&all, &[blob(&a)]), ALL);
    assert!(sent.len() < 300, "{}", sent.len());
    take(&client, &sent);
    let sent = pack(&served, &selection(&all, &[blob(&a)]), Style { thin: false, ..ALL });
    take(&bench.repository("other"), &sent);
}

#[test]
fn a_pack_that_is_wanted_whole_is_streamed() {
    let [a, b, c, _] = texts();
    let bench = Bench::new();
    let served = bench.repository("served");
    store(&served, "1", &[(&a, Entry::Whole(Kind::Blob)), (&b, Entry::Ref(&a)), (&c, Entry::Offset(&b, 1))]);
    let stored = std::fs::read(served.join("objects/pack/pack-1.pack")).expect("a pack");
    let pack_of = Repository::open(&served).expect("a repository").reader().packs()[0].clone();
    let mut selection = selection(&[], &[]);
    selection.reused = Some(reused(&pack_of, |_| true));
    for (round, style) in styles().enumerate() {
        let sent = pack(&served, &selection, style);
        assert_eq!(sent == stored, style.offsets, "clients that do not take offsets get none");
        take(&bench.repository(&format!("client{round}")), &sent);
    }
}

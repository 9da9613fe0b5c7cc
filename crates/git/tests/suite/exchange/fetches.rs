//! Negotiation, and the objects that are sent.

use git::{Offers, Options, Reference, Repository, Version};

use super::{Peer, UNKNOWN};
use crate::{
    bench::{Bench, run},
    craft,
};

#[test]
fn fetches_of_version_2_are_answered_as_by_git() {
    let peer = Peer::filled();
    let unknown = &format!("have {UNKNOWN}")[..];
    let want_unknown = &format!("want {UNKNOWN}")[..];
    let requests: [&[&str]; 43] = [
        &["wait-for-done", "have @main", "have @main~3"],
        &["wait-for-done"],
        &["wait-for-done", "have @main", "done"],
        &["want @main", "done"],
        &["want @main"],
        &["want @main~5", "want @light", "want @of-tag", "want @of-tree", "want @bare-blob", "done"],
        &["want @main~3:top", "done"],
        &["want @main~3^{tree}", "ofs-delta", "no-progress", "done"],
        &["want @main", "include-tag", "done"],
        &["want @main", "want-ref refs/heads/side3", "done"],
        &["want-ref refs/heads/side3", "want-ref HEAD", "want-ref refs/tags/v1", "want-ref refs/heads/link", "done"],
        &["want-ref refs/heads/side3", "want-ref refs/heads/side3", "done"],
        &["want-ref side3", "done"],
        &["want-ref refs/heads/nothing", "done"],
        &["want @main", unknown],
        &["want @main", "have @main~3"],
        &["want @main", unknown, "have @main~2", "have @main~3", "have @main~4"],
        &["want @main", "have @main~4", "have @main~3", "have @main~2"],
        &["want @main", "want @side3", "have @main~1"],
        &["want @main", "want @side3", "have @side7"],
        &["want @main", "have @v1"],
        &["want @main", "have @main"],
        &["want @main", "have @main~3", "wait-for-done"],
        &["want @main", "wait-for-done"],
        &["want @main", "have @main~3", "wait-for-done", "done"],
        &["want @main", "have @main~3", unknown, "done"],
        &["want @main", "have x", "done"],
        &["want x", "done"],
        &[want_unknown, "done"],
        &["sideband-all", "want @main", "have @main~3"],
        &["sideband-all", "want @main", "have @main~3", "wait-for-done"],
        &["sideband-all", "want @main", "deepen 2", "have @main~3", "done"],
        &["sideband-all", want_unknown, "done"],
        &["sideband-all", "want-ref refs/heads/nothing", "done"],
        &["want @main", "what", "done"],
        &["want @main", "filter blob:none", "done"],
        &["want @main", "want @main~3:top", "filter blob:none", "have @main~5", "done"],
        &["want @of-tree", "want @of-tag", "filter tree:1", "done"],
        &["want @main", "filter combine:tree:2+blob:limit=100", "done"],
        &["want @main", "filter sparse:oid=main:top", "done"],
        &["want @main", "filter blob:none", "filter tree:1", "done"],
        &["want @main", "filter what", "done"],
        &["have @main", "done"],
    ];
    for lines in requests {
        let mut request = vec!["command=fetch", "0001"];
        request.extend_from_slice(lines);
        request.push("0000");
        peer.compare(Version::V2, &request);
    }
}

#[test]
fn unreachable_objects_are_sent_or_refused_as_by_git() {
    let peer = Peer::filled();
    let served = peer.bench.served();
    let all = run(&served, &["fsck", "--unreachable", "--no-reflogs"]);
    let hidden: Vec<_> = all.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(hidden.len(), 2, "{all}");
    for id in hidden {
        let want = &format!("want {id}")[..];
        peer.compare(Version::V0, &[want, "0000", "done"]);
        peer.compare(Version::V2, &["command=fetch", "0001", want, "done", "0000"]);
    }
}

#[test]
fn fetches_of_version_0_are_answered_as_by_git() {
    let peer = Peer::filled();
    let unknown = &format!("have {UNKNOWN}")[..];
    let ends: [&[&str]; 13] = [
        &["done"],
        &["0000"],
        &["have @main~3", "done"],
        &["have @main~3", "0000"],
        &[unknown, "0000"],
        &[unknown, "have @main~3", "0000"],
        &["have @main~3", unknown, "0000"],
        &["have @side7", unknown, "have @main~1", unknown, "0000"],
        &["have @main~3", unknown, "done"],
        &["have @main", "0000", "have @main~7", "0000"],
        &["have @v1", unknown, "0000"],
        &["have x", "done"],
        &["what", "done"],
    ];
    let capabilities = [
        "",
        "multi_ack",
        "multi_ack_detailed",
        "multi_ack_detailed no-done",
        "side-band include-tag",
        "xx side-band-64k",
    ];
    for capabilities in capabilities {
        let want = &format!("want @main {capabilities}")[..];
        for end in ends {
            let mut request = vec![want, "want @side3", "0000"];
            request.extend_from_slice(end);
            peer.compare(Version::V0, &request);
        }
    }
    let requests: [&[&str]; 14] = [
        &["0000"],
        &["want @main filter", "filter blob:none", "0000", "done"],
        &["want @main filter", "filter tree:2", "0000", "have @main~4", "done"],
        &["want @main filter", "want @main~3:top", "filter object:type=commit", "0000", "done"],
        &["want @main filter", "filter tree:x", "0000", "done"],
        &["want @main", "filter blob:none", "0000", "done"],
        &["want @main filter", "filter blob:none", "filter blob:none", "0000", "done"],
        &["want 7777777777777777777777777777777777777777", "0000", "done"],
        &["want x", "0000", "done"],
        &["what", "0000", "done"],
        &["want @main~3", "want @main~2:top", "want @main~2^{tree}", "want @light", "0000", "done"],
        &["want @main object-format=sha1 agent=x session-id=y", "want @main", "0000", "done"],
        &["want @of-tree include-tag", "want @bare-blob", "0000", "done"],
        &["want @side3 include-tag", "0000", "have @main", "done"],
    ];
    peer.compare_all(Version::V0, &requests);
    peer.compare_all(Version::V1, &requests);
}

#[test]
fn hidden_tips_can_be_fetched_if_that_is_offered() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main", "side3:refs/hidden/x"]);
    let mut peer = Peer::new(bench);
    let hides = |reference: &Reference| reference.name.starts_with(b"refs/hidden/");
    let (hidden, seen): (Vec<_>, Vec<_>) = peer.references.references.drain(..).partition(hides);
    peer.references.references = seen;
    let extra = work.git(&["commit-tree", "-p", &hidden[0].target.to_string(), "-m", "x", "HEAD^{tree}"]);
    work.git(&["push", "--quiet", peer.bench.url(), &format!("{extra}:refs/hidden/x")]);
    peer.repository = Repository::open(&peer.bench.served()).expect("the repository");
    let request = craft::lines(&[format!("want {extra}"), String::new(), "done".into()]);
    let offers = Offers { reachable_ids: false, ..Offers::FULL };
    for (tip_ids, is_sent) in [(true, true), (false, false)] {
        peer.references.hidden = vec![gix::ObjectId::from_hex(extra.as_bytes()).expect("forty digits")];
        let options = Options { offers: Offers { tip_ids, ..offers }, ..Options::default() };
        let answer = craft::answer(&peer.repository, &peer.references, &request, Version::V0, &options);
        assert_eq!(answer.is_ok(), is_sent);
    }
}

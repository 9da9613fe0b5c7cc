//! Limited depth: of fetches, and of the served repository.

use git::{Offers, Options, Service, Version, advertise};

use super::Peer;
use crate::bench::{Bench, advance_clock, run, try_git_with};

/// Lines after the wants of a request, in both versions.
const LIMITS: [&[&str]; 29] = [
    &["deepen 1"],
    &["deepen 2"],
    &["deepen 1000"],
    &["deepen 2147483647"],
    &["deepen 0"],
    &["deepen -1"],
    &["deepen x"],
    &["deepen-since 1"],
    &["deepen-since 0"],
    &["deepen-since 1800000000"],
    &["deepen-since x"],
    &["deepen-since -1"],
    &["deepen-not v1"],
    &["deepen-not side3"],
    &["deepen-not link"],
    &["deepen-not heads/side7", "deepen-not refs/tags/light"],
    &["deepen-not of-tag", "deepen-since 1"],
    &["deepen-not main"],
    &["deepen-not nothing"],
    &["deepen-not @main~3"],
    &["deepen 2", "deepen-since 1"],
    &["shallow @main~2"],
    &["shallow @v1"],
    &["shallow 7777777777777777777777777777777777777777"],
    &["shallow x"],
    &["shallow @main~2", "deepen 5"],
    &["shallow @main~4", "deepen 2"],
    &["shallow @main~2", "shallow @side3~1", "deepen 2147483647"],
    &["shallow @main~4", "deepen-not side3"],
];

#[test]
fn limits_of_depth_are_those_of_git() {
    let peer = Peer::filled();
    for limit in LIMITS {
        for haves in [&[][..], &["have @main~2"]] {
            let mut request = vec!["command=fetch", "0001", "want @main", "want @side7", "ofs-delta"];
            request.extend_from_slice(limit);
            request.extend_from_slice(haves);
            request.extend_from_slice(&["done", "0000"]);
            peer.compare(Version::V2, &request);
        }
        let mut request = vec!["want @main side-band-64k ofs-delta", "want @side7"];
        request.extend_from_slice(limit);
        request.push("0000");
        // The first request of a client ends here.
        peer.compare(Version::V0, &request);
        request.push("done");
        peer.compare(Version::V1, &request);
    }
    for generations in ["deepen 1", "deepen 3", "deepen 1000"] {
        let shallow = ["shallow @main~2", "shallow @side3"];
        let mut request = vec!["command=fetch", "0001", "want @main", "deepen-relative", generations];
        request.extend_from_slice(&shallow);
        request.extend_from_slice(&["have @main", "done", "0000"]);
        peer.compare(Version::V2, &request);
        let mut request = vec!["want @main side-band deepen-relative", generations];
        request.extend_from_slice(&shallow);
        request.extend_from_slice(&["0000", "have @main", "done"]);
        peer.compare(Version::V0, &request);
    }
}

#[test]
fn a_shallow_repository_is_served_as_by_git() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    advance_clock();
    work.fill();
    let source = format!("file://{}", work.path.display());
    let served = bench.served();
    run(&served, &["fetch", "--quiet", "--depth", "4", &source, "main:main", "side7:side7"]);
    let peer = Peer::new(bench);
    assert!(!peer.references.shallow.is_empty());
    let mut requests: Vec<Vec<&str>> = vec![
        vec!["want @main"],
        vec!["want @main", "have @main~2"],
        vec!["want @main", "shallow @main~1"],
        vec!["want @main", "shallow @main~1", "deepen 2147483647"],
        vec!["want @main", "shallow @main~1", "deepen 2147483647", "have @main"],
        vec!["want @main", "deepen 2"],
        vec!["want @main", "deepen 10"],
        vec!["want @main", "shallow @main~1", "deepen 10", "deepen-relative", "have @main"],
    ];
    for request in &mut requests {
        request.splice(0..0, ["command=fetch", "0001"]);
        request.extend_from_slice(&["done", "0000"]);
        peer.compare(Version::V2, request);
    }
    peer.compare(Version::V0, &["want @main", "0000", "done"]);
    peer.compare(Version::V0, &["want @main", "deepen 10", "0000", "done"]);
    let options = Options { offers: Offers::FULL, ..Options::default() };
    let ours = advertise(Service::UploadPack, Version::V0, &peer.references, &options);
    let gits = try_git_with(&served, &["upload-pack", "--http-backend-info-refs", "."], b"", &[]).stdout;
    let end = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut lines: Vec<_> = text[text.find("0035shallow").expect("a line")..].lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(end(&ours), end(&gits));
}

//! Advertisements, lists of references, and sizes of objects.

use git::{Offers, Options, Service, Version, advertise};

use super::{FULL, Peer, protocol};
use crate::bench::{Bench, run, try_git_with};

#[test]
fn advertisements_are_those_of_git() {
    let options = Options { offers: Offers::FULL, ..Options::default() };
    let own = |text: String| {
        // The names of programs and sessions differ, and so the lengths.
        let text = text.lines().map(|line| {
            let words = line.split(' ').filter(|word| !word.contains("agent=") && !word.contains("session-id="));
            words.collect::<Vec<_>>().join(" ")
        });
        text.map(|line| line.replace('\0', " ").chars().skip(4).collect()).collect::<Vec<String>>()
    };
    let compare = |peer: &Peer| {
        for version in [Version::V0, Version::V1, Version::V2] {
            let mut arguments: Vec<_> = FULL.iter().flat_map(|setting| ["-c", setting]).collect();
            arguments.extend_from_slice(&["upload-pack", "--http-backend-info-refs", "."]);
            let gits = try_git_with(&peer.bench.served(), &arguments, b"", protocol(version));
            let ours = advertise(Service::UploadPack, version, &peer.references, &options);
            let ours = String::from_utf8_lossy(&ours).into_owned();
            let ours = ours.strip_prefix("001e# service=git-upload-pack\n0000").unwrap_or(&ours).to_owned();
            assert_eq!(own(ours), own(String::from_utf8_lossy(&gits.stdout).into_owned()), "{version:?}");
        }
    };
    compare(&Peer::new(Bench::new(Offers::FULL)));
    let peer = Peer::filled();
    compare(&peer);
    run(&peer.bench.served(), &["update-ref", "--no-deref", "HEAD", "main~3"]);
    compare(&Peer::new(peer.bench));
}

#[test]
fn lists_of_references_are_those_of_git() {
    let lists: [&[&str]; 14] = [
        &["command=ls-refs", "0000"],
        &["command=ls-refs", "agent=x", "object-format=sha1", "server-option=a", "session-id=b", "0001", "0000"],
        &["command=ls-refs\n", "0001", "peel\n", "symrefs\n", "unborn\n", "0000"],
        &["command=ls-refs", "0001", "symrefs", "0000"],
        &["command=ls-refs", "0001", "peel", "ref-prefix refs/tags/", "ref-prefix HEA", "0000"],
        &["command=ls-refs", "0001", "ref-prefix refs/heads/side", "ref-prefix refs/heads/", "0000"],
        &["command=ls-refs", "0001", "ref-prefix nothing", "0000"],
        &["command=ls-refs", "0001", "ref-prefix ", "0000"],
        &["command=ls-refs", "0001", "peel", "what", "0000"],
        &["command=ls-refs", "0001", "peel", "0001"],
        &["command=ls-refs", "0001", "peel"],
        &["command=ls-refs", "0000", "command=ls-refs", "0000"],
        &["0000"],
        &[],
    ];
    let peer = Peer::filled();
    peer.compare_all(Version::V2, &lists);
    run(&peer.bench.served(), &["update-ref", "--no-deref", "HEAD", "main~3"]);
    Peer::new(peer.bench).compare_all(Version::V2, &lists);
    Peer::new(Bench::new(Offers::FULL)).compare_all(Version::V2, &lists);
}

#[test]
fn commands_are_checked_as_by_git() {
    let peer = Peer::filled();
    let requests: [&[&str]; 21] = [
        &["command=what", "0000"],
        &["command=", "0000"],
        &["agent=x", "0000"],
        &["command=ls-refs", "what=1", "0000"],
        &["command=ls-refs", "agent", "0000"],
        &["command=ls-refs", "command=fetch", "0000"],
        &["0001", "0000"],
        &["command=ls-refs", "object-format=sha256", "0000"],
        &["command=ls-refs", "object-format=what", "0000"],
        &["command=ls-refs", "object-format", "0000"],
        &["command=ls-refs"],
        &["command=fetch", "0000"],
        &["command=fetch", "0001", "thin-pack", "0000"],
        &["command=object-info", "0001", "size", "oid @main", "oid @main:top", "oid @of-blob", "0000"],
        &["command=object-info", "0001", "size", "oid 7777777777777777777777777777777777777777", "0000"],
        &["command=object-info", "0001", "oid @main", "0000"],
        &["command=object-info", "0001", "size", "0000"],
        &["command=object-info", "0000"],
        &["command=object-info", "0001", "size", "0001"],
        &["command=fetch", "0001", "want @main", "done", "0001"],
        &["command=fetch", "0001", "want @main", "done"],
    ];
    peer.compare_all(Version::V2, &requests);
}

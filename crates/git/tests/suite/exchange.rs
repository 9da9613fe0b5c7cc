//! The same bytes to us and to `git upload-pack`, and the same answers from both.

use std::path::Path;

use git::{Offers, Options, Reference, References, Repository, Service, Version, advertise};

use crate::{
    bench::{Bench, feed, let_time_pass, objects, run, try_git_with},
    craft,
};

const FULL: [&str; 8] = [
    "uploadpack.allowFilter=true",
    "uploadpack.allowRefInWant=true",
    "uploadpack.allowSidebandAll=true",
    "uploadpack.allowTipSHA1InWant=true",
    "uploadpack.allowReachableSHA1InWant=true",
    "transfer.advertiseObjectInfo=true",
    "transfer.advertiseSID=true",
    "lsrefs.unborn=advertise",
];

/// An object that nobody has.
const UNKNOWN: &str = "7777777777777777777777777777777777777777";

/// A repository to ask, and the references in it.
struct Peer {
    bench: Bench,
    repository: Repository,
    references: References,
}

impl Peer {
    fn new(bench: Bench) -> Self {
        let repository = Repository::open(&bench.served()).expect("the repository");
        let references = craft::snapshot(&bench.served(), &repository);
        Self { bench, repository, references }
    }

    /// A repository with all that there can be, and a symbolic reference.
    fn filled() -> Self {
        let bench = Bench::new(Offers::FULL);
        let work = bench.work("work");
        let_time_pass();
        work.fill();
        let served = format!("file://{}", bench.served().display());
        work.git(&["push", "--quiet", &served, "--all"]);
        work.git(&["push", "--quiet", &served, "--tags"]);
        let served = bench.served();
        run(&served, &["symbolic-ref", "refs/heads/link", "refs/heads/side3"]);
        // What nothing leads to.
        feed(&served, &["hash-object", "-w", "--stdin"], b"hidden\n");
        let tree = run(&served, &["rev-parse", "main^{tree}"]);
        run(&served, &["commit-tree", "-m", "hidden", &tree]);
        Self::new(bench)
    }

    fn request(&self, lines: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            if let "0000" | "0001" | "0002" = *line {
                bytes.extend_from_slice(line.as_bytes());
                continue;
            }
            let words = line.split(' ').map(|word| match word.strip_prefix('@') {
                Some(revision) => run(&self.bench.served(), &["rev-parse", revision]),
                None => word.to_owned(),
            });
            bytes.extend(craft::lines(&[words.collect::<Vec<_>>().join(" ")]));
        }
        bytes
    }

    /// Sends a request to both sides and compares what they say.
    fn compare(&self, version: Version, lines: &[&str]) {
        let request = self.request(lines);
        let options = Options { offers: Offers::FULL, ..Options::default() };
        let mut arguments: Vec<_> = FULL.iter().flat_map(|setting| ["-c", setting]).collect();
        arguments.extend_from_slice(&["upload-pack", "--stateless-rpc", "."]);
        let gits = try_git_with(&self.bench.served(), &arguments, &request, protocol(version));
        let complaint = String::from_utf8_lossy(&gits.stderr);
        match craft::ask(&self.repository, &self.references, &request, version, &options) {
            Err(error) => {
                assert!(!gits.status.success(), "{lines:?}: {error}");
                let (packet, told) = (error.packet(), String::from_utf8_lossy(&gits.stdout));
                let repeats = gits.stdout.ends_with(&packet) || complaint.contains(&format!("fatal: {error}\n"));
                assert!(repeats, "{lines:?}\nours: {error}\ngit's: {complaint} {told}");
            }
            Ok(ours) => {
                assert!(gits.status.success(), "{lines:?}: {complaint}");
                let (ours, gits) = (Answer::parse(&ours, version), Answer::parse(&gits.stdout, version));
                assert_eq!(ours.lines, gits.lines, "{lines:?}");
                let place = self.bench.path("pack");
                let (ours, gits) = (ours.objects(&place), gits.objects(&place));
                let known = self.known(&request);
                let news = |all: &[String]| all.iter().filter(|id| !known.contains(id)).cloned().collect::<Vec<_>>();
                // Git sends more of what the client has, where its depth is limited.
                assert_eq!(news(&ours), news(&gits), "{lines:?}");
                assert!(ours.len() <= gits.len(), "{lines:?}");
            }
        }
    }

    /// Lists what the client has by what it says.
    fn known(&self, request: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(request);
        let haves = text.split("have ").skip(1).map(|rest| &rest[..rest.len().min(40)]);
        let haves: Vec<_> = haves.filter(|id| *id != UNKNOWN).collect();
        if haves.is_empty() { Vec::new() } else { objects(&self.bench.served(), &haves) }
    }

    fn compare_all(&self, version: Version, requests: &[&[&str]]) {
        for lines in requests {
            self.compare(version, lines);
        }
    }
}

fn protocol(version: Version) -> &'static [(&'static str, &'static str)] {
    match version {
        Version::V0 => &[],
        Version::V1 => &[("GIT_PROTOCOL", "version=1")],
        Version::V2 => &[("GIT_PROTOCOL", "version=2")],
    }
}

/// An answer, taken apart.
#[derive(Default)]
pub struct Answer {
    /// The lines before the pack.
    lines: Vec<String>,
    pack: Vec<u8>,
}

impl Answer {
    /// Takes an answer apart.
    pub fn parse(mut rest: &[u8], version: Version) -> Self {
        let mut answer = Self::default();
        let mut in_pack = false;
        while !rest.is_empty() {
            if rest.starts_with(b"PACK") {
                answer.pack = rest.to_vec();
                break;
            }
            let digits = std::str::from_utf8(&rest[..4]).expect("digits");
            let length = usize::from_str_radix(digits, 16).expect("digits").max(4);
            let line = &rest[4..length];
            rest = &rest[length..];
            in_pack |= version != Version::V2 && line.first().is_some_and(|band| *band < 4);
            match line.first() {
                None | Some(2) if in_pack => {}
                None => answer.lines.push(digits.to_owned()),
                Some(1) if in_pack => answer.pack.extend_from_slice(&line[1..]),
                _ => {
                    let text = String::from_utf8_lossy(line).into_owned();
                    in_pack |= text.ends_with("packfile\n");
                    answer.lines.push(text);
                }
            }
        }
        // Git lists shallow commits and wanted references in an order of its own.
        let is_shallow = |line: &String| line.starts_with("shallow ") || line.starts_with("unshallow ");
        let is_wanted = |line: &String| line.get(40..41) == Some(" ");
        let alike = |one: &String, two: &String| is_shallow(one) && is_shallow(two) || is_wanted(one) && is_wanted(two);
        answer.lines.chunk_by_mut(alike).for_each(<[String]>::sort);
        answer
    }

    /// Lists the objects of the pack, sorted; `place` is a folder for that.
    pub fn objects(&self, place: &Path) -> Vec<String> {
        if self.pack.is_empty() {
            return Vec::new();
        }
        std::fs::create_dir_all(place).expect("a writable folder");
        std::fs::write(place.join("x.pack"), &self.pack).expect("a writable folder");
        run(place, &["index-pack", "x.pack"]);
        let index = std::fs::read(place.join("x.idx")).expect("an index");
        let list = feed(place, &["show-index", "--object-format=sha1"], &index);
        let list = String::from_utf8_lossy(&list);
        let mut ids: Vec<_> = list.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect();
        ids.sort();
        std::fs::remove_dir_all(place).expect("a writable folder");
        ids
    }
}

#[test]
fn advertisements_are_those_of_git() {
    let options = Options { offers: Offers::FULL, ..Options::default() };
    let own = |text: String| {
        // The names of the programs and of the sessions differ, and with them the lengths.
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
fn commands_are_checked_as_git_checks_them() {
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

/// What a client may say after its wants, in both versions.
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
        // The first step of a client stops here.
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
fn fetches_of_version_2_are_answered_as_git_answers_them() {
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
fn what_nothing_leads_to_is_given_and_refused_as_git_does() {
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
fn fetches_of_version_0_are_answered_as_git_answers_them() {
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
fn a_shallow_repository_says_where_it_ends() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    let_time_pass();
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

#[test]
fn hidden_tips_can_be_asked_for_where_that_is_offered() {
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
    for (tip_ids, given) in [(true, true), (false, false)] {
        peer.references.hidden = vec![gix::ObjectId::from_hex(extra.as_bytes()).expect("forty digits")];
        let options = Options { offers: Offers { tip_ids, ..offers }, ..Options::default() };
        let answer = craft::ask(&peer.repository, &peer.references, &request, Version::V0, &options);
        assert_eq!(answer.is_ok(), given);
    }
}

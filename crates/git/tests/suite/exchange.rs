//! The same bytes to us and to `git upload-pack`, and the same answers from both.

mod depth;
mod fetches;
mod lists;

use std::path::Path;

use git::{Offers, Options, References, Repository, Version};

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
                // Each sends a little of what the client has, and not the same.
                assert_eq!(news(&ours), news(&gits), "{lines:?}");
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

//! Sends the same requests to this library and to `git upload-pack`, and compares the answers.

mod depth;
mod fetches;
mod lists;

use std::path::Path;

use git::{Offers, Options, References, Repository, Version};

use crate::{
    bench::{Bench, advance_clock, feed, objects, run, try_git_with},
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

/// The id of an object that does not exist.
const UNKNOWN: &str = "7777777777777777777777777777777777777777";

/// A repository that serves requests, with its references.
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

    /// Creates a repository with all kinds of objects, and a symbolic reference.
    fn filled() -> Self {
        let bench = Bench::new(Offers::FULL);
        let work = bench.work("work");
        advance_clock();
        work.fill();
        let served = format!("file://{}", bench.served().display());
        work.git(&["push", "--quiet", &served, "--all"]);
        work.git(&["push", "--quiet", &served, "--tags"]);
        let served = bench.served();
        run(&served, &["symbolic-ref", "refs/heads/link", "refs/heads/side3"]);
        // Unreachable objects.
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

    /// Sends a request to both sides and compares the answers.
    fn compare(&self, version: Version, lines: &[&str]) {
        let request = self.request(lines);
        let options = Options { offers: Offers::FULL, ..Options::default() };
        let mut arguments: Vec<_> = FULL.iter().flat_map(|setting| ["-c", setting]).collect();
        arguments.extend_from_slice(&["upload-pack", "--stateless-rpc", "."]);
        let gits = try_git_with(&self.bench.served(), &arguments, &request, protocol(version));
        let complaint = String::from_utf8_lossy(&gits.stderr);
        match craft::answer(&self.repository, &self.references, &request, version, &options) {
            Err(error) => {
                assert!(!gits.status.success(), "{lines:?}: {error}");
                let (packet, output) = (error.packet(), String::from_utf8_lossy(&gits.stdout));
                let repeats = gits.stdout.ends_with(&packet) || complaint.contains(&format!("fatal: {error}\n"));
                assert!(repeats, "{lines:?}\nours: {error}\ngit's: {complaint} {output}");
            }
            Ok(ours) => {
                assert!(gits.status.success(), "{lines:?}: {complaint}");
                let (ours, gits) = (Answer::parse(&ours, version), Answer::parse(&gits.stdout, version));
                assert_eq!(ours.lines, gits.lines, "{lines:?}");
                let folder = self.bench.path("pack");
                let (ours, gits) = (ours.objects(&folder), gits.objects(&folder));
                let known = self.known(&request);
                let new = |all: &[String]| all.iter().filter(|id| !known.contains(id)).cloned().collect::<Vec<_>>();
                // Both send some objects that the client has, but not the same ones.
                assert_eq!(new(&ours), new(&gits), "{lines:?}");
            }
        }
    }

    /// Lists the objects of the client, according to its request.
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

/// A parsed answer.
#[derive(Default)]
pub struct Answer {
    /// The lines before the pack.
    lines: Vec<String>,
    pack: Vec<u8>,
}

impl Answer {
    /// Parses an answer.
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
        // Git lists shallow commits and wanted references in another order.
        let is_shallow = |line: &String| line.starts_with("shallow ") || line.starts_with("unshallow ");
        let is_wanted = |line: &String| line.get(40..41) == Some(" ");
        let belong_together =
            |one: &String, two: &String| is_shallow(one) && is_shallow(two) || is_wanted(one) && is_wanted(two);
        answer.lines.chunk_by_mut(belong_together).for_each(<[String]>::sort);
        answer
    }

    /// Lists the objects of the pack, sorted; creates and removes the folder `folder` for that.
    pub fn objects(&self, folder: &Path) -> Vec<String> {
        if self.pack.is_empty() {
            return Vec::new();
        }
        std::fs::create_dir_all(folder).expect("a writable folder");
        std::fs::write(folder.join("x.pack"), &self.pack).expect("a writable folder");
        run(folder, &["index-pack", "x.pack"]);
        let index = std::fs::read(folder.join("x.idx")).expect("an index");
        let list = feed(folder, &["show-index", "--object-format=sha1"], &index);
        let list = String::from_utf8_lossy(&list);
        let mut ids: Vec<_> = list.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect();
        ids.sort();
        std::fs::remove_dir_all(folder).expect("a writable folder");
        ids
    }
}

//! Clients of each protocol version: the installed git, and an older one if there is one.

use std::path::Path;

use git::Offers;

use crate::bench::{Bench, Work, advance_clock, feed, objects, run, try_git_with};

/// A client: the search path of its git, and its protocol version.
struct Client {
    path: Option<&'static str>,
    version: &'static str,
}

/// Lists the clients on this machine.
fn clients() -> Vec<Client> {
    let older = Path::new("/usr/bin/git").exists().then_some(Some("/usr/bin:/bin"));
    let paths = std::iter::once(None).chain(older);
    paths.flat_map(|path| ["0", "1", "2"].map(|version| Client { path, version })).collect()
}

impl Client {
    fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let version = format!("protocol.version={}", self.version);
        let all: Vec<_> = ["-c", &version].into_iter().chain(arguments.iter().copied()).collect();
        let variables: Vec<_> = self.path.iter().map(|path| ("PATH", *path)).collect();
        let output = try_git_with(folder, &all, b"", &variables);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?} {} {arguments:?}: {complaint}", self.path, self.version);
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn clone(&self, bench: &Bench, arguments: &[&str]) -> Work {
        let path = bench.path(&format!("clone{}{}", self.version, self.path.is_some()));
        let target = path.to_str().expect("a plain path");
        let mut all = vec!["clone", "--quiet"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&[bench.url(), target]);
        self.git(Path::new("/"), &all);
        Work { path }
    }
}

fn served(offers: Offers) -> (Bench, Work) {
    let bench = Bench::new(offers);
    let work = bench.work("work");
    advance_clock();
    work.fill();
    (bench, work)
}

#[test]
fn every_client_clones_fetches_and_pushes() {
    for offers in [Offers::AWS, Offers::FULL] {
        let (bench, work) = served(offers);
        work.git(&["push", "--quiet", bench.url(), "--all"]);
        work.git(&["push", "--quiet", bench.url(), "--tags"]);
        for client in clients() {
            work.git(&["push", "--quiet", "--force", bench.url(), "main~4:refs/heads/main"]);
            let clone = client.clone(&bench, &[]);
            work.git(&["push", "--quiet", bench.url(), "main"]);
            client.git(&clone.path, &["fetch", "--quiet"]);
            clone.git(&["fsck", "--full", "--strict"]);
            assert_eq!(objects(&clone.path, &["origin/main"]), objects(&work.path, &["main"]));
            let tip = clone.commit("new", "content");
            let branch = format!("refs/heads/new{}{}", client.version, client.path.is_some());
            client.git(&clone.path, &["push", "--quiet", "origin", &format!("HEAD:{branch}")]);
            assert_eq!(client.git(&clone.path, &["ls-remote", "origin", &branch]), format!("{tip}\t{branch}"));
            let listed = client.git(&clone.path, &["ls-remote", "--symref", "origin"]);
            assert_eq!(listed.contains("ref: refs/heads/main\tHEAD"), offers.modern, "{listed}");
            assert_eq!(listed.lines().filter(|line| line.ends_with("^{}")).count(), 4, "{listed}");
        }
        bench.check();
    }
}

#[test]
fn every_client_can_limit_its_history() {
    let (bench, work) = served(Offers::FULL);
    work.git(&["push", "--quiet", bench.url(), "--all"]);
    work.git(&["push", "--quiet", bench.url(), "--tags"]);
    let seconds = work.git(&["log", "--max-count=1", "--format=%ct", "main~4"]);
    let source = format!("file://{}", bench.served().display());
    let shallow = |work: &Work| {
        let text = std::fs::read_to_string(work.path.join(".git/shallow")).unwrap_or_default();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for client in clients() {
        let pair = |name: &str, limits: &[&str]| {
            [bench.url(), &source].map(|url| {
                let path =
                    bench.path(&format!("{name}-{}-{}-{}", client.version, client.path.is_some(), url == source));
                let mut all = vec!["clone", "--quiet", "--no-tags", "--single-branch"];
                all.extend_from_slice(limits);
                all.extend_from_slice(&[url, path.to_str().expect("a plain path")]);
                client.git(Path::new("/"), &all);
                Work { path }
            })
        };
        let since = format!("--shallow-since={seconds}");
        for (name, limits) in [
            ("since", &[&since[..]][..]),
            ("exclude", &["--shallow-exclude=side3"]),
            ("both", &["--shallow-exclude=light", "--shallow-exclude=side3", &since]),
        ] {
            let [ours, gits] = pair(name, limits);
            assert!(!shallow(&ours).is_empty(), "{name}");
            assert_eq!(shallow(&ours), shallow(&gits), "{name}");
            ours.git(&["fsck", "--full", "--strict"]);
        }
        let [ours, gits] = pair("depth", &["--depth=1"]);
        for step in ["--depth=3", "--depth=1", "--deepen=2", "--deepen=1", "--depth=9", "--unshallow"] {
            for work in [&gits, &ours] {
                client.git(&work.path, &["fetch", "--quiet", "--no-tags", step]);
                work.git(&["fsck", "--connectivity-only"]);
            }
            assert_eq!(shallow(&ours), shallow(&gits), "{step}");
        }
        assert_eq!(objects(&ours.path, &["origin/main"]), objects(&work.path, &["main"]));
        ours.git(&["fsck", "--full", "--strict"]);
    }
}

#[test]
fn an_unborn_branch_is_checked_out() {
    let bench = Bench::new(Offers::FULL);
    run(&bench.served(), &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let clone = bench.clone("clone", &[]);
    assert_eq!(clone.git(&["symbolic-ref", "HEAD"]), "refs/heads/trunk");
}

#[test]
fn a_long_negotiation_ends_in_version_2() {
    let (bench, work) = served(Offers::FULL);
    work.git(&["push", "--quiet", bench.url(), "main~8:refs/heads/main"]);
    let clone = bench.clone("clone", &[]);
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let commits = (0..3000).map(|number| {
        format!(
            "commit refs/heads/own{}\ncommitter A <a@b> {} +0000\ndata 1\nx\nM 644 inline f\ndata 4\n{number:04}\n",
            number / 5,
            1_800_000_000 + number
        )
    });
    feed(&clone.path, &["fast-import", "--quiet"], commits.collect::<Vec<_>>().concat().as_bytes());
    clone.git(&["fetch", "--quiet"]);
    assert_eq!(objects(&clone.path, &["origin/main"]), objects(&work.path, &["main"]));
    clone.git(&["fsck", "--full"]);
}

#[test]
fn a_client_can_negotiate_without_fetching() {
    let (bench, work) = served(Offers::FULL);
    work.git(&["push", "--quiet", bench.url(), "main~3:refs/heads/main"]);
    work.git(&["remote", "add", "origin", bench.url()]);
    let common = work.git(&["fetch", "--negotiate-only", "--negotiation-tip=main", "origin"]);
    assert!(common.contains(&work.git(&["rev-parse", "main~3"])), "{common}");
}

#[test]
fn server_options_and_single_objects_are_accepted() {
    let (bench, work) = served(Offers::FULL);
    work.git(&["push", "--quiet", bench.url(), "main", "--tags"]);
    let empty = bench.work("empty");
    for (name, version) in [("main~3", "0"), ("main~5", "2"), ("main~3:top", "2"), ("of-tree", "1")] {
        let id = work.git(&["rev-parse", name]);
        let version = format!("protocol.version={version}");
        empty.git(&["-c", &version, "fetch", "--quiet", bench.url(), &id]);
        assert_eq!(empty.git(&["cat-file", "-t", &id]), work.git(&["cat-file", "-t", &id]));
    }
    empty.git(&["fetch", "--quiet", "--server-option=a", "--server-option=b=c", bench.url(), "main"]);
    let complaint = empty.refused(&["fetch", bench.url(), &"7".repeat(40)]);
    assert!(complaint.contains(&format!("upload-pack: not our ref {}", "7".repeat(40))), "{complaint}");
}

#[test]
fn a_refetch_sends_all_objects() {
    let (bench, work) = served(Offers::FULL);
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let clone = bench.clone("clone", &["--filter=tree:0", "--no-checkout"]);
    clone.git(&["fetch", "--quiet", "--refetch", "--filter=blob:none"]);
    let missing = clone.git(&["rev-list", "--objects", "--all", "--missing=print", "--filter=blob:none"]);
    assert!(!missing.contains('?'), "{missing}");
}

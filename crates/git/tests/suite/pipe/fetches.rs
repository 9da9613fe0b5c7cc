//! Clones, fetches and lists.

use super::{Pipes, VERSIONS, disconnect, diverge, gits, model};
use crate::{
    bench::{objects, run},
    craft,
};

#[test]
fn clones_and_lists_are_the_same_as_from_git() {
    let (_folder, served) = model();
    for path in gits() {
        for version in VERSIONS {
            let pipes = Pipes::new(&served, path, version);
            pipes.succeeds("", &["ls-remote", "--symref", "URL"]);
            pipes.succeeds("", &["ls-remote", "URL", "refs/heads/*"]);
            pipes.succeeds("", &["clone", "--quiet", "URL", "clone"]);
            pipes.check("clone");
            assert_eq!(objects(&pipes.place(0, "clone").path, &["--all"]), objects(&served, &["--all"]));
            pipes.succeeds("", &["clone", "--quiet", "--mirror", "URL", "mirror"]);
            pipes.check("mirror");
            pipes.same("", &["ls-remote", "URL-no-such-repository"]);
        }
    }
}

#[test]
fn empty_repositories_are_cloned() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(folder.path(), &["init", "--quiet", "--bare", "r.git"]);
    for version in VERSIONS {
        let pipes = Pipes::new(&folder.path().join("r.git"), None, version);
        pipes.succeeds("", &["clone", "--quiet", "URL", "clone"]);
        pipes.succeeds("", &["ls-remote", "URL"]);
    }
}

#[test]
fn long_negotiations_take_several_rounds() {
    let (_folder, served) = model();
    for path in gits() {
        for version in VERSIONS {
            let pipes = Pipes::new(&served, path, version);
            for side in [0, 1] {
                run(&pipes.served(side), &["update-ref", "refs/heads/main", "main~8"]);
            }
            pipes.succeeds("", &["clone", "--quiet", "--single-branch", "--no-tags", "URL", "clone"]);
            for side in [0, 1] {
                let tip = run(&served, &["rev-parse", "main"]);
                run(&pipes.served(side), &["fetch", "--quiet", served.to_str().expect("a plain path"), &tip]);
                run(&pipes.served(side), &["update-ref", "refs/heads/main", &tip]);
                diverge(&pipes.place(side, "clone").path, 1500);
            }
            pipes.succeeds("clone", &["fetch", "--quiet", "origin"]);
            pipes.check("clone");
            // Nothing is common: the client names all its commits.
            pipes.succeeds("", &["init", "--quiet", "other"]);
            for side in [0, 1] {
                diverge(&pipes.place(side, "other").path, 1500);
            }
            pipes.succeeds("other", &["fetch", "--quiet", "URL", "main:refs/heads/fetched"]);
            pipes.check("other");
        }
    }
}

#[test]
fn every_form_of_acknowledgement_ends_in_a_pack() {
    let (_folder, served) = model();
    let (main, old) = (run(&served, &["rev-parse", "main"]), run(&served, &["rev-parse", "main~6"]));
    let unknown = "7".repeat(40);
    for capabilities in ["", "multi_ack", "multi_ack_detailed", "multi_ack_detailed no-done", "multi_ack side-band-64k"]
    {
        let lines = [
            format!("want {main} {capabilities} ofs-delta"),
            String::new(),
            format!("have {unknown}"),
            String::new(),
            format!("have {old}"),
            format!("have {unknown}"),
            String::new(),
            "done".to_owned(),
        ];
        let request = craft::lines(&lines);
        let pipes = Pipes::new(&served, None, "0");
        let ours = answer(&super::program(), &["stdio", "upload-pack"], &pipes.served(0), &request);
        let gits = answer("git".as_ref(), &["upload-pack"], &pipes.served(1), &request);
        let acks = |answer: &[u8]| {
            let start = answer.windows(4).position(|bytes| bytes == b"0000").expect("the advertisement ends") + 4;
            let rest = &answer[start..];
            let end = rest.windows(4).position(|bytes| bytes == b"PACK").expect("there is a pack");
            let text = String::from_utf8_lossy(&rest[..end]);
            let is_ack = |line: &&str| line.get(4..).is_some_and(|text| text.starts_with("ACK ") || text == "NAK");
            text.lines().filter(is_ack).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(acks(&ours), acks(&gits), "{capabilities}");
    }
}

/// Runs a program with an input; returns its output.
fn answer(program: &std::path::Path, arguments: &[&str], repository: &std::path::Path, input: &[u8]) -> Vec<u8> {
    let mut child = std::process::Command::new(program)
        .args(arguments)
        .arg(repository)
        .env_remove("GIT_PROTOCOL")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a piped input");
    std::thread::scope(|scope| {
        scope.spawn(move || drop(std::io::Write::write_all(&mut stdin, input)));
        child.wait_with_output().expect("a running child").stdout
    })
}

#[test]
fn shallow_clones_are_deepened() {
    let (_folder, served) = model();
    for path in gits() {
        for version in VERSIONS {
            let pipes = Pipes::new(&served, path, version);
            pipes.succeeds("", &["clone", "--quiet", "--depth=1", "--no-tags", "URL", "clone"]);
            pipes.check("clone");
            for step in ["--depth=3", "--depth=1", "--deepen=2", "--deepen=1", "--unshallow"] {
                pipes.succeeds("clone", &["fetch", "--quiet", "--no-tags", step]);
                pipes.check("clone");
            }
            pipes.succeeds("", &["clone", "--quiet", "--shallow-exclude=side3", "--no-tags", "URL", "recent"]);
            pipes.check("recent");
        }
    }
}

#[test]
fn filters_and_single_objects_are_served() {
    let (_folder, served) = model();
    let blob = run(&served, &["rev-parse", "main:top"]);
    let commit = run(&served, &["rev-parse", "main~3"]);
    for version in VERSIONS {
        let pipes = Pipes::new(&served, None, version);
        pipes.configure("uploadpack.allowFilter", "true");
        pipes.configure("uploadpack.allowReachableSHA1InWant", "true");
        pipes.succeeds("", &["clone", "--quiet", "--bare", "--filter=blob:none", "URL", "partial"]);
        pipes.succeeds("partial", &["rev-list", "--objects", "--all", "--missing=print"]);
        pipes.succeeds("", &["init", "--quiet", "new"]);
        pipes.succeeds("new", &["fetch", "--quiet", "URL", &commit]);
        pipes.succeeds("new", &["cat-file", "-t", &commit]);
        if version == "2" {
            pipes.succeeds("new", &["fetch", "--quiet", "URL", &blob]);
        }
        pipes.refused("new", &["fetch", "--quiet", "URL", &"7".repeat(40)], "not our ref");
    }
}

#[test]
fn a_client_may_disconnect_at_any_byte() {
    let (_folder, served) = model();
    let main = run(&served, &["rev-parse", "main"]);
    let old = run(&served, &["rev-parse", "main~4"]);
    let v0 = craft::lines(&[
        format!("want {main} multi_ack_detailed side-band-64k"),
        "deepen 2".into(),
        String::new(),
        format!("have {old}"),
        String::new(),
        "done".into(),
    ]);
    let mut v2 = craft::lines(&["command=ls-refs".into()]);
    v2.extend_from_slice(b"0001");
    v2.extend(craft::lines(&["symrefs".into(), String::new(), "command=fetch".into()]));
    v2.extend_from_slice(b"0001");
    v2.extend(craft::lines(&[format!("want {main}"), "done".into(), String::new()]));
    for (protocol, request) in [("version=0", v0), ("version=2", v2)] {
        for end in (0..=request.len()).step_by(13).chain([request.len()]) {
            disconnect("upload-pack", &served, protocol, &request[..end]);
        }
    }
}

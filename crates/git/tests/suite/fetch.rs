//! Fetches send the new objects.

use git::{Offers, Options, Repository, Version};

use crate::{
    bench::{Bench, objects},
    craft,
    random::Dice,
};

#[test]
fn new_objects_are_fetched() {
    for offers in [Offers::AWS, Offers::FULL] {
        let bench = Bench::new(offers);
        let work = bench.work("work");
        work.fill();
        let commits = work.git(&["rev-list", "--reverse", "--first-parent", "main"]);
        let mut clone = None;
        for commit in commits.lines().step_by(3) {
            work.git(&["push", "--quiet", bench.url(), &format!("{commit}:refs/heads/main")]);
            let clone = clone.get_or_insert_with(|| bench.clone("clone", &[]));
            clone.git(&["fetch", "--quiet"]);
            assert_eq!(objects(&clone.path, &["origin/main"]), objects(&work.path, &[commit]));
        }
        work.git(&["push", "--quiet", bench.url(), "--all"]);
        work.git(&["push", "--quiet", bench.url(), "--tags"]);
        let clone = clone.expect("a clone");
        clone.git(&["fetch", "--quiet", "--tags"]);
        clone.git(&["fsck", "--full", "--strict"]);
        assert_eq!(clone.objects(), work.objects());
        bench.check();
    }
}

#[test]
fn a_fetch_sends_no_more_objects_than_needed() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let (tip, old) = (work.git(&["rev-parse", "main"]), work.git(&["rev-parse", "main~3"]));
    let repository = Repository::open(&bench.served()).expect("the repository");
    let want = format!("want {tip} multi_ack_detailed side-band-64k thin-pack\n");
    let request = craft::lines(&[want, String::new(), format!("have {old}\n"), "done\n".into()]);
    let answer = craft::fetch(&repository, &[&tip], &request, &Options::default()).expect("a pack");
    let expected = objects(&work.path, &["main", "^main~3"]).len();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with(&format!("0038ACK {old} common\n0031ACK {old}\n")), "{text}");
    assert!(text.contains(&format!("Counting objects: {expected}, done.\n")), "{text}");
}

#[test]
fn a_file_is_a_delta_on_the_version_that_the_client_has() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    let mut dice = Dice(1);
    let mut text = || (0..1000).map(|_| format!("{:016x}\n", dice.below(usize::MAX))).collect::<Vec<_>>().concat();
    let files: Vec<_> = (0..8).map(|number| (format!("folder/file-{number}"), text())).collect();
    for (file, content) in &files {
        work.commit(file, content);
    }
    let old = work.git(&["rev-parse", "main"]);
    // Each file but the first is left in its place by older commits before one changes it.
    for (file, content) in &files {
        work.commit(file, &format!("a longer text, so that the pack holds it whole\n{content}"));
    }
    work.git(&["-c", "repack.writeBitmaps=false", "repack", "-adfq"]);
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let repository = Repository::open(&bench.served()).expect("the repository");
    let tip = work.git(&["rev-parse", "main"]);
    let want = format!("want {tip} multi_ack_detailed side-band-64k thin-pack\n");
    let request = craft::lines(&[want, String::new(), format!("have {old}\n"), "done\n".into()]);
    let answer = craft::fetch(&repository, &[&tip], &request, &Options::default()).expect("a pack");
    assert!(answer.len() < files[0].1.len() / 2, "{} bytes", answer.len());
}

#[test]
fn a_long_negotiation_ends() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main~8:refs/heads/main"]);
    let clone = bench.clone("clone", &[]);
    work.git(&["push", "--quiet", bench.url(), "main"]);
    // The client has more own commits than fit into one request, on many branches.
    let commits = (0..1500).map(|number| {
        format!(
            "commit refs/heads/own{}\ncommitter A <a@b> {} +0000\ndata 1\nx\nM 644 inline f\ndata 4\n{number:04}\n",
            number / 5,
            1_800_000_000 + number
        )
    });
    let stream = commits.collect::<Vec<_>>().concat();
    crate::bench::feed(&clone.path, &["fast-import", "--quiet"], stream.as_bytes());
    clone.git(&["fetch", "--quiet"]);
    assert_eq!(objects(&clone.path, &["origin/main"]), objects(&work.path, &["main"]));
    clone.git(&["push", "--quiet", "origin", "own7", "own8"]);
    bench.check();
}

#[test]
fn rewritten_branches_are_fetched() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let clone = bench.clone("clone", &[]);
    work.git(&["reset", "--quiet", "--hard", "HEAD~4"]);
    work.commit("top", "rewritten\n");
    work.git(&["push", "--quiet", "--force", bench.url(), "main"]);
    clone.git(&["fetch", "--quiet"]);
    assert_eq!(clone.git(&["rev-parse", "origin/main"]), work.git(&["rev-parse", "main"]));
    clone.git(&["fsck", "--full"]);
}

#[test]
fn any_reachable_object_can_be_fetched() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main", "v1"]);
    let hidden = work.git(&["commit-tree", "-m", "hidden", "HEAD^{tree}"]);
    work.git(&["push", "--quiet", bench.url(), &format!("{hidden}:refs/heads/hidden")]);
    work.git(&["push", "--quiet", bench.url(), ":refs/heads/hidden"]);
    for (rank, reachable) in ["main~5", "main~5^{tree}", "main~5:top", "v1"].into_iter().enumerate() {
        let id = work.git(&["rev-parse", reachable]);
        let empty = bench.work(&format!("empty{rank}"));
        empty.git(&["fetch", "--quiet", bench.url(), &id]);
        empty.git(&["cat-file", "-e", &id]);
    }
    let missing = "7".repeat(40);
    for id in [&hidden, &missing] {
        let complaint = bench.work(id).refused(&["fetch", bench.url(), id]);
        assert!(complaint.contains(&format!("upload-pack: not our ref {id}")), "{complaint}");
    }
}

#[test]
fn a_graph_shows_which_objects_are_reachable() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let hidden = work.commit("hidden", "hidden\n");
    let served = bench.served();
    let url = format!("file://{}", served.display());
    work.git(&["push", "--quiet", &url, &format!("{hidden}:refs/heads/hidden")]);
    crate::bench::run(&served, &["-c", "extensions.preciousObjects=false", "repack", "-a", "-q"]);
    crate::bench::run(&served, &["update-ref", "-d", "refs/heads/hidden"]);
    let repository = Repository::open(&served).expect("the repository");
    repository.write_graph().expect("a writable folder");
    let references = craft::snapshot(&served, &repository);
    for (name, is_sent) in [
        ("HEAD~6", true),
        ("HEAD~6:top", true),
        ("HEAD~6^{tree}", true),
        ("HEAD~6:folder 1", true),
        ("HEAD", false),
        ("HEAD:hidden", false),
        ("HEAD^{tree}", false),
    ] {
        let request = craft::lines(&[format!("want {}", work.git(&["rev-parse", name])), String::new(), "done".into()]);
        let answer = craft::answer(&repository, &references, &request, Version::V0, &Options::default());
        assert_eq!(answer.is_ok(), is_sent, "{name}");
    }
}

#[test]
fn the_end_of_a_negotiation_is_answered_as_by_git() {
    let bench = Bench::new(Offers::FULL);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "--all"]);
    let served = bench.served();
    let repository = Repository::open(&served).expect("the repository");
    let id = |name: &str| work.git(&["rev-parse", name]);
    let (tip, side, unknown) = (id("main"), id("side7"), "7".repeat(40));
    let old = id("main~6");
    let mut requests = Vec::new();
    for mode in ["multi_ack_detailed", "multi_ack", ""] {
        for haves in [&[][..], &[&old], &[&unknown], &[&unknown, &old], &[&old, &unknown], &[&unknown, &old, &unknown]]
        {
            for end in ["", "done\n"] {
                let mut lines = vec![format!("want {tip} {mode}\n"), format!("want {side}\n"), String::new()];
                lines.extend(haves.iter().map(|have| format!("have {have}\n")));
                lines.push(end.into());
                requests.push(craft::lines(&lines));
            }
        }
    }
    for request in requests {
        let ours = craft::fetch(&repository, &[&tip, &side], &request, &Options::default()).expect("an answer");
        let gits = crate::bench::try_git(&served, &["upload-pack", "--stateless-rpc", "."], &request).stdout;
        let before_pack = |answer: &[u8]| {
            let text = String::from_utf8_lossy(answer).into_owned();
            text.split("PACK").next().map(str::to_owned)
        };
        assert_eq!(before_pack(&ours), before_pack(&gits), "{}", String::from_utf8_lossy(&request));
    }
}

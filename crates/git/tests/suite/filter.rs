//! Partial clones: clients that omit objects, and fetch them when they need them.

use git::{Offers, Options, Repository, Version};

use crate::{
    bench::{Bench, Work, feed, objects, run, try_git},
    craft,
    exchange::Answer,
    random::Dice,
};

/// Creates commits with few contents at many paths, so that the same trees occur at different depths.
fn history(work: &Work, dice: &mut Dice, commits: usize) {
    let mut stream = String::new();
    for number in 0..commits {
        let seconds = 1_700_000_000 + number;
        stream.extend([format!("commit refs/heads/main\ncommitter A <a@b> {seconds} +0000\ndata 1\nx\n")]);
        for _ in 0..=dice.below(4) {
            let folders: String = (0..dice.below(5)).map(|_| ["a/", "b/"][dice.below(2)]).collect();
            if dice.below(8) == 0 && !folders.is_empty() {
                stream.extend([format!("D {}\n", folders.trim_end_matches('/'))]);
                continue;
            }
            let text = "line\n".repeat(dice.below(4) * 40);
            let name = ["f.c", "g.c", "h.txt"][dice.below(3)];
            stream.extend([format!("M 644 inline {folders}{name}\ndata {}\n{text}\n", text.len())]);
        }
    }
    stream.push_str("tag t\nfrom refs/heads/main\ntagger A <a@b> 1 +0000\ndata 1\nx\n");
    feed(&work.path, &["fast-import", "--quiet"], stream.as_bytes());
}

const SPARSE: [&str; 6] =
    ["/*\n!/*/\n/a/\n", "*.c\n!a/\n", "a/b/\n!f.c\n", "*\n!/b/*\n", "# nothing\n\n!*\n", "a/**/f.c\nh.txt\n/b/a\n"];

/// No combination has two sparse filters: Git's share the mark of trees that were shown, so that trees are lost.
const FILTERS: [&str; 22] = [
    "blob:none",
    "blob:limit=1",
    "blob:limit=300",
    "blob:limit=1k",
    "tree:0",
    "tree:1",
    "tree:2",
    "tree:3",
    "tree:5",
    "object:type=commit",
    "object:type=tree",
    "object:type=blob",
    "object:type=tag",
    "combine:tree:2+blob:none",
    "combine:tree:3+blob:limit=300",
    "combine:object:type=blob+tree:3",
    "combine:object:type=commit+tree:3",
    "combine:tree:3+sparse:oid=SPARSE0",
    "combine:sparse:oid=SPARSE1+blob:limit=1k",
    "combine:blob:limit=300+sparse:oid=SPARSE5",
    "combine:combine%3Atree%3A4%2Bblob%3Anone+tree:2",
    "sparse:oid=main:h.txt",
];

#[test]
fn filters_select_the_same_objects_as_in_git() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for round in 0..3 {
        let bench = Bench::new(Offers::FULL);
        let work = bench.work("work");
        history(&work, &mut dice, 40);
        let served = bench.served();
        let url = format!("file://{}", served.display());
        work.git(&["push", "--quiet", &url, "main", "t"]);
        let sparse: Vec<_> = SPARSE
            .iter()
            .map(|text| feed(&served, &["hash-object", "-w", "--stdin"], text.as_bytes()))
            .map(|id| String::from_utf8_lossy(&id).trim().to_owned())
            .collect();
        let repository = Repository::open(&served).expect("the repository");
        let references = craft::snapshot(&served, &repository);
        let options = Options { offers: Offers::FULL, ..Options::default() };
        let mut filters: Vec<_> = FILTERS.iter().map(|filter| (*filter).to_owned()).collect();
        filters.extend(sparse.iter().map(|id| format!("sparse:oid={id}")));
        for (number, id) in sparse.iter().enumerate() {
            for filter in &mut filters {
                *filter = filter.replace(&format!("SPARSE{number}"), id);
            }
        }
        for filter in filters {
            let resolvable = run(&served, &["ls-tree", "--name-only", "main"]).contains("h.txt");
            if filter.contains("main:h.txt") && !resolvable {
                continue;
            }
            for wants in [&["main"][..], &["t"], &["main~9", "main~3^{tree}"]] {
                let ids: Vec<_> = wants.iter().map(|want| run(&served, &["rev-parse", want])).collect();
                let mut lines: Vec<_> = ids.iter().map(|id| format!("want {id}")).collect();
                lines.extend([format!("filter {filter}"), "done".into(), String::new()]);
                let request = [b"0011command=fetch0001".as_slice(), &craft::lines(&lines)].concat();
                let answer = craft::answer(&repository, &references, &request, Version::V2, &options);
                let answer = answer.unwrap_or_else(|error| panic!("{filter}: {error}"));
                let ours = Answer::parse(&answer, Version::V2).objects(&bench.path("pack"));
                let mut range = vec![format!("--filter={filter}")];
                range.extend(ids);
                let range: Vec<_> = range.iter().map(String::as_str).collect();
                assert_eq!(ours, objects(&served, &range), "{filter} {wants:?} {round}");
            }
        }
    }
}

#[test]
fn partial_clones_fetch_missing_objects_on_demand() {
    for version in ["0", "2"] {
        for filter in ["blob:none", "tree:0", "blob:limit=200", "sparse:oid=main:top"] {
            let bench = Bench::new(Offers::FULL);
            let work = bench.work("work");
            work.fill();
            work.git(&["push", "--quiet", bench.url(), "main~3:refs/heads/main", "--tags"]);
            let setting = format!("protocol.version={version}");
            let path = bench.path("clone");
            let target = path.to_str().expect("a plain path");
            let option = format!("--filter={filter}");
            work.git(&["-c", &setting, "clone", "--quiet", "--no-checkout", &option, bench.url(), target]);
            let clone = Work { path };
            clone.git(&["config", "protocol.version", version]);
            let missing = || clone.git(&["rev-list", "--objects", "--all", "--missing=print"]).contains("\n?");
            assert!(missing(), "{filter}");
            clone.git(&["checkout", "--quiet", "main"]);
            assert_eq!(clone.git(&["status", "--porcelain"]), "");
            work.git(&["push", "--quiet", bench.url(), "main"]);
            clone.git(&["pull", "--quiet", "--ff-only"]);
            assert_eq!(clone.git(&["log", "--patch", "main"]), work.git(&["log", "--patch", "main"]));
            clone.git(&["fsck"]);
        }
    }
}

#[test]
fn filters_are_ignored_if_they_are_not_offered() {
    let bench = Bench::new(Offers::AWS);
    let work = bench.work("work");
    work.commit("file", "content");
    work.git(&["push", "--quiet", bench.url(), "main"]);
    let path = bench.path("clone");
    let target = path.to_str().expect("a plain path");
    let cloned = try_git(&work.path, &["clone", "--filter=blob:none", bench.url(), target], b"");
    let output = String::from_utf8_lossy(&cloned.stderr).into_owned();
    assert!(output.contains("filtering not recognized by server, ignoring"), "{output}");
    assert_eq!(Work { path }.objects(), work.objects());
}

//! Merges of random histories, compared with Git.

mod histories;

use std::collections::{BTreeSet, HashMap};

use git::{MergeOptions, ObjectId, Repository};

use crate::{
    bench::{Bench, feed},
    random::Dice,
};
use histories::{History, Shape};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number of histories of each shape.
const SHAPES: [(Shape, usize); 6] = [
    (Shape::Fork, 200),
    (Shape::CrissCross(1), 150),
    (Shape::CrissCross(2), 100),
    (Shape::CrissCross(3), 50),
    (Shape::Shared(2), 50),
    (Shape::Shared(4), 50),
];

/// The result of a merge: the tree if it is clean, otherwise the conflicting paths.
///
/// Trees with conflicts are compared indirectly, as merged ancestors of other merges.
#[derive(Debug, PartialEq, Eq)]
enum MergeOutcome {
    Clean { tree: String },
    Conflicting { paths: BTreeSet<String> },
}

#[test]
fn merges_of_random_histories_are_those_of_git() {
    let bench = Bench::new(git::Offers::AWS);
    let work = bench.work("work");
    let mut dice = Dice(SEED);
    let (mut stream, mut mark, mut names) = (Vec::new(), 1, Vec::new());
    for (shape, count) in SHAPES {
        for number in 0..count {
            let name = format!("{shape:?}-{number}").replace(['(', ')'], "");
            History::new(&mut dice, shape, number % 2 == 0).write(&name, &mut mark, &mut stream);
            names.push(name);
        }
    }
    feed(&work.path, &["fast-import", "--quiet"], &stream);
    let listed = work.git(&["for-each-ref", "--format=%(refname:strip=2) %(objectname)", "refs/tags"]);
    let ids: HashMap<&str, &str> = listed.lines().filter_map(|line| line.split_once(' ')).collect();
    let sides = names.iter().map(|name| ["ours", "theirs"].map(|side| ids[format!("{name}-{side}").as_str()]));
    let wanted: Vec<_> = sides.clone().map(|sides| sides.join(" ") + "\n").collect();
    let arguments = ["merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages"];
    let expected = outcomes(&feed(&work.path, &arguments, wanted.concat().as_bytes()));
    assert_eq!(expected.len(), names.len());

    let repository = Repository::open(&work.path.join(".git")).expect("the repository");
    let mut wrong = Vec::new();
    for ((name, sides), expected) in names.iter().zip(sides).zip(&expected) {
        let [ours, theirs] = sides.map(|id| ObjectId::from_hex(id.as_bytes()).expect("an id"));
        let options = MergeOptions { labels: sides.map(Into::into), ..MergeOptions::default() };
        let merged = repository.reader().merge(&ours, &theirs, &options).expect("a merge");
        let got = if merged.is_clean {
            MergeOutcome::Clean { tree: merged.tree.to_string() }
        } else {
            MergeOutcome::Conflicting { paths: merged.conflicts.keys().map(ToString::to_string).collect() }
        };
        if got != *expected {
            wrong.push(format!("{name}: {}\n  expected {expected:?}\n  got      {got:?}", sides.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), names.len(), wrong.join("\n"));
    // The test is useless unless there are enough clean and conflicting merges.
    let clean = expected.iter().filter(|outcome| matches!(outcome, MergeOutcome::Clean { .. })).count();
    assert!((names.len() / 4..names.len() * 3 / 4).contains(&clean), "{clean} of {} are clean", names.len());
}

/// Parses Git's results.
fn outcomes(output: &[u8]) -> Vec<MergeOutcome> {
    let text = String::from_utf8_lossy(output);
    let mut fields = text.split('\0');
    let mut outcomes = Vec::new();
    while let Some(status) = fields.next().filter(|status| !status.is_empty()) {
        let tree = fields.next().expect("a tree follows").to_owned();
        let paths = fields.by_ref().take_while(|path| !path.is_empty()).map(str::to_owned).collect();
        outcomes.push(if status == "1" { MergeOutcome::Clean { tree } } else { MergeOutcome::Conflicting { paths } });
    }
    outcomes
}

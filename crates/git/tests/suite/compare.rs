//! Differences of trees and texts, and histories of files, compared with git.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use git::{BString, Difference, Differences, Edits, Error, Interrupt, Mode, Object, ObjectId, Repository};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::bench::{Work, feed, run};
use crate::random::Dice;

/// A repository in a temporary folder.
struct TestRepository {
    folder: TempDir,
    repository: Repository,
}

impl TestRepository {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        Self { folder, repository }
    }

    /// Adds a tree of files; each file contains one number.
    fn tree(&self, files: &Files) -> ObjectId {
        let in_use = self.repository.use_objects();
        let mut edits = Edits::new();
        for (path, (mode, content)) in files {
            let blob = Object::blob([*content]);
            let id = match mode {
                Mode::Submodule => ObjectId::from_hex(format!("{content:040x}").as_bytes()).expect("forty digits"),
                _ => self.repository.add(&[blob], &in_use, false).expect("a fully connected set")[0],
            };
            // A file can replace a folder, or the other way round; the last one remains.
            edits.insert(path.as_str().into(), Some((*mode, id)));
        }
        let (tree, objects) = self.repository.reader().edit(None, &edits).expect("an edited tree");
        self.repository.add(&objects, &in_use, false).expect("a fully connected set");
        tree
    }
}

type Files = BTreeMap<String, (Mode, u8)>;

/// Creates files with paths that sort differently with and without the trailing slash of folders.
fn files() -> impl Strategy<Value = Files> {
    let path = prop_oneof!["[ab]", "[ab][.0-]c?", "[ab](/[ab]){1,3}", "[ab][.0]/[ab]"];
    let mode = prop_oneof![
        4 => Just(Mode::File), 1 => Just(Mode::Executable), 1 => Just(Mode::Symlink), 1 => Just(Mode::Submodule)
    ];
    prop::collection::btree_map(path, (mode, 1..4_u8), 0..12)
}

/// Writes differences as `git diff-tree` does.
fn raw(differences: &[Difference]) -> String {
    let side = |side: Option<(Mode, ObjectId)>| {
        side.map_or(("000000".to_owned(), "0".repeat(40)), |(mode, id)| (mode.octal().to_owned(), id.to_string()))
    };
    let mut text = String::new();
    for Difference { path, before, after } in differences {
        let ((before_mode, before_id), (after_mode, after_id)) = (side(*before), side(*after));
        writeln!(text, "{before_mode} {after_mode} {before_id} {after_id}\t{path}").expect("a string takes all");
    }
    text
}

fn of_git(sample: &TestRepository, before: ObjectId, after: ObjectId) -> String {
    let arguments =
        ["diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", &before.to_string(), &after.to_string()];
    let mut text = String::new();
    for line in run(sample.folder.path(), &arguments).lines() {
        // The letter for the kind of change is dropped; it follows from the rest.
        let (versions, path) = line.trim_start_matches(':').split_once('\t').expect("a path");
        writeln!(text, "{}\t{path}", &versions[..versions.len() - 2]).expect("a string takes all");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn differences_of_trees_are_those_of_git(before in files(), after in files()) {
        let sample = TestRepository::new();
        let (before, after) = (sample.tree(&before), sample.tree(&after));
        let mut reader = sample.repository.reader();
        let all = reader.differences(Some(&before), Some(&after)).expect("readable");
        prop_assert_eq!(raw(&all), of_git(&sample, before, after));
        // From any start, the remaining differences are the same.
        for (at, Difference { path, .. }) in all.iter().enumerate() {
            let mut rest = Differences::new(&mut reader, Some(before), Some(after), path.as_ref()).expect("readable");
            let mut found = Vec::new();
            while let Some(difference) = rest.next(&mut reader).expect("readable") {
                found.push(difference);
            }
            prop_assert_eq!(&found, &all[at + 1..]);
        }
    }

    #[test]
    fn changed_lines_lead_from_one_text_to_the_other(before in "([abc]\n){0,12}[abc]?", after in "([abc]\n){0,12}[abc]?") {
        let (before, after) = (git::lines(before.as_bytes()), git::lines(after.as_bytes()));
        let mut patched = Vec::new();
        let mut at = 0;
        for change in changes(&before, &after, false) {
            patched.extend_from_slice(&before[at..change.before.start]);
            prop_assert_eq!(patched.len(), change.after.start);
            patched.extend_from_slice(&after[change.after]);
            at = change.before.end;
        }
        patched.extend_from_slice(&before[at..]);
        prop_assert_eq!(patched, after);
    }
}

#[test]
fn a_missing_tree_counts_as_empty() {
    let sample = TestRepository::new();
    let tree = sample.tree(&Files::from([("a/b".to_owned(), (Mode::File, 1)), ("c".to_owned(), (Mode::Symlink, 2))]));
    let mut reader = sample.repository.reader();
    let added = reader.differences(None, Some(&tree)).expect("readable");
    let removed = reader.differences(Some(&tree), None).expect("readable");
    assert_eq!(added.iter().map(|difference| difference.path.to_string()).collect::<Vec<_>>(), ["a/b", "c"]);
    assert!(added.iter().all(|difference| difference.before.is_none()));
    assert!(removed.iter().all(|difference| difference.after.is_none()));
    assert!(reader.differences(None, None).expect("readable").is_empty());
    assert!(reader.differences(Some(&tree), Some(&tree)).expect("readable").is_empty());
}

fn changes(before: &[&[u8]], after: &[&[u8]], ignore_white_space: bool) -> Vec<git::LineChange> {
    git::diff_lines(before, after, ignore_white_space, &Interrupt::default()).expect("no interruption")
}

/// Creates a random text with about `kinds` different lines.
fn random_text(dice: &mut Dice, lines: usize, kinds: usize) -> Vec<String> {
    (0..lines).map(|_| format!("{}line {}\n", " ".repeat(dice.below(3)), dice.below(kinds))).collect()
}

#[test]
fn changed_lines_are_those_of_git_even_in_large_texts() {
    let sample = TestRepository::new();
    let mut dice = Dice(0x00c0_ffee_0dd5);
    for (lines, kinds, edits) in
        [(40, 5, 60), (300, 40, 300), (3_000, 60, 5_000), (6_000, 3_000, 900), (20_000, 100, 30_000)]
    {
        let before = random_text(&mut dice, lines, kinds);
        let mut after = before.clone();
        for _ in 0..edits {
            let at = dice.below(after.len());
            match dice.below(3) {
                0 => drop(after.remove(at)),
                1 => after[at] = random_text(&mut dice, 1, kinds).concat(),
                _ => after.insert(at, random_text(&mut dice, 1, kinds * 2).concat()),
            }
        }
        let [before, after] = [before.concat(), after.concat()];
        for (name, text) in [("before", &before), ("after", &after)] {
            std::fs::write(sample.folder.path().join(name), text).expect("a writable folder");
        }
        let output = std::process::Command::new("git")
            .args(["-c", "core.attributesFile=/dev/null", "diff", "--no-index", "--unified=0", "before", "after"])
            .current_dir(sample.folder.path())
            .output()
            .expect("git is there");
        let text = String::from_utf8(output.stdout).expect("lines are text");
        let of_git: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("@@ -")?.split(" @@").next()).collect();
        let [before, after] = [&before, &after].map(|text| git::lines(text.as_bytes()));
        let range = |lines: &std::ops::Range<usize>| match lines.len() {
            0 => format!("{},0", lines.start),
            1 => (lines.start + 1).to_string(),
            count => format!("{},{count}", lines.start + 1),
        };
        let found = changes(&before, &after, false);
        let found: Vec<_> =
            found.iter().map(|change| format!("{} +{}", range(&change.before), range(&change.after))).collect();
        assert_eq!(found, of_git, "{lines} lines of {kinds} kinds");
    }
}

#[test]
fn a_comparison_of_lines_ends_when_it_is_interrupted() {
    let mut dice = Dice(0x0bad_5eed);
    let [before, after] = [(); 2].map(|()| random_text(&mut dice, 400_000, 200).concat());
    let [before, after] = [&before, &after].map(|text| git::lines(text.as_bytes()));
    let ended = git::diff_lines(&before, &after, false, &Interrupt::default().or_after(Duration::from_millis(50)));
    assert!(matches!(ended, Err(Error::Time)));
    let is_gone = Interrupt::on([Arc::new(AtomicBool::new(true))]);
    assert!(matches!(git::diff_lines(&before, &after, false, &is_gone), Err(Error::Interrupted)));
}

#[test]
fn changes_of_white_space_can_be_ignored() {
    let (before, after) = (git::lines(b"a b\nc\n"), git::lines(b"ab \n\td\n"));
    assert_eq!(changes(&before, &after, false).len(), 1);
    let changes = changes(&before, &after, true);
    assert_eq!((changes[0].before.clone(), changes[0].after.clone()), (1..2, 1..2));
    assert!(git::is_binary(b"a\0b") && !git::is_binary(&[[b'a'; 8_000].as_slice(), b"\0"].concat()));
}

/// Creates a text of 20 lines, followed by `end`.
fn lines_and(end: &str) -> String {
    (0..20).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat() + end
}

fn repository_of(work: &Work) -> Repository {
    run(&work.path, &["repack", "-a", "-d", "-q"]);
    Repository::open(&work.path.join(".git")).expect("the repository")
}

fn work() -> (TempDir, Work) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("work");
    run(folder.path(), &["init", "--quiet", path.to_str().expect("a plain path")]);
    (folder, Work { path })
}

/// Creates commits `c0`, `c1` and so on with up to three parents, wrong clocks, and files that are added, deleted and added
/// again; no two files are similar.
fn changing_files(work: &Work, dice: &mut Dice, commits: usize) {
    let mut stream = String::new();
    for number in 0..commits {
        let seconds = 1_700_000_000 + number * 60 - dice.below(400);
        let head = format!("commit refs/tags/c{number}\nmark :{}\ncommitter A <a@b> {seconds} +0000\n", number + 1);
        stream += &(head + "data 1\nx\n");
        if number > 0 && dice.below(15) > 0 {
            writeln!(stream, "from :{}", number - dice.below(number.min(6))).expect("a string takes all");
            for _ in 0..dice.below(3) {
                writeln!(stream, "merge :{}", 1 + dice.below(number)).expect("a string takes all");
            }
        }
        for _ in 0..=dice.below(3) {
            let path = format!("d{}/f{}", dice.below(2), dice.below(3));
            if number > 0 && dice.below(6) == 0 {
                writeln!(stream, "D {path}").expect("a string takes all");
            } else {
                let text = format!("{path}\n").repeat(9) + &format!("version {} of {path}\n", dice.below(4));
                write!(stream, "M 644 inline {path}\ndata {}\n{text}", text.len()).expect("a string takes all");
            }
        }
    }
    feed(&work.path, &["fast-import", "--quiet"], stream.as_bytes());
}

#[test]
fn versions_and_their_successors_are_those_of_git() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..4 {
        let (_folder, work) = work();
        changing_files(&work, &mut dice, 60);
        let repository = repository_of(&work);
        for tip in ["c59", "c58", "c40"] {
            let commit = work.git(&["rev-parse", &format!("{tip}^0")]);
            for path in ["d0/f0", "d1/f2", "d0/f1"] {
                let listed = work.git(&["rev-list", "--parents", "--topo-order", &commit, "--", path]);
                let mut expected = BTreeMap::<String, BTreeSet<String>>::new();
                for line in listed.lines() {
                    let (commit, parents) = line.split_once(' ').unwrap_or((line, ""));
                    expected.entry(commit.to_owned()).or_default();
                    for parent in parents.split_whitespace() {
                        expected.entry(parent.to_owned()).or_default().insert(commit.to_owned());
                    }
                }
                let id = ObjectId::from_hex(commit.as_bytes()).expect("an id");
                let versions = repository.reader().file_history(&id, path.into()).expect("readable");
                let found: BTreeMap<_, _> =
                    versions.iter().map(|version| (version.commit.to_string(), version)).collect();
                // A deletion is not a version; the successors of a deleted file belong to the version before.
                let blob =
                    |commit: &str| run_maybe(&work, &["rev-parse", "--verify", "--quiet", &format!("{commit}:{path}")]);
                let blobs: BTreeMap<_, _> = expected.keys().map(|commit| (commit.as_str(), blob(commit))).collect();
                for commit in expected.keys() {
                    let Some(version) = found.get(commit) else {
                        assert_eq!(blobs[commit.as_str()], "", "{path} in {commit} of {tip}");
                        continue;
                    };
                    assert_eq!((version.blob.to_string(), version.path.to_string()), (blob(commit), path.to_owned()));
                    let newer: BTreeSet<_> = version.newer.iter().map(ObjectId::to_string).collect();
                    let mut children = BTreeSet::new();
                    let mut open: Vec<_> = expected[commit].iter().collect();
                    while let Some(child) = open.pop() {
                        if blobs[child.as_str()].is_empty() {
                            open.extend(&expected[child]);
                        } else {
                            children.insert(child.clone());
                        }
                    }
                    assert_eq!(newer, children, "{path} in {commit} of {tip}");
                }
                assert!(found.keys().all(|commit| expected.contains_key(commit)), "{path} of {tip}");
                // Each version comes after its successors.
                let mut seen = BTreeSet::new();
                for version in &versions {
                    assert!(version.newer.iter().all(|newer| seen.contains(newer)));
                    seen.insert(version.commit);
                }
            }
        }
    }
}

fn run_maybe(work: &Work, arguments: &[&str]) -> String {
    let output = crate::bench::try_git(&work.path, arguments, b"");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

#[test]
fn a_file_is_followed_through_its_names_as_git_does() {
    let (_folder, work) = work();
    crate::bench::advance_clock();
    work.commit("first", &lines_and("a"));
    work.commit("other", &lines_and("something else"));
    work.git(&["mv", "first", "second"]);
    work.commit("third", "unrelated");
    std::fs::create_dir(work.path.join("folder")).expect("a writable folder");
    work.git(&["mv", "second", "folder/last"]);
    work.commit("folder/last", &lines_and("b"));
    // Similar content is added under the first name again; that is another file.
    work.commit("first", &lines_and("c"));
    work.commit("folder/last", &lines_and("d"));
    let head = work.git(&["rev-parse", "HEAD"]);
    let log = work.git(&["log", "--follow", "--format=%H", "--name-only", "--", "folder/last"]);
    let lines: Vec<_> = log.lines().filter(|line| !line.is_empty()).collect();
    let expected: Vec<_> = lines.chunks(2).map(|pair| (pair[0].to_owned(), BString::from(pair[1]))).collect();
    assert_eq!(expected.len(), 4);
    let id = ObjectId::from_hex(head.as_bytes()).expect("an id");
    let versions = repository_of(&work).reader().file_history(&id, "folder/last".into()).expect("readable");
    let found: Vec<_> = versions.into_iter().map(|version| (version.commit.to_string(), version.path)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_file_that_is_renamed_on_one_side_has_two_names() {
    let (_folder, work) = work();
    crate::bench::advance_clock();
    let first = work.commit("old", &lines_and(""));
    work.git(&["checkout", "--quiet", "-b", "side"]);
    let side = work.commit("old", &lines_and("side\n"));
    work.git(&["checkout", "--quiet", "main"]);
    work.git(&["mv", "old", "new"]);
    let renamed = work.commit("other", "");
    work.git(&["merge", "--quiet", "--message", "merge", "side"]);
    let merge = work.git(&["rev-parse", "HEAD"]);
    let id = ObjectId::from_hex(merge.as_bytes()).expect("an id");
    let versions = repository_of(&work).reader().file_history(&id, "new".into()).expect("readable");
    let found: BTreeMap<_, _> = versions
        .iter()
        .map(|version| {
            let newer: Vec<_> = version.newer.iter().map(ObjectId::to_string).collect();
            (version.commit.to_string(), (version.path.to_string(), newer))
        })
        .collect();
    let on = |path: &str, newer: &[&String]| (path.to_owned(), newer.iter().map(|id| (*id).clone()).collect());
    let expected: BTreeMap<String, (String, Vec<String>)> = [
        (merge.clone(), on("new", &[])),
        (renamed.clone(), on("new", &[&merge])),
        (side.clone(), on("old", &[&merge])),
        (first, on("old", &[&side, &renamed])),
    ]
    .into();
    let sorted = |map: BTreeMap<String, (String, Vec<String>)>| -> Vec<_> {
        map.into_iter()
            .map(|(commit, (path, mut newer))| {
                newer.sort();
                (commit, path, newer)
            })
            .collect()
    };
    assert_eq!(sorted(found), sorted(expected));
    drop(feed(&work.path, &["fsck"], b""));
}

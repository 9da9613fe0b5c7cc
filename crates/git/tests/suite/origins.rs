//! Histories of renamed and copied files, compared with `git log --follow`.

use std::collections::BTreeMap;
use std::fmt::Write;

use git::{ObjectId, Repository};

use crate::bench::{Work, feed, run};
use crate::random::Dice;

/// Creates a linear history of files that are edited, copied, renamed, deleted and created; returns the final files.
fn history(work: &Work, dice: &mut Dice, commits: usize) -> Vec<String> {
    let mut files = BTreeMap::<String, Vec<String>>::new();
    let mut stream = String::new();
    for number in 0..commits {
        let seconds = 1_700_000_000 + number * 60;
        let before = files.clone();
        for _ in 0..=dice.below(3) {
            let path = format!("d{}/f{}", dice.below(3), dice.below(4));
            let known: Vec<_> = before.keys().cloned().collect();
            let line = |dice: &mut Dice| format!("line {}", dice.below(1_000_000));
            match dice.below(8) {
                0 => {
                    let lines = (0..10 + dice.below(10)).map(|_| line(dice)).collect();
                    files.insert(path, lines);
                }
                1 => drop(files.remove(&path)),
                kind @ 2..=5 if !known.is_empty() => {
                    let from = &known[dice.below(known.len())];
                    let mut lines = before[from].clone();
                    for _ in 0..dice.below(3) * dice.below(4) {
                        let at = dice.below(lines.len());
                        lines[at] = line(dice);
                    }
                    if kind == 2 {
                        files.remove(from);
                    }
                    files.insert(path, lines);
                }
                _ => {
                    if let Some(lines) = files.get_mut(&path) {
                        let at = dice.below(lines.len());
                        lines[at] = line(dice);
                    }
                }
            }
        }
        writeln!(stream, "commit refs/heads/main\ncommitter A <a@b> {seconds} +0000\ndata 1\nx")
            .expect("a string takes all");
        for path in before.keys().filter(|path| !files.contains_key(*path)) {
            writeln!(stream, "D {path}").expect("a string takes all");
        }
        for (path, lines) in &files {
            let text = lines.join("\n") + "\n";
            write!(stream, "M 644 inline {path}\ndata {}\n{text}", text.len()).expect("a string takes all");
        }
    }
    feed(&work.path, &["fast-import", "--quiet"], stream.as_bytes());
    files.into_keys().collect()
}

/// Lists the versions of a file according to git: commit and path.
fn of_git(work: &Work, path: &str) -> Vec<(String, String)> {
    let log = work.git(&["log", "main", "--follow", "--format=%H", "--name-status", "--", path]);
    let mut versions = Vec::new();
    let mut commit = "";
    for line in log.lines().filter(|line| !line.is_empty()) {
        match line.split_once('\t') {
            None => commit = line,
            Some(("D", _)) => {}
            Some((_, paths)) => {
                let last = paths.rsplit('\t').next().unwrap_or(paths);
                versions.push((commit.to_owned(), last.to_owned()));
            }
        }
    }
    versions
}

#[test]
fn copies_and_renames_are_followed_as_by_git() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut compared = 0;
    for _ in 0..12 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let work = Work { path: folder.path().join("work") };
        run(folder.path(), &["init", "--quiet", work.path.to_str().expect("a plain path")]);
        let files = history(&work, &mut dice, 40);
        run(&work.path, &["repack", "-a", "-d", "-q"]);
        let repository = Repository::open(&work.path.join(".git")).expect("the repository");
        let tip = ObjectId::from_hex(work.git(&["rev-parse", "main"]).as_bytes()).expect("an id");
        for path in files {
            let versions = repository.reader().file_history(&tip, path.as_str().into()).expect("readable");
            let found: Vec<_> =
                versions.iter().map(|version| (version.commit.to_string(), version.path.to_string())).collect();
            assert_eq!(found, of_git(&work, &path), "{path} of {tip}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

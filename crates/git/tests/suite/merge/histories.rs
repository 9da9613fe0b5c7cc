//! Reproducible random histories with many changes at the same paths.

use std::collections::BTreeMap;

use crate::random::Dice;

/// A file, link or submodule.
#[derive(Clone, PartialEq, Eq)]
struct File {
    mode: &'static str,
    data: Vec<u8>,
}

type Tree = BTreeMap<String, File>;

/// The files of a commit, and its parents.
struct Commit {
    tree: Tree,
    parents: Vec<usize>,
    seconds: usize,
}

/// The shape of a history with two sides.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// The sides fork once.
    Fork,
    /// The sides merge each other this often, each in its own way.
    CrissCross(usize),
    /// Both sides merge this many other branches.
    Shared(usize),
}

pub struct History<'d> {
    dice: &'d mut Dice,
    commits: Vec<Commit>,
    /// Whether each commit has few changes.
    is_calm: bool,
}

impl<'d> History<'d> {
    /// Creates a history whose last two commits are the sides.
    pub fn new(dice: &'d mut Dice, shape: Shape, is_calm: bool) -> Self {
        let mut history = Self { dice, commits: Vec::new(), is_calm };
        let tree = history.first_tree();
        let root = history.commit(tree, vec![]);
        let (mut ours, mut theirs) = (history.change(root), history.change(root));
        match shape {
            Shape::Fork => {}
            Shape::CrissCross(rounds) => {
                for _ in 0..rounds {
                    (ours, theirs) = (history.blend(ours, theirs), history.blend(theirs, ours));
                    (ours, theirs) = (history.change(ours), history.change(theirs));
                }
            }
            Shape::Shared(others) => {
                let others: Vec<_> = (0..others).map(|_| history.change(root)).collect();
                for other in others.iter().rev() {
                    ours = history.blend(ours, *other);
                }
                for other in others {
                    theirs = history.blend(theirs, other);
                }
            }
        }
        history.change(ours);
        history.change(theirs);
        history
    }

    /// Writes the history for `git fast-import`; the sides become the tags `NAME-ours` and `NAME-theirs`.
    pub fn write(&self, name: &str, first_mark: &mut usize, out: &mut Vec<u8>) {
        let mut line = |text: String| out.extend_from_slice(text.as_bytes());
        let count = self.commits.len();
        for (number, commit) in self.commits.iter().enumerate() {
            let tag = match count - number {
                2 => format!("{name}-ours"),
                1 => format!("{name}-theirs"),
                _ => format!("{name}-{number}"),
            };
            line(format!("commit refs/tags/{tag}\nmark :{}\n", *first_mark + number));
            line(format!("committer A <a@b> {} +0000\ndata 1\nx\n", commit.seconds));
            for (at, parent) in commit.parents.iter().enumerate() {
                line(format!("{} :{}\n", if at == 0 { "from" } else { "merge" }, *first_mark + parent));
            }
            line("deleteall\n".to_owned());
            for (path, file) in &commit.tree {
                if file.mode == "160000" {
                    line(format!("M 160000 {} {path}\n", String::from_utf8_lossy(&file.data)));
                } else {
                    line(format!("M {} inline {path}\ndata {}\n", file.mode, file.data.len()));
                    line(String::from_utf8(file.data.clone()).expect("ASCII text"));
                    line("\n".to_owned());
                }
            }
            line("\n".to_owned());
        }
        *first_mark += count;
    }

    fn commit(&mut self, tree: Tree, parents: Vec<usize>) -> usize {
        // Some clocks are wrong, and some commits have the same time.
        let seconds = 1_700_000_000 + self.commits.len() * 2 + self.dice.below(5);
        self.commits.push(Commit { tree, parents, seconds });
        self.commits.len() - 1
    }

    fn change(&mut self, parent: usize) -> usize {
        let mut tree = self.commits[parent].tree.clone();
        for _ in 0..=self.dice.below(if self.is_calm { 1 } else { 4 }) {
            self.edit(&mut tree);
        }
        self.commit(tree, vec![parent])
    }

    /// Merges two commits at random, as a careless person would.
    fn blend(&mut self, one: usize, other: usize) -> usize {
        let mut tree = Tree::new();
        let (mine, theirs) = (self.commits[one].tree.clone(), self.commits[other].tree.clone());
        for path in mine.keys().chain(theirs.keys().filter(|path| !mine.contains_key(*path))) {
            let file = match (mine.get(path), theirs.get(path)) {
                (Some(mine), Some(theirs)) if mine.mode == "100644" && theirs.mode == "100644" => {
                    match self.dice.below(4) {
                        0 => mine.clone(),
                        1 => theirs.clone(),
                        _ => File { mode: mine.mode, data: self.splice(&mine.data, &theirs.data) },
                    }
                }
                (mine, theirs) => match self.dice.below(3) {
                    0 => match mine {
                        Some(mine) => mine.clone(),
                        None => continue,
                    },
                    1 => match theirs {
                        Some(theirs) => theirs.clone(),
                        None => continue,
                    },
                    _ => mine.or(theirs).expect("one side has the path").clone(),
                },
            };
            put(&mut tree, path, file);
        }
        self.commit(tree, vec![one, other])
    }

    fn splice(&mut self, one: &[u8], other: &[u8]) -> Vec<u8> {
        let (one, other) = (lines(one), lines(other));
        let at = self.dice.below(one.len().min(other.len()) + 1);
        [one[..at].concat(), other[at..].concat()].concat()
    }

    fn first_tree(&mut self) -> Tree {
        let mut tree = Tree::new();
        for _ in 0..if self.is_calm { 12 } else { 4 } + self.dice.below(6) {
            let path = self.path();
            let file = self.file();
            put(&mut tree, &path, file);
        }
        tree
    }

    fn path(&mut self) -> String {
        let folders = ["", "", "a/", "a/", "b/", "a/deep/", "c/", "c/deep/er/"];
        let names = ["file", "make", "read.me", "x", "y", "z-1", "deep", "a", "link"];
        format!("{}{}", folders[self.dice.below(folders.len())], names[self.dice.below(names.len())])
    }

    fn line(&mut self) -> Vec<u8> {
        match self.dice.below(8) {
            0 => b"\n".to_vec(),
            1 => b"}\n".to_vec(),
            2 => b"    return;\n".to_vec(),
            3 if self.dice.below(20) == 0 => b"with a return\r\n".to_vec(),
            _ => format!("line {}\n", self.dice.below(40)).into_bytes(),
        }
    }

    fn text(&mut self) -> Vec<u8> {
        let count = match self.dice.below(10) {
            0 => 0,
            1..4 if !self.is_calm => 3,
            _ => 12 + self.dice.below(20),
        };
        let mut text: Vec<u8> = (0..count).flat_map(|_| self.line()).collect();
        if self.dice.below(12) == 0 {
            text.extend_from_slice(b"no end");
        }
        text
    }

    fn file(&mut self) -> File {
        match self.dice.below(16) {
            0 => File { mode: "120000", data: self.path().into_bytes() },
            1 => File { mode: "160000", data: format!("{:040x}", 1 + self.dice.below(4)).into_bytes() },
            2 => File { mode: "100644", data: [b"\0".as_slice(), &self.text()].concat() },
            3 => File { mode: "100755", data: self.text() },
            _ => File { mode: "100644", data: self.text() },
        }
    }

    fn edit(&mut self, tree: &mut Tree) {
        let paths: Vec<String> = tree.keys().cloned().collect();
        let Some(path) = (!paths.is_empty()).then(|| paths[self.dice.below(paths.len())].clone()) else {
            let (path, file) = (self.path(), self.file());
            return put(tree, &path, file);
        };
        match self.dice.below(if self.is_calm { 17 } else { 20 }) {
            0..8 => self.rewrite(tree.get_mut(&path).expect("the path is known")),
            8 | 9 => drop(tree.remove(&path)),
            10..12 => {
                let (path, file) = (self.path(), self.file());
                put(tree, &path, file);
            }
            12..16 => {
                let mut file = tree.remove(&path).expect("the path is known");
                if self.dice.below(2) == 0 {
                    self.rewrite(&mut file);
                }
                let path = self.path();
                put(tree, &path, file);
            }
            16 | 17 => self.move_folder(tree, &path),
            18 => {
                let file = tree.get_mut(&path).expect("the path is known");
                match file.mode {
                    "100644" => file.mode = "100755",
                    "100755" => file.mode = "100644",
                    _ => {}
                }
            }
            _ => {
                let file = self.file();
                put(tree, &path, file);
            }
        }
    }

    fn move_folder(&mut self, tree: &mut Tree, path: &str) {
        let Some((folder, _)) = path.rsplit_once('/') else { return };
        let to = ["new", "b", "a/moved", "c"][self.dice.below(4)];
        let moved: Vec<String> = tree.keys().filter(|path| path.starts_with(&format!("{folder}/"))).cloned().collect();
        for path in moved {
            // A file that was moved before can have replaced it.
            let Some(file) = tree.remove(&path) else { continue };
            put(tree, &format!("{to}{}", &path[folder.len()..]), file);
        }
    }

    fn rewrite(&mut self, file: &mut File) {
        match file.mode {
            "120000" => file.data = self.path().into_bytes(),
            "160000" => file.data = format!("{:040x}", 1 + self.dice.below(4)).into_bytes(),
            _ => {
                let mut text: Vec<Vec<u8>> = lines(&file.data).into_iter().map(<[u8]>::to_vec).collect();
                for _ in 0..=self.dice.below(3) {
                    let at = self.dice.below(text.len() + 1);
                    match self.dice.below(4) {
                        0 if at < text.len() => drop(text.remove(at)),
                        1 | 2 if at < text.len() => text[at] = self.line(),
                        _ => text.insert(at, self.line()),
                    }
                }
                file.data = text.concat();
            }
        }
    }
}

/// Adds a file; removes entries that are in its way.
fn put(tree: &mut Tree, path: &str, file: File) {
    tree.retain(|other, _| !other.starts_with(&format!("{path}/")) && !path.starts_with(&format!("{other}/")));
    tree.insert(path.to_owned(), file);
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

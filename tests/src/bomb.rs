//! Histories of a few objects that stand for any number of files.

use std::path::Path;

use crate::clients::{git, git_fed};

/// Pushes a commit as a branch.
pub fn push(folder: &Path, url: &str, commit: &str, branch: &str) {
    // Git's own way to find what is new, path by path, would not end.
    let way = ["-c", "pack.useSparse=false", "push", "--quiet"];
    git(folder, &[&way[..], &[url, &format!("{commit}:refs/heads/{branch}")]].concat()).ok();
}

/// Makes a commit whose folders lie in each other, ten times the same in each, with one file at each bottom: ten times as many
/// files for each level. Returns its id; the folder is that of a repository.
pub fn commit(folder: &Path, text: &str, levels: usize, name_bytes: usize, parent: Option<&str>) -> String {
    let id = |output: Vec<u8>| String::from_utf8(output).expect("ids are text").trim_end().to_owned();
    let file = id(git_fed(folder, &["hash-object", "-w", "--stdin"], text.as_bytes()));
    let mut tree = id(git_fed(folder, &["mktree"], format!("100644 blob {file}\tfile\n").as_bytes()));
    for _ in 0..levels {
        let entries = (0..10).map(|at| format!("040000 tree {tree}\t{at:0>name_bytes$}\n"));
        tree = id(git_fed(folder, &["mktree"], entries.collect::<String>().as_bytes()));
    }
    let mut arguments = vec!["commit-tree", &tree, "-m", text];
    arguments.extend(parent.iter().flat_map(|parent| ["-p", parent]));
    git(folder, &arguments).ok()
}

//! Commits of a few objects with very many files.

use std::path::Path;

use crate::clients::{git, git_fed};

/// Pushes a commit as a branch.
pub fn push(folder: &Path, url: &str, commit: &str, branch: &str) {
    // Git's default search for new objects visits every path and would not end.
    let options = ["-c", "pack.useSparse=false", "push", "--quiet"];
    git(folder, &[&options[..], &[url, &format!("{commit}:refs/heads/{branch}")]].concat()).ok();
}

/// Creates a commit with nested folders: each contains the same folder ten times, and the innermost contain one file. Each level
/// multiplies the number of files by ten. `folder` is a repository. Returns the id of the commit.
pub fn commit(folder: &Path, text: &str, levels: usize, name_bytes: usize, parent: Option<&str>) -> String {
    let id = |output: Vec<u8>| String::from_utf8(output).expect("an id is text").trim_end().to_owned();
    let file = id(git_fed(folder, &["hash-object", "-w", "--stdin"], text.as_bytes()));
    let mut tree = id(git_fed(folder, &["mktree"], format!("100644 blob {file}\tfile\n").as_bytes()));
    for _ in 0..levels {
        let entries = (0..10).map(|number| format!("040000 tree {tree}\t{number:0>name_bytes$}\n"));
        tree = id(git_fed(folder, &["mktree"], entries.collect::<String>().as_bytes()));
    }
    let mut arguments = vec!["commit-tree", &tree, "-m", text];
    arguments.extend(parent.iter().flat_map(|parent| ["-p", parent]));
    git(folder, &arguments).ok()
}

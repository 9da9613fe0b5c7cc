//! A repository in a folder: its references, and its objects as one pack.
//!
//! **Invariant:** nothing outside of the folder is read, and nothing in it is written.

use std::fs;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use git::{ObjectId, Repository};

use super::Content;
use super::references::{self, Found};

/// Opens a repository; of one with a working tree, references that belong to that are left out.
pub(super) fn open(path: &Path, tips: &[ObjectId], has_worktree: bool, scratch: &Path) -> Result<Content, String> {
    if !path.join("objects").is_dir() {
        return Err(
            "it is no Git repository, as it has no folder 'objects'; create it with git clone --bare".to_owned()
        );
    }
    check_links(path)?;
    check_form(path)?;
    let Found { mut references, head } = references::read(path)?;
    if has_worktree {
        references.retain(|name, _| !LOCAL.iter().any(|prefix| name.starts_with(prefix.as_bytes())));
    }
    let references: Vec<_> = references.into_iter().collect();
    let repository = Repository::open(path).map_err(|error| format!("cannot open its objects: {error}"))?;
    if let Some((index, reason)) = repository.unusable_packs().first() {
        return Err(format!("the pack of '{}' cannot be used: {reason}; restore it from a copy", index.display()));
    }
    let failed = |error: &dyn std::fmt::Display| format!("cannot read its objects: {error}; git fsck shows more");
    if let Some(pack) = repository.only_pack().map_err(|error| failed(&error))? {
        return Ok(Content { references, head, pack: Box::new(pack) });
    }
    let mut tips: Vec<_> = references.iter().map(|(_, id)| *id).chain(tips.iter().copied()).collect();
    tips.sort_unstable();
    tips.dedup();
    let pack = tempfile::tempfile_in(scratch).map_err(|error| failed(&error))?;
    let mut output = BufWriter::new(pack);
    repository.write_pack(&tips, &mut output).map_err(|error| failed(&error))?;
    output.flush().map_err(|error| failed(&error))?;
    let mut pack = output.into_inner().map_err(|error| failed(&error))?;
    pack.rewind().map_err(|error| failed(&error))?;
    Ok(Content { references, head, pack: Box::new(pack) })
}

/// Prefixes of references that belong to a working tree.
const LOCAL: [&str; 5] = ["refs/remotes/", "refs/stash", "refs/bisect/", "refs/worktree/", "refs/rewritten/"];

/// Fails if a file of the repository is a symbolic link.
fn check_links(path: &Path) -> Result<(), String> {
    let read: [PathBuf; 6] = ["objects", "refs", "lfs", "HEAD", "packed-refs", "config"].map(|name| path.join(name));
    let mut left = read.to_vec();
    left.push(path.to_owned());
    while let Some(path) = left.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_symlink() {
            return Err(format!("'{}' is a symbolic link; put a copy in its place", path.display()));
        }
        if metadata.is_dir() && read.iter().any(|folder| path.starts_with(folder)) {
            let entries = fs::read_dir(&path).map_err(|error| format!("cannot read '{}': {error}", path.display()))?;
            left.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    Ok(())
}

/// Fails if the repository lacks objects, or has a form that is not read.
fn check_form(path: &Path) -> Result<(), String> {
    let refused = [
        (
            "objects/info/alternates",
            "it borrows objects of another repository; run git repack -a -d in it, and remove 'objects/info/alternates'",
        ),
        ("shallow", "it is a shallow clone; run git fetch --unshallow in it"),
        ("reftable", "its references are in a reftable; run git refs migrate --ref-format=files in it"),
        ("commondir", "it is one of several working trees; use the repository that it belongs to"),
    ];
    if let Some((_, reason)) = refused.into_iter().find(|(name, _)| path.join(name).exists()) {
        return Err(reason.to_owned());
    }
    let config = fs::read_to_string(path.join("config")).unwrap_or_default().to_lowercase();
    let is_sha256 = config.lines().any(|line| line.replace([' ', '\t'], "") == "objectformat=sha256");
    if is_sha256 { Err("its objects have SHA-256 ids; CodeCommit has SHA-1 ids only".to_owned()) } else { Ok(()) }
}

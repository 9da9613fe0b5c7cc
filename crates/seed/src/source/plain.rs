//! A plain folder of files, as one commit.
//!
//! **Invariant:** the commit depends on the files, their executable bits and the options only, so its id is the same each time.
//! Symbolic links are stored as links, and never followed.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aws::Timestamp;
use git::{Commit, Kind, Mode, Object, ObjectId, Signature};

use super::Content;
use super::pack_file::PackFile;

/// Maximum number of nested folders.
const DEPTH_MAX: usize = 256;

/// Maximum size of a file, in bytes; it is the limit of pushes, too, and a file is in memory while it is read.
const FILE_BYTES_MAX: u64 = 2 << 30;

/// The branch of the commit, unless the seed names another one.
const BRANCH: &str = "main";

/// Author, date, message and branch of a commit.
#[derive(Clone, Debug)]
pub(crate) struct CommitOptions {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) date: Timestamp,
    pub(crate) message: String,
    /// The short name of the branch.
    pub(crate) branch: Option<String>,
}

/// Opens a folder.
pub(super) fn open(path: &Path, options: &CommitOptions, scratch: &Path) -> Result<Content, String> {
    let failed = |error: io::Error| format!("cannot write its files into a pack: {error}");
    let mut pack = PackFile::create(scratch).map_err(failed)?;
    let tree = match write_folder(path, 0, &mut pack)? {
        Some(tree) => tree,
        None => pack.add(&Object { kind: Kind::Tree, data: Vec::new() }).map_err(failed)?,
    };
    let signature = Signature {
        name: options.name.as_str().into(),
        email: options.email.as_str().into(),
        date: format!("{} +0000", options.date.millis().div_euclid(1_000)).into(),
    };
    let commit = Commit {
        tree,
        parents: Vec::new(),
        author: signature.clone(),
        committer: signature,
        extra_headers: git::BString::default(),
        message: options.message.as_str().into(),
    };
    let commit = pack.add(&commit.to_object()).map_err(failed)?;
    let branch = options.branch.as_deref().unwrap_or(BRANCH);
    let branch: git::BString = format!("refs/heads/{branch}").into();
    let pack = pack.finish().map_err(failed)?;
    Ok(Content { references: vec![(branch.clone(), commit)], head: Some(branch), pack: Box::new(pack) })
}

/// Writes a folder and everything in it; returns the tree, or `None` if there is no file.
fn write_folder(path: &Path, depth: usize, pack: &mut PackFile) -> Result<Option<ObjectId>, String> {
    let failed = |error: io::Error| format!("cannot read '{}': {error}", path.display());
    if depth > DEPTH_MAX {
        return Err(format!("folders are nested deeper than {DEPTH_MAX}; the first is '{}'", path.display()));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().as_bytes().to_vec();
        let file = entry.path();
        if name == b".git" {
            return Err(format!("'{}' is part of another Git repository; remove it", file.display()));
        }
        if let Some((mode, id)) = write_file(&file, depth, pack)? {
            entries.push((name, mode, id));
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    // Git sorts a folder as if its name ended in a slash.
    let key = |name: &[u8], mode: Mode| [name, if mode == Mode::Tree { b"/".as_slice() } else { b"" }].concat();
    entries.sort_by_cached_key(|(name, mode, _)| key(name, *mode));
    let mut data = Vec::new();
    for (name, mode, id) in entries {
        data.extend_from_slice(mode.octal().trim_start_matches('0').as_bytes());
        data.push(b' ');
        data.extend_from_slice(&name);
        data.push(0);
        data.extend_from_slice(id.as_slice());
    }
    pack.add(&Object { kind: Kind::Tree, data }).map(Some).map_err(failed)
}

/// Writes a file, link or folder; `None` if it is a folder without files.
fn write_file(path: &Path, depth: usize, pack: &mut PackFile) -> Result<Option<(Mode, ObjectId)>, String> {
    let failed = |error: io::Error| format!("cannot read '{}': {error}", path.display());
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let (mode, content) = if metadata.is_dir() {
        return Ok(write_folder(path, depth + 1, pack)?.map(|id| (Mode::Tree, id)));
    } else if metadata.is_symlink() {
        (Mode::Symlink, fs::read_link(path).map_err(failed)?.as_os_str().as_bytes().to_vec())
    } else if !metadata.is_file() {
        return Err(format!("'{}' is no file, folder or link; remove it", path.display()));
    } else if metadata.len() > FILE_BYTES_MAX {
        return Err(format!("'{}' is larger than 2 GB, the limit of a pushed file; remove it", path.display()));
    } else {
        let is_executable = metadata.permissions().mode() & 0o100 != 0;
        (if is_executable { Mode::Executable } else { Mode::File }, fs::read(path).map_err(failed)?)
    };
    let id = pack.add(&Object::blob(content)).map_err(failed)?;
    Ok(Some((mode, id)))
}

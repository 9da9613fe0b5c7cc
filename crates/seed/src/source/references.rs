//! The references of a repository in a folder: loose files, `packed-refs`, and `HEAD`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use git::{BString, ByteSlice, ObjectId};

/// Maximum size of the file of a reference, in bytes: more than the longest name of one.
const FILE_BYTES_MAX: u64 = 8_192;

/// Maximum size of `packed-refs`, in bytes: some millions of references.
const PACKED_BYTES_MAX: u64 = 1 << 30;

/// Maximum length of a chain of symbolic references.
const SYMBOLIC_DEPTH: usize = 5;

/// The references of a repository.
pub(super) struct Found {
    pub(super) references: BTreeMap<BString, ObjectId>,
    /// The full name of the default branch, unless HEAD is detached.
    pub(super) head: Option<BString>,
}

/// The content of a reference.
enum Target {
    Object(ObjectId),
    Symbolic(BString),
}

/// Reads the references; symbolic ones get the object that they finally name, and are left out if there is none.
pub(super) fn read(path: &Path) -> Result<Found, String> {
    let mut targets = packed(&path.join("packed-refs"))?;
    let refs = path.join("refs");
    let mut folders = vec![refs];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("cannot read '{}': {error}", folder.display())),
        };
        for entry in entries {
            let file = entry.map_err(|error| format!("cannot read '{}': {error}", folder.display()))?.path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_none_or(|extension| extension != "lock") {
                let name = file.strip_prefix(path).map_err(|error| error.to_string())?;
                targets.insert(name.as_os_str().as_bytes().into(), loose(&file)?);
            }
        }
    }
    let references = targets.keys().filter_map(|name| Some((name.clone(), resolve(&targets, name)?))).collect();
    let head = match loose(&path.join("HEAD"))? {
        Target::Symbolic(name) => Some(name),
        Target::Object(_) => None,
    };
    Ok(Found { references, head })
}

fn resolve(targets: &BTreeMap<BString, Target>, name: &BString) -> Option<ObjectId> {
    let mut name = name;
    for _ in 0..=SYMBOLIC_DEPTH {
        match targets.get(name)? {
            Target::Object(id) => return Some(*id),
            Target::Symbolic(next) => name = next,
        }
    }
    None
}

/// Reads the file of a reference.
fn loose(file: &Path) -> Result<Target, String> {
    let text = limited(file, FILE_BYTES_MAX)?;
    let text = text.trim_end();
    match text.strip_prefix(b"ref:") {
        Some(name) => Ok(Target::Symbolic(name.trim().into())),
        None => ObjectId::from_hex(text).map(Target::Object).map_err(|_| damaged(file)),
    }
}

/// Reads `packed-refs`.
fn packed(file: &Path) -> Result<BTreeMap<BString, Target>, String> {
    if !file.exists() {
        return Ok(BTreeMap::new());
    }
    let text = limited(file, PACKED_BYTES_MAX)?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"^"));
    let reference = |line: &[u8]| {
        let (id, name) = line.split_once_str(b" ")?;
        Some((name.into(), Target::Object(ObjectId::from_hex(id).ok()?)))
    };
    lines.map(|line| reference(line).ok_or_else(|| damaged(file))).collect()
}

fn limited(file: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let opened = File::open(file).and_then(|opened| opened.take(bytes_max + 1).read_to_end(&mut text));
    opened.map_err(|error| format!("cannot read '{}': {error}", file.display()))?;
    if text.len() as u64 > bytes_max { Err(damaged(file)) } else { Ok(text) }
}

fn damaged(file: &Path) -> String {
    format!("'{}' is no file of references; git fsck shows more", file.display())
}

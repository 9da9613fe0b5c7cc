//! The folders of a server, which must lie apart from each other.
//!
//! **Invariant:** no file of the database, of a repository or of a key can be reached through a bucket.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use crate::folder_lock::FolderLock;
use crate::{Settings, StartError};

/// The lock file in the folder of buckets, whose name no bucket can have.
const BUCKETS_LOCK: &str = ".lock";

/// The folders in the data folder that are the server's own.
const OF_DATA: [&str; 3] = ["repositories", "cache", "archives"];

/// What a folder or file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// The data folder: others may lie in it.
    Data,
    /// A folder of the server's own in the data folder.
    OfData,
    /// A folder whose files are handed out as the objects of buckets.
    Bucket,
    /// A folder that old files of buckets are moved to.
    Archive,
    /// A file with secrets.
    Secret,
}

/// A folder or file that a setting names.
#[derive(Clone, Debug)]
struct Place {
    setting: &'static str,
    path: PathBuf,
    purpose: Use,
}

/// Two places that do not lie apart.
#[derive(Debug)]
pub struct Overlap {
    inner: (&'static str, PathBuf),
    outer: (&'static str, PathBuf),
}

impl fmt::Display for Overlap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((inner, inner_path), (outer, outer_path)) = (&self.inner, &self.outer);
        let relation = if inner_path == outer_path { "is also" } else { "lies in" };
        write!(
            formatter,
            "{} of {inner} {relation} {} of {outer}; choose places that lie apart from each other",
            inner_path.display(),
            outer_path.display()
        )
    }
}

/// Returns the folder of buckets: the one that is set, else `buckets` beside the trail directory.
pub(crate) fn buckets_folder(settings: &Settings, trail_folder: &Path) -> io::Result<PathBuf> {
    match &settings.buckets_dir {
        Some(folder) => Ok(folder.clone()),
        None if trail_folder.file_name().is_some() => Ok(trail_folder.with_file_name("buckets")),
        // Of a path such as `.` only the real one has a folder above.
        None => Ok(real(trail_folder)?.with_file_name("buckets")),
    }
}

/// Takes the locks of the three folders.
///
/// A folder of buckets that no setting names and that this user may not write needs none: no bucket can be made in it.
pub(crate) fn lock(
    settings: &Settings,
    data_folder: &Path,
    trail_folder: &Path,
    buckets_folder: &Path,
    address: SocketAddr,
) -> Result<Vec<FolderLock>, StartError> {
    let mut locks = vec![
        FolderLock::take("--data-dir", data_folder, "lock", address)?,
        FolderLock::take("--trail-dir", trail_folder, trail::LOCK, address)?,
    ];
    match FolderLock::take("--buckets-dir", buckets_folder, BUCKETS_LOCK, address) {
        Ok(lock) => locks.push(lock),
        Err(StartError::Folder { source, .. })
            if settings.buckets_dir.is_none()
                && matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {}
        Err(error) => return Err(error),
    }
    Ok(locks)
}

/// Refuses folders and files of the settings that lie in each other, by their real paths.
pub(crate) fn check(
    settings: &Settings,
    data_folder: &Path,
    trail_folder: &Path,
    buckets_folder: &Path,
) -> Result<(), StartError> {
    let mut named = vec![
        ("--data-dir", data_folder.to_owned(), Use::Data),
        ("--trail-dir", trail_folder.to_owned(), Use::Bucket),
        ("--buckets-dir", buckets_folder.to_owned(), Use::Bucket),
    ];
    named.extend(OF_DATA.map(|name| ("--data-dir", data_folder.join(name), Use::OfData)));
    let optional = [
        ("--trail-archive", &settings.retention.archive, Use::Archive),
        ("--signing-key", &settings.signing_key, Use::Secret),
        ("--identities", &settings.identities, Use::Secret),
        ("--config", &settings.config, Use::Secret),
    ];
    named.extend(optional.into_iter().filter_map(|(setting, path, purpose)| Some((setting, path.clone()?, purpose))));
    let mut places = Vec::new();
    for (setting, path, purpose) in named {
        let path = real(&path).map_err(|source| StartError::Folder { setting, path, source })?;
        places.push(Place { setting, path, purpose });
    }
    overlap(&places).map_or(Ok(()), |overlap| Err(StartError::Overlap(overlap)))
}

/// Finds two places of which one lies in the other and must not.
fn overlap(places: &[Place]) -> Option<Overlap> {
    let pairs = places.iter().flat_map(|inner| places.iter().map(move |outer| (inner, outer)));
    let (inner, outer) = pairs
        .filter(|(inner, outer)| !std::ptr::eq(*inner, *outer) && inner.path.starts_with(&outer.path))
        .find(|(inner, outer)| !may_lie_in(inner, outer))?;
    Some(Overlap { inner: (inner.setting, inner.path.clone()), outer: (outer.setting, outer.path.clone()) })
}

fn may_lie_in(inner: &Place, outer: &Place) -> bool {
    match (inner.purpose, outer.purpose) {
        (Use::Secret, Use::Secret) => true,
        (_, Use::Data) | (Use::Secret, Use::Archive) => inner.path != outer.path,
        _ => false,
    }
}

/// Returns the path without links, `.` and `..`, of a file or folder that need not be there yet.
fn real(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut missing: Vec<Component<'_>> = Vec::new();
    let mut existing = absolute.as_path();
    let mut real = loop {
        match existing.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            canonical => break canonical?,
        }
        missing.extend(existing.components().next_back());
        existing = existing.parent().ok_or(ErrorKind::NotFound)?;
    };
    for component in missing.into_iter().rev() {
        match component {
            Component::ParentDir => drop(real.pop()),
            other => real.push(other),
        }
    }
    Ok(if cfg!(any(target_os = "macos", target_os = "windows")) { lower_case(&real) } else { real })
}

/// Makes paths equal that lead to one file where case does not count.
fn lower_case(path: &Path) -> PathBuf {
    path.iter().map(OsStr::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests;

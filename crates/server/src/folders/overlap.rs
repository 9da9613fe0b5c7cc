//! Checks that the folders and files of the settings do not lie in each other.
//!
//! **Invariant:** no file of the database, of a repository or of a key can be reached through a bucket.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use crate::settings::ObjectsPlace;
use crate::{Settings, StartError};

/// The server's own folders in the data folder.
const DATA_SUBFOLDERS: [&str; 6] = ["repositories", "copies", "cache", "archives", "lfs-uploads", "lfs-cache"];

/// The use of a folder or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The data folder; other folders may lie in it.
    Data,
    /// One of the server's own folders in the data folder, or the one that several nodes share instead.
    DataSubfolder,
    /// A folder whose files are served as the objects of buckets.
    Bucket,
    /// A folder to which expired files of buckets are moved.
    Archive,
    /// A file with secrets.
    Secret,
}

/// A folder or file that a setting names.
#[derive(Clone, Debug)]
struct ConfiguredPath {
    setting: &'static str,
    path: PathBuf,
    purpose: Purpose,
}

/// Two folders or files of the settings of which one lies in the other.
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
            "'{}' of {inner} {relation} '{}' of {outer}; choose paths that do not lie in each other",
            inner_path.display(),
            outer_path.display()
        )
    }
}

/// Rejects folders and files of the settings that lie in each other, by their resolved paths.
pub(super) fn check(settings: &Settings, data: &Path, trail: &Path, buckets: &Path) -> Result<(), StartError> {
    let mut paths = vec![
        ("--data-dir", data.to_owned(), Purpose::Data),
        ("--trail-dir", trail.to_owned(), Purpose::Bucket),
        ("--buckets-dir", buckets.to_owned(), Purpose::Bucket),
    ];
    paths.extend(DATA_SUBFOLDERS.map(|name| ("--data-dir", data.join(name), Purpose::DataSubfolder)));
    let tls_key = settings.tls.certificate.as_ref().map(|files| files.key.clone());
    let objects = settings.objects.as_ref().and_then(ObjectsPlace::folder).cloned();
    let optional = [
        ("--objects", &objects, Purpose::DataSubfolder),
        ("--trail-archive", &settings.retention.archive, Purpose::Archive),
        ("--signing-key", &settings.signing_key, Purpose::Secret),
        ("--identities", &settings.identities, Purpose::Secret),
        ("--config", &settings.config, Purpose::Secret),
        ("--tls-key", &tls_key, Purpose::Secret),
    ];
    paths.extend(optional.into_iter().filter_map(|(setting, path, purpose)| Some((setting, path.clone()?, purpose))));
    let resolved = paths.into_iter().map(|(setting, path, purpose)| {
        let path = resolve(&path).map_err(|source| StartError::Folder { setting, path, source })?;
        Ok(ConfiguredPath { setting, path, purpose })
    });
    let paths: Vec<_> = resolved.collect::<Result<_, StartError>>()?;
    find(&paths).map_or(Ok(()), |overlap| Err(StartError::Overlap(overlap)))
}

/// Finds two paths of which one lies in the other and must not.
fn find(paths: &[ConfiguredPath]) -> Option<Overlap> {
    let pairs = paths.iter().flat_map(|inner| paths.iter().map(move |outer| (inner, outer)));
    let (inner, outer) = pairs
        .filter(|(inner, outer)| !std::ptr::eq(*inner, *outer) && inner.path.starts_with(&outer.path))
        .find(|(inner, outer)| !may_lie_in(inner, outer))?;
    Some(Overlap { inner: (inner.setting, inner.path.clone()), outer: (outer.setting, outer.path.clone()) })
}

fn may_lie_in(inner: &ConfiguredPath, outer: &ConfiguredPath) -> bool {
    match (inner.purpose, outer.purpose) {
        (Purpose::Secret, Purpose::Secret) => true,
        (_, Purpose::Data) | (Purpose::Secret, Purpose::Archive) => inner.path != outer.path,
        _ => false,
    }
}

/// Resolves links, `.` and `..` of a path that need not exist yet.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut missing: Vec<Component<'_>> = Vec::new();
    let mut existing = absolute.as_path();
    let mut resolved = loop {
        match existing.canonicalize() {
            // What lies below a file does not exist either.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            canonical => break canonical?,
        }
        missing.extend(existing.components().next_back());
        existing = existing.parent().ok_or(ErrorKind::NotFound)?;
    };
    for component in missing.into_iter().rev() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    Ok(if cfg!(any(target_os = "macos", target_os = "windows")) { lower_case(&resolved) } else { resolved })
}

/// Makes paths equal that name one file where file names ignore case.
fn lower_case(path: &Path) -> PathBuf {
    path.iter().map(OsStr::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests;

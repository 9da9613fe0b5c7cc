//! The folder of a seed: the sources of its repositories.
//!
//! **Invariant:** no source is outside of the folder; symbolic links that lead out of it are refused.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use crate::source::Source;
use crate::{Error, Location};

/// The folder of repositories, in the seed's folder and in that of an account and region.
pub(crate) const REPOSITORIES: &str = "repositories";

/// The sources of repositories by location and name.
pub(crate) type Sources = BTreeMap<(String, String, String), FoundSource>;

/// A source and its location.
#[derive(Debug)]
pub(crate) struct FoundSource {
    pub(crate) location: Location,
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Finds the sources in a folder: those of the default location, and those of `ACCOUNT/REGION`.
pub(crate) fn find_sources(folder: &Path, default: &Location) -> Result<Sources, Error> {
    let root = fs::canonicalize(folder).map_err(|error| Error::path(folder, error))?;
    let mut sources = Sources::new();
    add_sources(&root, &folder.join(REPOSITORIES), default, &mut sources)?;
    for entry in entries(folder)? {
        let name = utf8_name(&entry)?;
        let Ok(account) = name.parse() else { continue };
        check_inside(&root, &entry.path())?;
        for entry in entries(&entry.path())? {
            let Ok(region) = utf8_name(&entry)?.parse() else {
                let reason = "it is no region; name it as one of AWS, such as us-east-1";
                return Err(Error::path(&entry.path(), reason));
            };
            let location = default.or(Some(&account), Some(&region));
            check_inside(&root, &entry.path())?;
            add_sources(&root, &entry.path().join(REPOSITORIES), &location, &mut sources)?;
        }
    }
    Ok(sources)
}

fn add_sources(root: &Path, folder: &Path, location: &Location, sources: &mut Sources) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    check_inside(root, folder)?;
    for entry in entries(folder)? {
        let (path, name) = (entry.path(), utf8_name(&entry)?);
        check_inside(root, &path)?;
        let Some((name, source)) = source_of(&path, &name) else {
            let reason =
                "it is no repository; write a bare repository NAME.git, a bundle NAME.bundle or a folder NAME of files";
            return Err(Error::path(&path, reason));
        };
        let key = (location.account.to_string(), location.region.to_string(), name.clone());
        if let Some(other) = sources.get(&key) {
            let other = other.source.path().display();
            return Err(Error::path(&path, format!("'{other}' is the same repository; remove one of them")));
        }
        sources.insert(key, FoundSource { location: location.clone(), name, source });
    }
    Ok(())
}

/// Returns the name of a repository and its source; `None` if the file or folder is none.
fn source_of(path: &Path, name: &str) -> Option<(String, Source)> {
    let owned = path.to_owned();
    match (path.is_dir(), name.strip_suffix(".git"), name.strip_suffix(".bundle")) {
        (true, Some(name), _) => Some((name.to_owned(), Source::Bare(owned))),
        (false, _, Some(name)) => Some((name.to_owned(), Source::Bundle(owned))),
        (true, None, _) if path.join(".git").is_dir() => Some((name.to_owned(), Source::WithWorktree(owned))),
        (true, None, _) => Some((name.to_owned(), Source::Plain(owned))),
        _ => None,
    }
}

/// Lists the entries of a folder by name, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, Error> {
    let failed = |error| Error::path(folder, error);
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut entries: Vec<_> =
        entries.into_iter().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".")).collect();
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

fn utf8_name(entry: &DirEntry) -> Result<String, Error> {
    let name = entry.file_name().into_string();
    name.map_err(|_| Error::path(&entry.path(), "its name is not UTF-8; give it another name"))
}

/// Fails if a path leads out of the seed's folder.
fn check_inside(root: &Path, path: &Path) -> Result<PathBuf, Error> {
    let real = fs::canonicalize(path).map_err(|error| Error::path(path, error))?;
    if real.starts_with(root) {
        return Ok(real);
    }
    let reason = format!("it leads out of the seed, to '{}'; copy that into the seed", real.display());
    Err(Error::path(path, reason))
}

/// Returns the path of a file of the seed, if it exists and does not lead out of the folder.
pub(crate) fn file_in(folder: &Path, name: &str) -> Result<Option<PathBuf>, Error> {
    let path = folder.join(name);
    if fs::symlink_metadata(&path).is_err() {
        return Ok(None);
    }
    let root = fs::canonicalize(folder).map_err(|error| Error::path(folder, error))?;
    check_inside(&root, &path)?;
    Ok(Some(path))
}

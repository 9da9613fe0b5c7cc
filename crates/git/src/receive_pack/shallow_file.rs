//! The repository's `shallow` file: the commits whose parents the repository does not have.

use std::{fs, io, io::Write, path::PathBuf};

use bstr::ByteSlice;
use gix::{ObjectId, hashtable::HashSet};

use crate::Repository;

fn path(repository: &Repository) -> PathBuf {
    repository.objects().with_file_name("shallow")
}

/// Reads the file; most repositories have none, because their history is complete.
pub(crate) fn read(repository: &Repository) -> io::Result<HashSet<ObjectId>> {
    let text = match fs::read(path(repository)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::default()),
        other => other?,
    };
    let ids = text.lines().filter(|line| !line.is_empty()).map(ObjectId::from_hex);
    ids.collect::<Result<_, _>>().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// Adds commits to the file atomically: readers see the old content or the new one.
///
/// Fails if another push writes the file at this moment.
pub(super) fn add(repository: &Repository, ids: &HashSet<ObjectId>, sync: bool) -> io::Result<()> {
    let path = path(repository);
    let lock = path.with_extension("lock");
    let mut file = fs::File::create_new(&lock)?;
    let written = (|| {
        let mut all: Vec<_> = read(repository)?.into_iter().chain(ids.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        for id in all {
            writeln!(file, "{id}")?;
        }
        if sync {
            file.sync_all()?;
        }
        fs::rename(&lock, &path)
    })();
    if written.is_err() {
        drop(fs::remove_file(&lock));
    }
    written
}

//! Large files of Git LFS beside a repository of a seed, in the folder in which git-lfs has them: `lfs/objects/AA/BB/ID`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use aws::{Clock, Timestamp};
use codecommit::CodeCommit;
use codecommit::lfs::{LfsObject, LfsObjectId};

/// The folder in a repository.
const OBJECTS: &str = "lfs/objects";

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Adds the large files of a repository in a folder to a repository of the service; each is hashed, as those that clients send.
pub(crate) fn import(
    codecommit: &CodeCommit,
    repository_id: &str,
    source: &Path,
    clock: &dyn Clock,
) -> Result<(), String> {
    let mut folders = vec![source.join(OBJECTS)];
    while let Some(folder) = folders.pop() {
        let failed = |error: io::Error| format!("cannot read '{}': {error}", folder.display());
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            let id = entry.file_name().to_string_lossy().parse();
            if kind.is_dir() {
                folders.push(path);
            } else if let (true, Ok(id)) = (kind.is_file(), id) {
                add(codecommit, repository_id, id, &path, clock.now())
                    .map_err(|reason| format!("large file '{}': {reason}", path.display()))?;
            }
        }
    }
    Ok(())
}

fn add(
    codecommit: &CodeCommit,
    repository_id: &str,
    id: LfsObjectId,
    path: &Path,
    now: Timestamp,
) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let bytes = file.metadata().map_err(|error| error.to_string())?.len();
    let mut upload = codecommit.begin_lfs_upload(LfsObject { id, bytes }).map_err(|error| error.to_string())?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = file.read(&mut piece).map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        upload.write(&piece[..count]).map_err(|error| error.to_string())?;
    }
    codecommit.finish_lfs_upload(upload, repository_id, now).map_err(|error| error.to_string())
}

/// Copies large files from the folder of a repository in a data folder to one in a seed. A file that was removed meanwhile is left out.
pub(crate) fn export(data: &Path, seed: &Path, ids: &[LfsObjectId]) -> io::Result<()> {
    for id in ids {
        let (from, to) = (data.join(OBJECTS).join(id.path()), seed.join(OBJECTS).join(id.path()));
        let folder = to.parent().expect("the path of an object has folders");
        fs::create_dir_all(folder)?;
        match fs::copy(&from, &to) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::warn!(path = %from.display(), "a large file is missing");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

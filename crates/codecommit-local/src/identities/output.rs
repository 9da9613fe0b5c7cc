//! Files with secrets: created whole, for their owner only, and never over another file by accident.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file to write.
pub(super) struct SecretFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Writes all files, with their folders. Without `force`, nothing is written if one of them exists.
pub(super) fn write_all(files: &[SecretFile], force: bool) -> Result<(), String> {
    if let Some(file) = files.iter().find(|file| !force && file.path.symlink_metadata().is_ok()) {
        return Err(exists(&file.path));
    }
    files.iter().try_for_each(|file| write(file, force))
}

fn write(file: &SecretFile, force: bool) -> Result<(), String> {
    let SecretFile { path, text } = file;
    let failed = |error: std::io::Error| format!("cannot write '{}': {error}; choose another path", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    // A temporary file is created for its owner only.
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    if force {
        return temporary.persist(path).map(drop).map_err(|error| failed(error.error));
    }
    temporary.persist_noclobber(path).map(drop).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => failed(error.error),
    })
}

fn exists(path: &Path) -> String {
    format!("'{}' exists, and its keys may be in use: choose another path, or replace it with --force", path.display())
}

//! Copying a database that a server may be using.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::sqlite::{error_of, open_to_read};

/// Copies the last commit of a database that a server uses into a new file; nothing is written to the database.
pub fn copy_in_use(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |error| error_of(from, &error);
    let connection = open_to_read(from).map_err(failed)?;
    let to = to.to_string_lossy();
    connection.execute("VACUUM INTO ?1", [to.as_ref()]).map_err(failed)?;
    Ok(())
}

/// Copies the files of a database that no process uses; nothing is written to the database.
pub fn copy_unused(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    if log(from).exists() {
        fs::copy(log(from), log(to))?;
    }
    Ok(())
}

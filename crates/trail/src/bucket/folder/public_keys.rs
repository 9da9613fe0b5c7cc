//! The file of the keys that a bucket's digests are verified with.
//!
//! **Invariant:** a key stays in the file, as there may be digests that it signed: those of earlier servers too.

use std::fs;
use std::io;
use std::path::Path;

use super::{read_regular, write_whole};
use crate::public_key::PublicKey;

/// Adds keys to the file, which is `file` where there is none yet.
pub(super) fn keep(path: &Path, file: &[u8], sync: bool) -> io::Result<()> {
    let merged = match read_regular(path) {
        Ok(found) => match PublicKey::merge(&found, file) {
            Some(merged) if merged == found => return Ok(()),
            Some(merged) => merged,
            None => {
                set_aside(path)?;
                file.to_vec()
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_vec(),
        Err(error) => return Err(error),
    };
    write_whole(path, &mut &merged[..], sync)
}

/// Renames a file that cannot be read as keys, so that nothing of it is lost.
fn set_aside(path: &Path) -> io::Result<()> {
    let aside = path.with_extension("json.damaged");
    tracing::warn!(path = %path.display(), aside = %aside.display(), "the public keys cannot be read; the file is renamed");
    fs::rename(path, aside)
}

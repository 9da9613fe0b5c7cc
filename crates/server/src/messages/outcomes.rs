//! Files that tell what became of each message, a JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;

/// One such file.
#[derive(Clone)]
pub(crate) struct Outcomes(PathBuf);

impl Outcomes {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Adds a line; what cannot be written is told in the log.
    pub(crate) fn note(&self, line: &Value) {
        let append = || {
            // To open a pipe that nobody reads would never end.
            if fs::metadata(&self.0).is_ok_and(|file| !file.is_file()) {
                return Err(io::Error::other("it is no regular file; move it away"));
            }
            OpenOptions::new().create(true).append(true).open(&self.0)?.write_all(format!("{line}\n").as_bytes())
        };
        if let Err(error) = append() {
            tracing::error!(%error, file = %self.0.display(), "what became of a message cannot be written down");
        }
    }

    /// Forgets the lines that were written.
    pub(crate) fn clear(&self) -> io::Result<()> {
        if fs::metadata(&self.0).is_ok_and(|file| !file.is_file()) {
            return Ok(());
        }
        match File::options().write(true).open(&self.0) {
            Ok(file) => file.set_len(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

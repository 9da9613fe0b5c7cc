//! Logs of delivered and failed messages: files with one JSON object per line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;

/// A log of messages.
#[derive(Clone)]
pub(crate) struct DeliveryLog(PathBuf);

impl DeliveryLog {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Appends a line; a line that cannot be written is reported in the program's log.
    pub(crate) fn append(&self, line: &Value) {
        self.append_all(std::slice::from_ref(line));
    }

    /// Appends lines with one write.
    pub(crate) fn append_all(&self, lines: &[Value]) {
        if lines.is_empty() {
            return;
        }
        let text: String = lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect();
        let append = || {
            // Opening a pipe that nobody reads would block for ever.
            if fs::metadata(&self.0).is_ok_and(|file| !file.is_file()) {
                return Err(io::Error::other("not a regular file; move it away"));
            }
            OpenOptions::new().create(true).append(true).open(&self.0)?.write_all(text.as_bytes())
        };
        if let Err(error) = append() {
            tracing::error!(%error, path = %self.0.display(), "cannot log the outcome of a message");
        }
    }

    /// Empties the log.
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

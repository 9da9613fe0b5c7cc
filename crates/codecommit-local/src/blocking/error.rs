//! Errors of a server and of the program that it runs in.

use std::fmt;

/// Why a server could not be started or asked.
#[derive(Debug)]
pub struct Error {
    message: String,
    /// The log of the program, if it runs apart.
    log: String,
}

impl Error {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), log: String::new() }
    }

    pub(super) fn with_log(self, log: String) -> Self {
        Self { log, ..self }
    }

    /// Returns what the program has logged; empty if the server runs in this process.
    pub fn log(&self) -> &str {
        &self.log
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if self.log.is_empty() {
            Ok(())
        } else {
            write!(formatter, "\nThe log of the server:\n{}", self.log.trim_end())
        }
    }
}

impl std::error::Error for Error {}

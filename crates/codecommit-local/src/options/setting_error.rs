//! Errors of settings.

use std::fmt;

/// A setting that cannot be used; the text says what to write instead.
#[derive(Debug)]
pub struct SettingError(pub(super) String);

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SettingError {}

//! Names of snapshots, which are names of folders.

use std::str::FromStr;

/// Largest length of a name, in bytes.
const BYTES_MAX: usize = 100;

/// A valid name: 1 to 100 letters, digits, periods, dashes and underscores; the first is no period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotName(String);

impl SnapshotName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SnapshotName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=BYTES_MAX).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "'{text}' is not a name of a snapshot. Write 1 to {BYTES_MAX} letters, digits, periods, dashes and underscores; the first is no period."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_folder_or_be_hidden() {
        for name in ["base", "a", "with-2.branches_x", &"n".repeat(BYTES_MAX)] {
            assert_eq!(name.parse::<SnapshotName>().map(|name| name.0), Ok(name.to_owned()));
        }
        for name in ["", ".", "..", ".unfinished", "a/b", "a\\b", "a b", "ü", "a\0", &"n".repeat(BYTES_MAX + 1)] {
            assert!(name.parse::<SnapshotName>().is_err(), "{name:?}");
        }
    }
}

//! The versions of the smart protocol.

use crate::Offers;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// The first version: the server always sends all references first.
    #[default]
    V0,
    /// Version 0 with a line that names the version.
    V1,
    /// The client sends commands. For fetches only; a push uses version 0.
    V2,
}

impl Version {
    /// Chooses the version for a client whose `Git-Protocol` header or `GIT_PROTOCOL` variable is `header`.
    ///
    /// The header is a list of `key=value` separated by colons; the highest known version in it is used.
    pub fn of(header: Option<&str>, offers: &Offers) -> Self {
        if !offers.modern {
            return Self::V0;
        }
        let versions =
            header.unwrap_or_default().split(':').filter_map(|entry| match entry.strip_prefix("version=")? {
                "1" => Some(Self::V1),
                "2" => Some(Self::V2),
                _ => None,
            });
        versions.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_known_version_is_used() {
        for (header, version) in [
            ("", Version::V0),
            ("version=1", Version::V1),
            ("version=2", Version::V2),
            ("version=2:version=1", Version::V2),
            ("key:version=1:version=3:key=value", Version::V1),
            ("version=02", Version::V0),
            ("version=", Version::V0),
        ] {
            assert_eq!(Version::of(Some(header), &Offers::FULL), version, "{header}");
            assert_eq!(Version::of(Some(header), &Offers::AWS), Version::V0);
        }
        assert_eq!(Version::of(None, &Offers::FULL), Version::V0);
    }
}
